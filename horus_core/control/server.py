"""Who answers on a control topic (on the thread of horus_core/control/answering.py, or for what is slow on another).

A topic is made by who asks first. Until then its server waits for it as any early subscriber does, and misses
nothing. The memory for it was kept back (horus_core/control/room.py): there may be none when somebody asks.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.backends import registry as backends
from horus_core.control import answering, commands, room
from horus_core.control.commands import NotDone, Request
from horus_core.errors import HorusError
from horus_core.shm import namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from horus_core.control.commands import Command, Commands
    from horus_core.topics.topic import Topic

CAPACITY = 64
"""Messages that a control topic keeps."""
TIMEOUT_S = 2.0
"""How long a command may take where who asks does not say."""
_LONGEST_S = 600.0
_MOST_SLOW = 16
_CLOSING_S = 0.5
_STEP_S = 0.001
_PAUSE_S = 0.1  # before a topic that cannot be read is tried again
_MOST_ID = 128
_NODE = "_horus"
_NO_ROOM = (
    "It was done or refused, and /dev/shm has no room for the answer. Run `horus clean`, or enlarge it."
)


class Server:
    """Answers what is asked on one control topic, until close(). From any thread."""

    def __init__(
        self,
        topic: str,
        known: Commands,
        target: Any = None,
        *,
        why_slow: Callable[[], str] = str,
        **about: Any,
    ) -> None:
        """`target` is what handlers get as Request.target; `about` stands in every answer.

        `why_slow` says, when a command takes too long, what keeps this process from it; "" if that is not known.
        """
        from horus_core.topics.topic import Topic  # noqa: PLC0415 - a scheduler is imported without topics

        self.topic = topic
        self._known = known
        self._target = target
        self.why_slow = why_slow
        self._about = {**about, "pid": os.getpid()}
        self.requests: Topic = Topic(topic, _node=_NODE, _framework=True)
        self.requests.has_msg()  # a subscriber from now on
        # In the same namespace, whatever the variable says when somebody asks; no region before the first answer.
        self._replies = Topic(commands.reply_topic(topic), capacity=CAPACITY, _node=_NODE, _framework=True)
        self._guard = threading.Lock()
        self._room: room.Room | None = None
        if self.requests.over == backends.SHM:
            self._room = room.keep(namespace.current(), topic)
        self._slow: set[_Job] = set()
        self.pause_until_s = 0.0
        self._ended = threading.Event()
        answering.add(self)

    def close(self) -> None:
        """Answer nothing any more. What is under way, and done by now, is answered first."""
        deadline = time.monotonic() + _CLOSING_S
        while any(not job.answered for job in list(self._slow)) and time.monotonic() < deadline:
            time.sleep(_STEP_S)
        self._ended.set()
        answering.remove(self)
        self.requests.close()
        with self._guard:
            self._replies.close()
            self._give_up_room()

    # On the control thread

    def serve(self) -> None:
        """Take what waits."""
        if self._ended.is_set() or time.monotonic() < self.pause_until_s:
            return
        try:
            for message in self.requests.recv_all():
                self._take(message)
        except Exception as error:  # noqa: BLE001 - whatever lies in that topic, others must be answered
            if self._ended.is_set():
                return
            self.pause_until_s = time.monotonic() + _PAUSE_S
            answering.say("Reading the control topic %r failed, and is tried again: %s", self.topic, error)

    def overdue(self, now_s: float) -> float:
        """Answer for what takes too long; when the next is to be answered for."""
        due_s = self.pause_until_s if self.pause_until_s > now_s else float("inf")
        for job in list(self._slow):
            if job.due_s <= now_s:
                job.give_up()
            elif not job.answered:
                due_s = min(due_s, job.due_s)
        return due_s

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict) or ("cmd" not in message and "ok" in message):
            return  # not for us, or somebody's answer
        try:
            refuse_late(message)
            command = self._known.find(message.get("cmd"))
            request = Request(message["cmd"], message, self._target, timeout_of(message))
            if command.slow:
                self._begin(command, request)
            else:
                self.answer(message, commands.handler_of(command)(request))
        except Exception as error:  # noqa: BLE001 - who asked wants to know, whatever it is
            self.answer(message, error)

    def _begin(self, command: Command, request: Request) -> None:
        if len(self._slow) >= _MOST_SLOW:
            raise HorusError(
                f"{request.cmd} was not begun: {len(self._slow)} commands wait already, as nothing here gets done. "
                f"Look at what hangs."
            )
        job = _Job(self, command, request)
        self._slow.add(job)
        threading.Thread(target=job.run, name=f"horus {request.cmd}", daemon=True).start()

    # From any thread

    def done(self, job: _Job) -> None:
        """It was answered, or has ended."""
        self._slow.discard(job)

    def answer(self, request: Mapping[str, Any], outcome: Mapping[str, Any] | BaseException | None) -> None:
        """Tell who asked what came of it, unless nobody wants to know; whatever goes wrong is only logged."""
        if request.get("reply") is False:
            return
        answer: dict[str, Any] = {**self._about}
        if isinstance(outcome, BaseException):
            answer |= {"ok": False, "error": _told(outcome), "kind": type(outcome).__name__}
            answer |= getattr(outcome, "answer", {})
        else:
            answer |= {**(outcome or {}), "ok": True}
        answer["id"] = id_of(request)
        try:
            self._send(answer)
        except Exception as error:  # noqa: BLE001 - the next one may be answered
            answering.say("An answer on the control topic %r was not sent: %s", self.topic, error)

    def _send(self, answer: dict[str, Any]) -> None:
        with self._guard:
            if not self._ended.is_set():
                if not self._replies.send(answer):
                    self._replies.send({"ok": False, "error": _NO_ROOM, "id": answer["id"], "no_room": True})
                self._give_up_room()  # both topics are there by now

    def _give_up_room(self) -> None:
        kept, self._room = self._room, None
        if kept is not None:
            kept.give_up()


class _Job:
    """A slow command under way, on a thread of its own. Answered once: when it is done, or when it takes too long."""

    def __init__(self, server: Server, command: Command, request: Request) -> None:
        self._server = server
        self._command = command
        self._request = request
        self._guard = threading.Lock()
        self.answered = False
        self.due_s = time.monotonic() + request.timeout_s

    def run(self) -> None:
        """Do it."""
        outcome: Mapping[str, Any] | BaseException | None
        try:
            outcome = commands.handler_of(self._command)(self._request)
        except BaseException as error:  # noqa: BLE001 - a user's code may raise anything; it is told to who asked
            outcome = error
        self._answer(outcome)
        self._server.done(self)

    def give_up(self) -> None:
        """It takes too long: say so. It goes on."""
        cmd, timeout_s = self._request.cmd, self._request.timeout_s
        why = self._server.why_slow()
        self._answer(
            NotDone(
                f"{cmd} was asked for, and is not done within {timeout_s:.3g} s{': ' + why if why else ''} "
                f"(pid={os.getpid()}). It will be, if that ends."
            )
        )

    def _answer(self, outcome: Mapping[str, Any] | BaseException | None) -> None:
        with self._guard:
            first, self.answered = not self.answered, True
        if first:
            self._server.answer(self._request.fields, outcome)


def id_of(request: Mapping[str, Any]) -> str | int | None:
    """By which the asker knows its answer; what is none is not sent back."""
    found = request.get("id")
    if isinstance(found, str):
        return found if len(found) <= _MOST_ID else None
    return found if isinstance(found, int) else None


def timeout_of(request: Mapping[str, Any]) -> float:
    """How many seconds it may take: what who asks says, else TIMEOUT_S."""
    found = request.get("timeout_s")
    if not isinstance(found, (int, float)) or not 0 < found <= _LONGEST_S:
        return TIMEOUT_S
    return float(found)


def refuse_late(request: Mapping[str, Any]) -> None:
    """Who gave up asking while this process was stopped was told that nothing is done: so it must be."""
    expires_ns = request.get("expires_ns")
    if isinstance(expires_ns, int) and expires_ns < _native.now_ns():
        raise HorusError("It came too late: who asked waits no more, and nothing was done.")


def _told(error: BaseException) -> str:
    if isinstance(error, HorusError):
        return str(error)
    return f"{type(error).__name__}: {error}"
