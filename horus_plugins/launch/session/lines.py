"""The lines between a launcher and its schedulers: orders, questions that are passed on, and their answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from horus_core.backends import registry
from horus_core.control.commands import reply_topic
from horus_core.control.server import CAPACITY
from horus_core.errors import HorusError, HorusTimeoutError, NodeError
from horus_core.shm import namespace as namespaces
from horus_core.topics.topic import Topic

NODE = "horus-launch"
"""As what the launcher shows in `horus topic list -v`."""
_LOCK_S = 0.05
_GRACE_S = 0.25


def require_unlocked(namespace: str, timeout_s: float = _LOCK_S) -> None:
    """Raise HorusTimeoutError when somebody keeps the namespace's lock, which opening a topic takes."""
    with namespaces.locked(namespace, timeout_s=timeout_s):
        pass


Answered = Callable[[Mapping[str, Any] | BaseException], None]


class _Question(NamedTuple):
    topic: str
    request: Mapping[str, Any]
    until_s: float
    answered: Answered


class Lines:
    """Handles on the control topics of schedulers. Nothing here waits for the namespace's lock, but an order once.

    Opening a topic takes that lock. Whoever keeps it costs one look a turn, whatever number of lines is to be opened:
    these are opened in the turn after it is free.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._orders: dict[str, Topic] = {}
        self._replies: dict[str, Topic] = {}
        self._unopened: dict[str, None] = {}
        """What is to be opened for orders, in turn."""
        self._unasked: dict[str, _Question] = {}
        self._asked: dict[str, _Question] = {}
        self._kept: HorusTimeoutError | None = None
        """Somebody keeps the lock, as was found in this turn."""
        self._count = 0

    def prepare(self, topic: str) -> None:
        """Open the line for orders, now or in a turn to come: a stop of many is not to wait for a lock."""
        self._unopened[topic] = None
        self._open_next()

    def order(self, topic: str, cmd: str, **fields: Any) -> bool:
        """Send an order that nobody answers; False when it cannot be sent now.

        Of all orders of a turn the first that finds no line waits for the lock, for 50 ms.
        """
        return self._send(topic, {"cmd": cmd, "reply": False, **fields}, _LOCK_S)

    def ask(self, topic: str, request: Mapping[str, Any], timeout_s: float, answered: Answered) -> None:
        """Pass a question on; `answered` is called by turn(), with the answer or what went wrong."""
        question = _Question(
            topic, {**request, "timeout_s": timeout_s}, time.monotonic() + timeout_s + _GRACE_S, answered
        )
        self._put(self._next_id(), question)

    def turn(self) -> bool:
        """Hand over the answers that came, and give up on those that did not; whether any was waited for."""
        self._kept = None
        self._open_next()
        waiting, self._unasked = self._unasked, {}
        for asked_id, question in waiting.items():
            self._put(asked_id, question)
        if not (waiting or self._asked):
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
        self._unopened.pop(topic, None)
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

    def _put(self, asked_id: str, question: _Question) -> None:
        """Ask it now, or in a turn to come where somebody keeps the lock, as long as its asker waits."""
        topic = question.topic
        try:
            self._open(self._replies, reply_topic(topic)).has_msg()  # a subscriber before anybody answers
            sent = self._open(self._orders, topic).send({**question.request, "id": asked_id})
        except HorusTimeoutError as error:
            if time.monotonic() < question.until_s:
                self._unasked[asked_id] = question
            else:
                question.answered(error)
            return
        except (HorusError, OSError) as error:
            question.answered(error)
            return
        if sent:
            self._asked[asked_id] = question
        else:
            question.answered(NodeError(f"Asking on {topic!r} failed: the topic took nothing. Try again."))

    def _open_next(self) -> None:
        for topic in list(self._unopened):
            try:
                self._open(self._orders, topic)
            except HorusTimeoutError:
                return
            except (HorusError, OSError):  # it is tried again with the first order
                pass
            del self._unopened[topic]

    def _send(self, topic: str, request: dict[str, Any], patience_s: float) -> bool:
        try:
            return self._open(self._orders, topic, patience_s).send(request)
        except (HorusError, OSError):
            return False

    def _open(self, handles: dict[str, Topic], name: str, patience_s: float = 0.0) -> Topic:
        handle = handles.get(name)
        if handle is None:
            self._require_unlocked(patience_s)
            handle = handles[name] = Topic(
                name, dict, capacity=CAPACITY, backend=registry.SHM, _node=NODE, _framework=True
            )
        return handle

    def _require_unlocked(self, patience_s: float) -> None:
        if self._kept is not None:
            raise self._kept
        try:
            require_unlocked(self._namespace, patience_s)
        except HorusTimeoutError as error:
            self._kept = error
            raise

    def _next_id(self) -> str:
        self._count += 1
        return f"launch-{id(self):x}-{self._count}"
