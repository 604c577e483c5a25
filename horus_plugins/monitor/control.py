"""Asking running schedulers and launchers over their control topics (horus_core/control/commands.py).

Always over shared memory, whatever HORUS_BACKEND says.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from horus_core import _native
from horus_core.backends.shm import Shm
from horus_core.control import commands, flights
from horus_core.control.server import CAPACITY
from horus_core.errors import HorusError, HorusTimeoutError, NodeError
from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces
from horus_core.shm import process
from horus_core.topics.topic import Topic
from horus_plugins.monitor import answerers

if TYPE_CHECKING:
    from collections.abc import Callable

_GRACE_S = 0.25  # the other side says by then that it is not done in time
_LOOK_EVERY_S = 0.1  # whether who is asked lives
_HANGS_S = 1.0
_NODE = "horus-ask"


class RefusalError(NodeError):
    """Who was asked has answered, and refuses."""

    def __init__(self, said: str, answer: dict[str, Any] | None = None) -> None:
        super().__init__(said)
        self.answer = answer or {}


def ask(namespace: str, scheduler: str, cmd: str, *, timeout_s: float = 2.0, **fields: Any) -> dict[str, Any]:
    """Ask the scheduler of that unique name (that of its record), and return its answer.

    Raises:
        NodeError: nobody of that name runs, it ended before it answered, or it refuses: with its words.
        HorusTimeoutError: it does not answer in time, or what was asked for is not done: with what is known of why.
    """
    path = flights.folder(namespace) / f"{scheduler}{flights.SUFFIX}"
    pid = _pid_of(namespace, scheduler, path)
    who = _Asked(
        f"scheduler {scheduler!r}",
        pid,
        lives=lambda: _is_alive(namespace, path),
        why_silent=lambda: _why_silent(pid, path),
    )
    return _ask(namespace, scheduler, who, cmd, fields, timeout_s)


def ask_process(
    namespace: str, process_name: str, pid: int, cmd: str, /, *, timeout_s: float = 2.0, **fields: Any
) -> dict[str, Any]:
    """Ask a process without a scheduler, by the name under which it answers; raises what `ask` raises."""
    who = _Asked(
        f"process {process_name!r}",
        pid,
        lives=lambda: answerers.is_alive(namespace, process_name),
        why_silent=lambda: _state_of(pid),
    )
    return _ask(namespace, process_name, who, cmd, fields, timeout_s)


class _Asked(NamedTuple):
    """Who is asked, and how it is looked at from outside."""

    what: str
    pid: int
    lives: Callable[[], bool]
    why_silent: Callable[[], str]


def _ask(
    namespace: str, name: str, who: _Asked, cmd: str, fields: dict[str, Any], timeout_s: float
) -> dict[str, Any]:
    def gone() -> str | None:
        if who.lives():
            return None
        return (
            f"Asking {who.what} failed: expected an answer to {cmd}, got the end of its process or run "
            f"(namespace={namespace!r}, pid={who.pid})."
        )

    line = _Line(namespace, commands.topic_of(name))
    answer = line.ask(cmd, fields, timeout_s, gone)
    if answer is None:
        raise HorusTimeoutError(
            f"Asking {who.what} failed: expected an answer to {cmd} within {timeout_s:.3g} s, got none "
            f"(namespace={namespace!r}, pid={who.pid}). {who.why_silent()} Nothing was done."
        )
    return _good(answer)


def ask_topic(
    namespace: str, topic: str, cmd: str, *, timeout_s: float = 2.0, pid: int | None = None, **fields: Any
) -> dict[str, Any]:
    """Ask whoever answers on that topic, a launcher for one; `pid`, if known, is looked at when nobody does.

    Raises what `ask` raises.
    """
    answer = _Line(namespace, topic).ask(cmd, fields, timeout_s, lambda: None)
    if answer is None:
        why = "Nobody listens there, or who does hangs." if pid is None else _state_of(pid)
        raise HorusTimeoutError(
            f"Asking on {topic!r} failed: expected an answer to {cmd} within {timeout_s:.3g} s, got none "
            f"(namespace={namespace!r}). {why} Nothing was done."
        )
    return _good(answer)


def _good(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is True:
        return answer
    said = str(answer.get("error", "it failed, and does not say why"))
    if answer.get("pending"):
        raise HorusTimeoutError(said)
    raise RefusalError(said, answer)


class _Line(Topic):
    """A handle over the shared memory of a namespace that need not be this process's own."""

    def __init__(self, namespace: str, topic: str) -> None:
        self._shm = Shm(namespace)
        super().__init__(topic, dict, capacity=CAPACITY, _node=_NODE, _framework=True)

    def _enter_namespace(self) -> None:
        from horus_core.messages import codec  # noqa: PLC0415

        self._backend = self._shm
        self._member = self._backend.member()
        self._enter(self._member, codec.encode, codec.decode, codec.apart)

    def ask(
        self, cmd: str, fields: dict[str, Any], timeout_s: float, gone: Callable[[], str | None]
    ) -> dict[str, Any] | None:
        """Send the question and wait for its answer; None when none comes. Closes the handle."""
        asked = f"{os.getpid()}-{uuid4().hex}"
        with self, _Line(self._shm.namespace, commands.reply_topic(self.name)) as replies:
            replies.has_msg()  # a subscriber before anybody answers
            request = {
                "cmd": cmd,
                **fields,
                "id": asked,
                "timeout_s": timeout_s,
                "expires_ns": _native.now_ns() + round((timeout_s + _GRACE_S) * 1e9),
                "from": f"{Path(sys.argv[0]).name} (pid {os.getpid()})",
            }
            if not self.send(request):
                raise HorusError(f"Asking on {self.name!r} failed: the topic took nothing. Try again.")
            return _answer_to(asked, replies, time.monotonic() + timeout_s + _GRACE_S, gone)


