"""A stream of a launched process that talks all the time is read every 10 ms, and nothing is seen of that."""

import os
from types import SimpleNamespace

import pytest

from horus_plugins.launch.output import LineReader, Outlet
from horus_plugins.launch.pump import Pump
from horus_plugins.launch.rest import MUCH, REST_S, Rest


class Talk:
    """A pump that reads two pipes, by a clock that is set."""

    def __init__(self, capfd):
        self.now, self._capfd, self.pump = 0.0, capfd, Pump()
        self.pump._rest = Rest(lambda: self.now)
        pipes = [os.pipe() for _ in range(2)]
        self.ends = [writing for _, writing in pipes]
        streams = [os.fdopen(reading, "rb", buffering=0) for reading, _ in pipes]
        readers = [LineReader(stream, Outlet(b"", self.pump.out)) for stream in streams]
        self.pump.add(SimpleNamespace(pid=0, readers=readers))
        self.readers = readers

    def say(self, which, text):
        os.write(self.ends[which], text.encode() + b"\n")

    def turn(self):
        """What one turn shows; it waits for nobody."""
        self.pump.turn(0)
        self.pump.push()
        return self._capfd.readouterr().out.split()

    def begin(self):
        """Two lines of the first stream, one soon after the other."""
        for text in ("one", "two"):
            self.say(0, text)
            assert self.turn() == [text]

    def close(self):
        for reader in self.readers:
            if reader.open:
                reader.close()
        for end in self.ends:
            os.close(end)


@pytest.fixture
def talk(capfd):
    talk = Talk(capfd)
    yield talk
    talk.close()


def test_it_rests_for_ten_milliseconds_while_it_talks(talk):
    """From its second line on it is read once in that time, in one piece; after a silence at once."""
    talk.begin()
    for _ in range(3):
        for text in ("a", "b"):
            talk.say(0, text)
            assert talk.turn() == []
        talk.now += REST_S
        assert talk.turn() == ["a", "b"]
    talk.now += REST_S
    assert talk.turn() == []
    talk.say(0, "later")
    talk.now += 2 * REST_S
    assert talk.turn() == ["later"]
    talk.now += REST_S
    talk.say(0, "once in ten milliseconds")
    assert len(talk.turn()) == 4


def test_another_stream_ends_the_rest_and_comes_after(talk):
    """What the resting one said before is shown before; both are then read at once."""
    talk.begin()
    talk.say(0, "before")
    talk.say(1, "other")
    assert talk.turn() == ["before", "other"]
    talk.say(0, "and")
    assert talk.turn() == ["and"]


def test_the_end_of_a_stream_and_other_news_end_the_rest(talk):
    """A process that dies leaves nothing unread, and a signal is told of at once."""
    talk.begin()
    reading, writing = os.pipe()
    talk.pump.watch(reading)
    talk.say(0, "news")
    os.write(writing, b".")
    assert talk.pump.turn(0) == {reading}
    assert talk.turn() == ["news"]
    talk.pump.unwatch(reading)
    os.close(reading)
    os.close(writing)

    talk.say(0, "more")
    talk.turn()
    assert talk.pump._rest.fd is not None
    talk.say(0, "last")
    os.close(talk.ends[0])
    talk.ends[0] = os.dup(talk.ends[1])
    assert talk.turn() == ["last"]
    talk.turn()
    assert not talk.readers[0].open


def test_much_is_read_at_once(talk):
    """Who writes as fast as a pipe takes it does not wait for the launcher's rest."""
    talk.begin()
    talk.now += REST_S
    talk.say(0, "x" * MUCH)
    assert talk.turn() == ["x" * MUCH]
    talk.say(0, "y" * MUCH)
    assert talk.turn() == ["y" * MUCH]
