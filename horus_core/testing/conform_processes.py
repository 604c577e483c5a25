"""Topics between two processes: the test's, and one that runs a few lines of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from horus_core.errors import TopicTypeError
from horus_core.testing.conform_base import LIMIT_S, Conformance, wait_until
from horus_core.testing.conform_messages import Other, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_core.topics.topic import Topic

_HELLO = {"hello": True}
_PRELUDE = """
import horus, os, sys, time
import numpy as np
BACKEND = sys.argv[1]
def open(name, type=None, **options):
    return horus.Topic(name, type, backend=BACKEND, **options)
def meet():
    # Both sides hear each other from here on.
    here, there = open("meet.here", dict), open("meet.there", dict)
    while not here.wait(0.02):
        there.send({"hello": True})
"""


class _Peer(Conformance):
    @pytest.fixture(autouse=True)
    def _peers(self) -> Iterator[None]:
        self._started: list[subprocess.Popen[str]] = []
        yield
        for process in self._started:
            process.kill()
            process.communicate()

    def start(self, code: str) -> subprocess.Popen[str]:
        """Run the lines in another process of this namespace, and meet it."""
        here, there = self.open("meet.here", dict), self.open("meet.there", dict)
        process = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + code, self.backend],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        self._started.append(process)
        if "meet()" in code:
            wait_until(lambda: there.wait(0.05) or self._fail_if_ended(process), "the other process")
            here.send(_HELLO)
        return process

    def _fail_if_ended(self, process: subprocess.Popen[str]) -> bool:
        assert process.poll() is None, f"the other process ended with {process.poll()}"
        return False

    def end(self, process: subprocess.Popen[str]) -> None:
        """It ends by itself, and well."""
        assert process.wait(LIMIT_S) == 0


class Processes(_Peer):
    """Messages go from process to process."""

    def test_messages_of_another_process(self) -> None:
        """They arrive whole and in order, with their publisher's name, and wake who waits."""
        topic, images = self.open("t"), self.open("images")
        process = self.start("""
from horus_core.testing.conform_messages import Reading
out, images = open("t", Reading, _node="far", capacity=1024), open("images", horus.Image)
meet()
for number in range(500):
    out.send(Reading(number=number, value=number / 2, label="größe"))
    time.sleep(0 if number % 50 else 0.005)
images.send(horus.Image.from_numpy(np.full((480, 640, 3), 7, np.uint8)))
sys.stdin.read()
""")
        found: list[Any] = []
        while len(found) < 500:  # noqa: PLR2004
            assert topic.wait(LIMIT_S)
            message, info = topic.recv_info() or (None, None)
            found.append(message)
            assert info is not None
            assert info.publisher == "far"
        assert [message.number for message in found] == list(range(500))
        assert found[7] == Reading(number=7, value=3.5, label="größe")
        assert images.wait(LIMIT_S)
        pixels = images.recv().to_numpy()
        assert pixels.shape == (480, 640, 3)
        assert (pixels == 7).all()  # noqa: PLR2004
        assert topic.backend == "cross-process"
        process.communicate(timeout=LIMIT_S)
        self.end(process)

    def test_there_and_back(self) -> None:
        """Nobody hears its own messages twice."""
        ping, pong = self.open("ping", dict), self.open("pong", dict)
        process = self.start("""
ping, pong = open("ping"), open("pong")
meet()
for _ in range(100):
    assert ping.wait(10)
    message = ping.recv()
    pong.send({"n": message["n"], "array": message["array"] + 1})
assert ping.recv() is None
""")
        for number in range(100):
            ping.send({"n": number, "array": np.full(100, number)})
            assert pong.wait(LIMIT_S)
            message = pong.recv()
            assert (message["n"], message["array"][0]) == (number, number + 1)
        self.end(process)
        assert len(ping.recv_all()) == 100  # noqa: PLR2004 - its own, from this process, once

    def test_what_a_process_sends_before_it_ends(self) -> None:
        """It arrives, though the process has ended."""
        topic = self.open("t", dict)
        process = self.start("""
out = open("t")
meet()
for number in range(50):
    out.send({"n": number})
""")
        heard: list[int] = []
        while len(heard) < 50:  # noqa: PLR2004
            assert topic.wait(LIMIT_S)
            heard.append(topic.recv()["n"])
        assert heard == list(range(50))
        self.end(process)


class Latched(_Peer):
    """The last message of a latched topic, for a process that starts later."""

    def test_a_process_that_starts_later(self) -> None:
        """It gets the last message, if it asks for the topic by name alone."""
        mode, back = self.open("mode", dict, latched=True), self.open("back", dict)
        for number in range(3):
            mode.send({"n": number})
        process = self.start("""
mode, back = open("mode"), open("back")
meet()
assert mode.wait(10)
back.send(mode.recv())
""")
        assert back.wait(LIMIT_S)
        assert back.recv() == {"n": 2}
        self.end(process)


class Types(_Peer):
    """A topic has one type in all processes."""

    def test_the_second_type_is_refused(self) -> None:
        """In the process that came second, at the latest when it uses the topic; the first goes on."""
        topic = self.open("t", Reading)
        topic.send(Reading())
        time.sleep(0.2)  # of two that come at once either may be the second
        process = self.start("""
from horus_core.testing.conform_messages import Other
meet()
until = time.monotonic() + 10
while time.monotonic() < until:
    try:
        topic = open("t", Other)
        while time.monotonic() < until:
            topic.send(Other())
            time.sleep(0.01)
    except horus.TopicTypeError as error:
        assert "Reading" in str(error) and "Other" in str(error), error
        print("refused")
        break
""")
        output, _ = process.communicate(timeout=LIMIT_S * 2)
        assert "refused" in output
        self.end(process)
        assert topic.send(Reading())
        with pytest.raises(TopicTypeError):
            self.open("t", Other)

    def test_a_class_that_only_the_other_process_has(self) -> None:
        """One is made from the layout, which travels with the topic."""
        topic: Topic = self.open("t")
        assert topic.recv() is None
        process = self.start("""
class Gripper(horus.Message):
    width: horus.f32 = horus.field(default=0.0, unit="m")
    count: horus.u32 = horus.field(default=0)
out = open("t", Gripper)
meet()
while not open("enough").wait(0.02):
    out.send(Gripper(width=0.5, count=3))
""")
        assert topic.wait(LIMIT_S)
        message = topic.recv()
        assert (type(message).__name__, message.width, message.count) == ("Gripper", 0.5, 3)
        enough = self.open("enough", dict, latched=True)
        enough.send({})
        process.kill()