def _answer_to(
    asked: str, replies: Topic, until_s: float, gone: Callable[[], str | None]
) -> dict[str, Any] | None:
    ended: str | None = None
    while True:
        for answer in replies.recv_all():
            if isinstance(answer, dict) and answer.get("id") == asked:
                return answer
        if ended is not None:  # and had nothing to say
            raise NodeError(ended)
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return None
        if not replies.wait(min(left_s, _LOOK_EVERY_S)):
            ended = gone()


def _pid_of(namespace: str, scheduler: str, path: Path) -> int:
    """The process of a living scheduler; raises NodeError when there is none of that name."""
    try:
        header = _native.FlightReader(path).header()
    except FileNotFoundError:
        raise NodeError(_nobody(namespace, scheduler)) from None
    if not _is_alive(namespace, path):
        how = "has ended" if header["ended_ns"] else "was killed"
        raise NodeError(
            f"Asking scheduler {scheduler!r} failed: expected one that runs, got one whose run {how} "
            f"(namespace={namespace!r}, pid={header['pid']}). `horus blackbox {scheduler}` tells what it did last."
        )
    return int(header["pid"])


def _nobody(namespace: str, scheduler: str) -> str:
    names = [path.name.removesuffix(flights.SUFFIX) for path in flights.listed(namespace)]
    hint = nearest(scheduler, names).strip() or f"Is it in another namespace? Set {namespaces.VARIABLE}."
    listed = ", ".join(names) or "none"
    return (
        f"Asking scheduler {scheduler!r} failed: expected one of {listed}, got {scheduler!r} "
        f"(namespace={namespace!r}). {hint}"
    )


def _is_alive(namespace: str, path: Path) -> bool:
    try:
        header = _native.FlightReader(path).header()
    except (OSError, HorusError):
        return False
    return flights.is_alive(header, process.member(namespace))


def _why_silent(pid: int, path: Path) -> str:
    """What keeps a living process from answering, as far as can be seen from outside."""
    state = _state_of(pid)
    hangs = _hanging(path)
    return f"{state} {hangs}" if hangs else state


def _state_of(pid: int) -> str:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return f"Process {pid} cannot be seen from here (it ended, or runs in another container)."
    if state in "Tt":
        return f"Process {pid} is stopped (SIGSTOP, Ctrl+Z, or a debugger). `kill -CONT {pid}` lets it go on."
    if state in "ZX":
        return f"Process {pid} has ended."
    return f"Process {pid} lives, and does not get round to it. `kill -TERM {pid}` asks it to stop, -KILL ends it."


def _hanging(path: Path) -> str:
    try:
        rows = _native.FlightReader(path).rows()
    except (OSError, HorusError):
        return ""
    now_ns = _native.now_ns()
    names = [
        f"{row['name']} ({(now_ns - row['started_ns']) / 1e9:.1f} s)"
        for row in rows
        if row.get("started_ns") and now_ns - row["started_ns"] > _HANGS_S * 1e9
    ]
    return f"In a tick that does not end: {', '.join(names)}." if names else ""
