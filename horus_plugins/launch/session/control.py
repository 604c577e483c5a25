"""The control topic of a session, read in the launcher's loop: no thread, as a launcher forks."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from horus_core.backends import registry
from horus_core.control import room
from horus_core.control.commands import Request, handler_of, reply_topic
from horus_core.control.server import CAPACITY, id_of, refuse_late, timeout_of
from horus_core.errors import HorusError, HorusTimeoutError
from horus_core.topics.topic import Topic
from horus_plugins.launch import manifest
from horus_plugins.launch.session.lines import NODE, require_unlocked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from horus_core.control.commands import Commands

    Answer = Callable[[Mapping[str, Any] | BaseException], None]

_PAUSE_S = 1.0


class Later(Exception):  # noqa: N818 - no error: a way to say that the answer comes later
    """Raised by a handler whose answer is sent by what it gave its `answer` to."""


class Control:
    """Answers what is asked on `horus.launch.ctl.{session}`."""

    def __init__(self, namespace: str, session: str, known: Commands) -> None:
        self._namespace = namespace
        self._known = known
        self._name = manifest.control_topic(session)
        self._about = {"session": session, "pid": os.getpid()}
        self._topic = Topic(self._name, backend=registry.SHM, _node=NODE, _framework=True)
        self._topic.has_msg()  # a subscriber from now on
        self._room: room.Room | None = room.keep(namespace, self._name)
        """What it takes to be asked when others have filled shared memory."""
        self._replies: Topic | None = None
        self._unsent: deque[dict[str, Any]] = deque(maxlen=CAPACITY)
        """Answers that wait for the namespace's lock, which somebody keeps: it is tried again each turn."""
        self._paused_until_s = 0.0

    def turn(self) -> bool:
        """Answer what came, if anything did. Nothing that lies in the topic stops a launcher."""
        if time.monotonic() < self._paused_until_s:
            return False
        try:
            messages = self._topic.recv_all() if self._topic.has_msg() else []
        except (HorusError, OSError):
            self._paused_until_s = time.monotonic() + _PAUSE_S
            return False
        for message in messages:
            if isinstance(message, dict) and "cmd" in message:
                self._take(message)
        self._send()
        return bool(messages)

    def close(self) -> None:
        """Answer no more."""
        self._send()
        self._topic.close()
        if self._replies is not None:
            self._replies.close()
        self._give_up_room()

    def _give_up_room(self) -> None:
        if self._room is not None:
            self._room.give_up()
            self._room = None

    def _take(self, message: dict[str, Any]) -> None:
        def answer(outcome: Mapping[str, Any] | BaseException) -> None:
            self._answer(message, outcome)

        try:
            refuse_late(message)
            handler = handler_of(self._known.find(message["cmd"]))
            answer(handler(Request(message["cmd"], message, answer, timeout_of(message))) or {})
        except Later:
            return
        except Exception as error:  # noqa: BLE001 - who asked wants to know, whatever it is
            answer(error)

    def _answer(self, message: Mapping[str, Any], outcome: Mapping[str, Any] | BaseException) -> None:
        reply: dict[str, Any]
        if isinstance(outcome, BaseException):
            told = str(outcome) if isinstance(outcome, HorusError) else f"{type(outcome).__name__}: {outcome}"
            reply = {"ok": False, "error": told}
        else:
            reply = {"ok": True, **outcome}
        self._unsent.append({**self._about, **reply, "id": id_of(message)})

    def _send(self) -> None:
        while self._unsent:
            try:
                self._reply().send(self._unsent[0])
            except HorusTimeoutError:
                return
            except (HorusError, OSError):
                pass  # who asked gives up by itself
            self._unsent.popleft()
            self._give_up_room()

    def _reply(self) -> Topic:
        if self._replies is None:
            require_unlocked(self._namespace, timeout_s=0)
            self._replies = Topic(
                reply_topic(self._name),
                dict,
                capacity=CAPACITY,
                backend=registry.SHM,
                _node=NODE,
                _framework=True,
            )
        return self._replies
