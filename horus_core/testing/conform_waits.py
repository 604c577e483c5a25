"""Waiting for messages, and nodes over the backend."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_core.testing.conform_base import LIMIT_S, Conformance, wait_until

if TYPE_CHECKING:
    import pytest

    from horus_core.topics.topic import Topic


class Waits(Conformance):
    """Who waits is woken."""

    def _sleep_on(self, topic: Topic, timeout: float | None) -> tuple[threading.Thread, list[bool]]:
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(topic.wait(timeout)))
        thread.start()
        return thread, found

    def test_a_message_wakes_who_waits(self) -> None:
        """From another thread, whether the topic was there before or not."""
        for there in (True, False):
            out, topic = self.open(f"t{there}"), self.open(f"t{there}")
            if there:
                out.send({"n": 0})
                topic.recv()
            thread, found = self._sleep_on(topic, LIMIT_S)
            out.send({"n": 1})
            thread.join(LIMIT_S)
            assert found == [True]
            assert topic.recv() == {"n": 1}

    def test_a_wait_ends(self) -> None:
        """When its time is up, and when the handle is closed."""
        topic = self.open("t", dict)
        start = time.monotonic()
        assert not topic.wait(0.02)
        assert time.monotonic() - start >= 0.02  # noqa: PLR2004
        thread, found = self._sleep_on(topic, None)
        topic.close()
        thread.join(LIMIT_S)
        assert found == [False]

    def test_a_message_is_awaited(self) -> None:
        """By asyncio, while the loop goes on."""
        out, topic = self.open("t", dict), self.open("t")

        async def both() -> Any:
            receiving = asyncio.ensure_future(topic.recv_async())
            await asyncio.sleep(0)
            out.send({"n": 1})
            return await asyncio.wait_for(receiving, LIMIT_S)

        assert asyncio.run(both()) == {"n": 1}

    def test_nodes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """HORUS_BACKEND is for the topics of nodes: a message wakes one with on=, and a slow one gets fresh data."""
        monkeypatch.setenv("HORUS_BACKEND", self.backend)
        heard: list[int] = []
        fresh: list[int] = []

        def send(node: Node) -> None:
            for number in range(10):
                node.send("t", {"n": number})

        def read_one(node: Node) -> None:
            message = node.recv("t")
            if message is not None:
                fresh.append(message["n"])

        def wake(node: Node) -> None:
            heard.extend(message["n"] for message in node.recv_all("t"))

        nodes = [Node("slow", tick=read_one, subs="t", rate=1000, order=2)]
        nodes += [Node("sender", tick=send, pubs="t", rate=50, order=1), Node("event", tick=wake, on="t")]
        scheduler = _scheduler(nodes)
        scheduler.start()
        wait_until(lambda: len(heard) >= 20 and len(fresh) >= 20, "both nodes' messages")  # noqa: PLR2004
        scheduler.stop()
        scheduler.join(LIMIT_S)
        assert heard[:20] == [*range(10), *range(10)]

    def test_a_deterministic_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same in each run: who reads one message a tick skips to the newest four."""
        monkeypatch.setenv("HORUS_BACKEND", self.backend)
        runs = [_skipping() for _ in range(2)]
        assert runs[0] == runs[1] == [0, *range(16, 106, 10)]


def _scheduler(nodes: list[Node], **options: Any) -> Scheduler:
    scheduler = Scheduler(name="conformance", **options)
    for node in nodes:
        scheduler.add(node)
    return scheduler


def _skipping() -> list[int]:
    """What a node got that reads one message of ten in each tick."""
    seen: list[int] = []
    count = iter(range(10_000))

    def send(node: Node) -> None:
        for _ in range(10):
            node.send("t", {"n": next(count)})

    def read(node: Node) -> None:
        message = node.recv("t")
        seen.append(-1 if message is None else message["n"])

    nodes = [
        Node("a", tick=send, pubs="t", rate=10, order=1),
        Node("b", tick=read, subs="t", rate=10, order=2),
    ]
    with _scheduler(nodes, deterministic=True) as scheduler:
        scheduler.tick_for(1.0)
    return seen
