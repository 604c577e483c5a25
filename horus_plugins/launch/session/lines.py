"""The lines between a launcher and its schedulers: orders, questions that are passed on, and their answers."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.backends import registry
from horus_core.control.commands import reply_topic
from horus_core.control.server import CAPACITY
from horus_core.errors import HorusError, NodeError
from horus_core.shm import namespace as namespaces
from horus_core.topics.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NODE = "horus-launch"
"""As what the launcher shows in `horus topic list -v`."""
_LOCK_S = 0.05
_GRACE_S = 0.25


def require_unlocked(namespace: str) -> None:
    """Raise HorusTimeoutError when somebody keeps the namespace's lock, which opening a topic takes."""
    with namespaces.locked(namespace, timeout_s=_LOCK_S):
        pass


class _Asked(NamedTuple):
    topic: str
    until_s: float
    answered: Callable[[Mapping[str, Any] | BaseException], None]


class Lines:
    """Handles on the control topics of schedulers. Nothing here waits."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._orders: dict[str, Topic] = {}
        self._replies: dict[str, Topic] = {}
        self._asked: dict[str, _Asked] = {}
        self._count = 0

    def prepare(self, topic: str) -> None:
        """Open the line for orders now, so that a stop of many is not held up by the namespace's lock."""
        with suppress(HorusError, OSError):  # it is tried again with the first order
            self._open(self._orders, topic)

    def order(self, topic: str, cmd: str, **fields: Any) -> bool:
        """Send an order that nobody answers; False when it cannot be sent now."""
        return self._send(topic, {"cmd": cmd, "reply": False, **fields})

    def ask(
        self,
        topic: str,
        request: Mapping[str, Any],
        timeout_s: float,
        answered: Callable[[Mapping[str, Any] | BaseException], None],
    ) -> None:
        """Pass a question on; `answered` is called by turn(), with the answer or what went wrong."""
        asked = self._next_id()
        try:
            self._open(self._replies, reply_topic(topic)).has_msg()  # a subscriber before anybody answers
        except (HorusError, OSError) as error:
            answered(error)
            return
        if not self._send(topic, {**request, "id": asked, "timeout_s": timeout_s}):
            answered(NodeError(f"Asking on {topic!r} failed: the topic took nothing. Try again."))
            return
        self._asked[asked] = _Asked(topic, time.monotonic() + timeout_s + _GRACE_S, answered)

    def turn(self) -> bool:
        """Hand over the answers that came, and give up on those that did not; whether any was waited for."""
        if not self._asked:
            return False
        for topic in {asked.topic for asked in self._asked.values()}:
            for answer in self._received(reply_topic(topic)):
                asked = self._asked.pop(str(answer.get("id")), None)
                if asked is not None:
                    asked.answered(answer)
        now = time.monotonic()
        for asked_id, asked in list(self._asked.items()):
            if now >= asked.until_s:
                del self._asked[asked_id]
                asked.answered(
                    NodeError(f"Nobody answered on {asked.topic!r} in time: its process hangs, or ended.")
                )
        return True

    def close(self, topic: str) -> None:
        """Its scheduler has ended."""
        for handles, name in ((self._orders, topic), (self._replies, reply_topic(topic))):
            handle = handles.pop(name, None)
            if handle is not None:
                handle.close()

    def close_all(self) -> None:
        """The session is over."""
        for topic in list(self._orders):
            self.close(topic)

    def _received(self, topic: str) -> list[dict[str, Any]]:
        with suppress(HorusError, OSError):
            return [answer for answer in self._replies[topic].recv_all() if isinstance(answer, dict)]
        return []

    def _send(self, topic: str, request: dict[str, Any]) -> bool:
        try:
            return self._open(self._orders, topic).send(request)
        except (HorusError, OSError):
            return False

    def _open(self, handles: dict[str, Topic], name: str) -> Topic:
        handle = handles.get(name)
        if handle is None:
            require_unlocked(self._namespace)
            handle = handles[name] = Topic(
                name, dict, capacity=CAPACITY, backend=registry.SHM, _node=NODE, _framework=True
            )
        return handle

    def _next_id(self) -> str:
        self._count += 1
        return f"launch-{id(self):x}-{self._count}"
