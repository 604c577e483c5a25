"""Asking a running session from another process: to stop, to restart a node, to go over to another plan."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from horus_core.errors import HorusTimeoutError, NodeError, RegionError
from horus_plugins.launch import manifest
from horus_plugins.monitor import control

if TYPE_CHECKING:
    from horus_plugins.launch.file.plan import Plan
    from horus_plugins.launch.manifest import Session

_POLL_S = 0.02


class Reloaded(msgspec.Struct):
    """What a session changed, by the names of its nodes."""

    session: str
    started: list[str]
    stopped: list[str]
    restarted: list[str]


def stop(session: Session, *, timeout_s: float = 30.0) -> None:
    """Stop the session and wait until nothing of it is left.

    Raises HorusTimeoutError when its launcher does not answer, or is not done in time.
    """
    deadline = time.monotonic() + timeout_s
    try:
        _ask(session, "StopSession", min(2.0, timeout_s))
    except (NodeError, HorusTimeoutError):
        if is_running(session):
            raise
    except RegionError:
        # Shared memory takes no question any more, full as it is. A signal asks for the same, and needs no room.
        if is_running(session):
            with suppress(ProcessLookupError):
                os.kill(session.pid, signal.SIGTERM)
    while is_running(session):
        if time.monotonic() >= deadline:
            raise HorusTimeoutError(
                f"Stopping session {session.session!r} failed: expected its end within {timeout_s:g} s, got one that "
                f"still stops (namespace={session.namespace!r}, pid={session.pid}). "
                f"`horus launch --status` tells what is left."
            )
        time.sleep(_POLL_S)


def restart(session: Session, node: str, *, timeout_s: float = 2.0) -> str | None:
    """Have the session stop a node's process, if it lives, and start it again; returns when it has begun.

    One that was never started waits for what it depends on, now as before: what that is, in words, else None.
    """
    answer = _ask(session, "RestartProcess", timeout_s, node=node)
    return str(answer.get("waiting_for", "")) if answer.get("waiting") else None


def reload(session: Session, plan: Plan, *, timeout_s: float = 5.0) -> Reloaded:
    """Have the session go over to a changed plan; returns when it has begun."""
    answer = _ask(session, "Reload", timeout_s, plan=msgspec.json.encode(plan).decode())
    return msgspec.convert({**answer, "session": session.session}, Reloaded)


def is_running(session: Session) -> bool:
    """Whether that very session is still there: its launcher lives and has not ended it."""
    for now in manifest.sessions(session.namespace):
        if now.session == session.session:
            return now.alive and now.run_id == session.run_id
    return False


def _ask(session: Session, cmd: str, timeout_s: float, **fields: str) -> dict[str, object]:
    return control.ask_topic(
        session.namespace, session.control_topic, cmd, timeout_s=timeout_s, pid=session.pid, **fields
    )
