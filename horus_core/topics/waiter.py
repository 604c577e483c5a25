"""Awaiting topics: a futex cannot be selected on, so a thread sleeps for the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from horus_core.topics.topic import Topic

_SLICE_S = 0.5
"""The waiting thread looks this often whether anybody still waits."""

_waiters: weakref.WeakKeyDictionary[Topic, _Waiter] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class _Waiter:
    """Sleeps on one topic for as long as somebody awaits it, and wakes those who do."""

    def __init__(self, topic: Topic) -> None:
        self._topic = weakref.ref(topic)
        self._futures: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._lock = threading.Lock()
        self._running = False

    def wake_on_message(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._lock:
            self._futures.append((loop, future))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="horus-waiter", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            there = self._sleep()
            with self._lock:
                waiting = [(loop, future) for loop, future in self._futures if not future.done()]
                if there or not waiting:
                    self._futures = []
                    self._running = False
                    break
                self._futures = waiting
        for loop, future in waiting:
            _call(loop, future)

    def _sleep(self) -> bool:
        """Whether to wake who awaits: for a message, or for an error, which their own recv() will raise."""
        topic = self._topic()
        if topic is None or topic._closed:  # noqa: SLF001 - our own
            return True
        try:
            return topic.wait(_SLICE_S)
        except Exception:  # noqa: BLE001 - whatever opening the topic says; a dead thread would say nothing
            return True


def _call(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
    def finish() -> None:
        if not future.done():
            future.set_result(None)

    with suppress(RuntimeError):  # the loop was closed
        loop.call_soon_threadsafe(finish)


async def receive(topic: Topic) -> Any:
    """The next message of the topic. Several tasks may await one handle: each message goes to one of them."""
    while (message := topic.recv()) is None:
        with _lock:
            waiter = _waiters.setdefault(topic, _Waiter(topic))
        await waiter.wake_on_message()
    return message


def _begin_anew_in_child() -> None:
    """The threads that slept are the parent's, and so are the event loops whose tasks awaited them."""
    global _waiters, _lock  # noqa: PLW0603 - another thread of the parent may have held the lock at the fork
    _waiters = weakref.WeakKeyDictionary()
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_begin_anew_in_child)
