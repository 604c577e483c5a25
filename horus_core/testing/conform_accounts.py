"""Order, accounts, types of the topics of one process."""

from __future__ import annotations

import threading

import pytest

from horus_core.errors import HorusError, TopicTypeError
from horus_core.messages.image import Image
from horus_core.testing.conform_base import Conformance, drain
from horus_core.testing.conform_messages import Other, Reading

_SENDS = 200
_SENDERS = 4


class Accounts(Conformance):
    """What was sent is delivered, missed or pending, to the last message."""

    def test_messages_arrive_in_order(self) -> None:
        """Every subscriber gets every message, in the order of sending, whatever others have read."""
        out, first, second = self.open("t", dict), self.open("t"), self.open("t")
        for number in range(100):
            assert out.send({"n": number})
        assert first.pending == 100  # noqa: PLR2004
        assert [message["n"] for message in drain(first)] == list(range(100))
        assert [message["n"] for message in drain(second)] == list(range(100))
        assert (first.missed, first.pending, first.stats()["delivered"]) == (0, 0, 100)

    def test_a_slow_subscriber_knows_what_it_missed(self) -> None:
        """A full ring overwrites the oldest; delivered + missed + pending are all that were sent."""
        out, slow = self.open("t", Reading, capacity=8), self.open("t")
        for number in range(20):
            out.send(Reading(number=number))
        assert slow.recv().number == 12  # noqa: PLR2004
        assert slow.missed + slow.stats()["delivered"] + slow.pending == 20  # noqa: PLR2004
        assert [message.number for message in drain(slow)] == list(range(13, 20))

    def test_many_publishers_and_subscribers(self) -> None:
        """Threads send at once: every subscriber gets all, those of each publisher in order."""
        subscribers = [self.open("t", dict, capacity=1024) for _ in range(3)]
        outs = [self.open("t") for _ in range(_SENDERS)]
        start = threading.Barrier(_SENDERS)

        def send(who: int) -> None:
            start.wait()
            for number in range(_SENDS):
                outs[who].send({"who": who, "n": number})

        threads = [threading.Thread(target=send, args=(who,)) for who in range(_SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for subscriber in subscribers:
            heard = drain(subscriber)
            for who in range(_SENDERS):
                assert [one["n"] for one in heard if one["who"] == who] == list(range(_SENDS))

    def test_latest_and_history_consume_nothing(self) -> None:
        """They show the newest, oldest first, and leave them where they are."""
        out, topic = self.open("t", dict), self.open("t")
        assert topic.latest() is None
        assert topic.is_stale(1.0)
        for number in range(5):
            out.send({"n": number})
        assert topic.latest() == {"n": 4}
        assert [message["n"] for message in topic.history(3)] == [2, 3, 4]
        assert not topic.is_stale(60.0)
        assert [message["n"] for message in drain(topic)] == list(range(5))

    def test_what_is_known_of_a_message(self) -> None:
        """recv_info() names the publisher, the number, and a time from which age() counts."""
        out, topic = self.open("t", dict, _node="arm"), self.open("t")
        out.send({"n": 1})
        out.send({"n": 2})
        message, info = topic.recv_info() or (None, None)
        assert message == {"n": 1}
        assert info is not None
        assert (info.publisher, info.sequence) == ("arm", 0)
        assert info.publish_ns > 0
        age = topic.age()
        assert age is not None
        assert age >= 0
        assert "arm" in topic.publishers

    def test_a_type_is_the_topics(self) -> None:
        """Who comes second with another type is refused, and so is a message of another type."""
        out = self.open("t", Reading)
        assert self.open("t").type is Reading
        for wrong in (Other, dict, Image):
            with pytest.raises(TopicTypeError, match="expected"):
                self.open("t", wrong)
        with pytest.raises(TopicTypeError, match="Other"):
            out.send(Other())

    def test_a_subscriber_learns_the_type(self) -> None:
        """It may come first, and gets what is sent from then on."""
        topic, out = self.open("t"), self.open("t")
        assert topic.recv() is None
        out.send(Reading(number=1, label="é"))
        assert topic.recv() == Reading(number=1, label="é")

    def test_a_latched_topic_gives_the_last_message(self) -> None:
        """To who comes later; another topic gives it the next one only."""
        out, plain = self.open("mode", dict, latched=True), self.open("plain", dict)
        for mode in ("manual", "auto"):
            out.send({"mode": mode})
            plain.send({"mode": mode})
        assert drain(self.open("mode")) == [{"mode": "auto"}]
        assert drain(self.open("plain")) == []

    def test_a_closed_handle_is_closed(self) -> None:
        """Its use raises; other handles of the topic go on."""
        out, topic, closed = self.open("t", dict), self.open("t"), self.open("t")
        closed.close()
        with pytest.raises(HorusError, match="closed"):
            closed.send({})
        with pytest.raises(HorusError, match="closed"):
            closed.recv()
        assert out.send({"n": 1})
        assert topic.recv() == {"n": 1}

    def test_topics_are_apart(self) -> None:
        """By name: dots, slashes, dashes and length make no two the same."""
        names = ["a", "a.b", "a/b", "a-b", "A", "n" * 128]
        topics = [self.open(name, dict) for name in names]
        for name, topic in zip(names, topics, strict=True):
            topic.send({"name": name})
        for name, topic in zip(names, topics, strict=True):
            assert drain(topic) == [{"name": name}]
