"""What a scheduler is asked over its control topic, `horus.ctl.{name}`: see horus_core/control/commands.py."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.control import commands, server
from horus_core.errors import NodeError
from horus_core.scheduler import restarting

if TYPE_CHECKING:
    from horus_core.control.commands import Request
    from horus_core.control.flights import Record
    from horus_core.control.server import Server
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_STEP_S = 0.002
_SHARE = 0.8  # of the time that the asker waits, for a tick to end
_PATIENCE_S = 3.0  # at most
_NS = 1e9


def listen(scheduler: Scheduler, record: Record) -> Server | None:
    """Answer for the scheduler, as long as it runs; None for a run that others do not see."""
    if record.name is None:
        return None
    return server.Server(
        commands.topic_of(record.name),
        commands.scheduler,
        scheduler,
        why_slow=scheduler.busy_with,
        scheduler=record.name,
    )


def ping(request: Request) -> dict[str, Any]:
    """Who is here."""
    scheduler: Scheduler = request.target
    return {
        "name": scheduler.name,
        "horus": _native.VERSION,
        "nodes": scheduler.get_node_names(),
        "stopping": scheduler.is_stopping(),
    }


def stop_node(request: Request) -> dict[str, Any]:
    """Remove a node, with its shutdown(). The run ends with the last one.

    One whose tick does not end stays, unless `force` says to leave it behind: its thread goes on. That takes the
    patience of the run (5 s), for which its own thread does nothing else.
    """
    scheduler, entry = _addressed(request)
    if not request.flag("force"):
        _await_tick(entry, request)
    scheduler.report.note("note", f"is to be removed{_by(request)}", entry)
    _log(entry, "is to be removed", request)
    scheduler.remove_node(entry.node.name)
    if scheduler.has_node(entry.node.name):
        raise commands.NotDone(
            f"Removing node {entry.node.name!r} is asked for: its program ticks by hand, and does it with its next "
            f"step."
        )
    return {
        "node": entry.node.name,
        "left_behind": entry.left_behind,
        "last": not scheduler.get_node_names(),
    }


def pause_node(request: Request) -> dict[str, Any]:
    """Let a node tick no more until it is resumed."""
    scheduler, entry = _addressed(request)
    already = "pause" in entry.holds
    if not already:
        _log(entry, "is to pause", request)
    scheduler.pause(entry.node.name)
    return _stands(entry) | {"already": already}


def resume_node(request: Request) -> dict[str, Any]:
    """Let it tick again."""
    scheduler, entry = _addressed(request)
    already = "pause" not in entry.holds
    if not already:
        _log(entry, "is to go on", request)
    scheduler.resume(entry.node.name)
    return _stands(entry) | {"already": already}


def restart_node(request: Request) -> dict[str, Any]:
    """Call its shutdown() and init() again, between two ticks."""
    scheduler, entry = _addressed(request)
    _log(entry, "is to restart", request)
    restarting.restart(scheduler, entry, _SHARE * request.timeout_s)
    return _stands(entry)


def set_node_rate(request: Request) -> dict[str, Any]:
    """Another rate, in Hz."""
    scheduler, entry = _addressed(request)
    scheduler.set_node_rate(entry.node.name, request.number("rate"))
    return _stands(entry) | {"rate": entry.nominal_rate}


def graceful_shutdown(request: Request) -> dict[str, Any]:
    """End the run: current ticks finish, all nodes shut down.

    `cleaned` says that who asks cleans shared memory once all have ended: of many that end at once each would look
    at all that the others have left.
    """
    scheduler: Scheduler = request.target
    already = scheduler.is_stopping()
    if request.flag("cleaned"):
        scheduler.leave_cleaning()
    scheduler.report.note("note", f"the run is ended{_by(request)}")
    scheduler.request_stop()
    return {"already": already, "nodes": scheduler.get_node_names()}


def _addressed(request: Request) -> tuple[Scheduler, Entry]:
    scheduler: Scheduler = request.target
    return scheduler, scheduler.entry(request.text("node"))


def _await_tick(entry: Entry, request: Request) -> None:
    """Wait for the end of the tick that is under way: nobody else is to wait for one that hangs."""
    node, begun_ns = entry.node, entry.node._horus_started_ns  # noqa: SLF001
    until_s = time.monotonic() + min(_PATIENCE_S, _SHARE * request.timeout_s)
    while begun_ns and node._horus_started_ns == begun_ns:  # noqa: SLF001
        if time.monotonic() >= until_s:
            since_s = (_native.now_ns() - begun_ns) / _NS
            raise NodeError(
                f"{request.cmd} failed: expected the tick of node {node.name!r} to end, got one that has run for "
                f"{since_s:.1f} s (class {entry.exec_class}, pid={os.getpid()}). It was not removed. Ask again, "
                f"or with force; to end it for sure, end its process."
            )
        time.sleep(_STEP_S)


def _log(entry: Entry, what: str, request: Request) -> None:
    """Said before it is done: of a node that hangs nobody knows when that will be."""
    entry.journal.write(logging.INFO, f"{what}, as was asked{_by(request)}")


def _stands(entry: Entry) -> dict[str, Any]:
    return {"node": entry.node.name, "state": entry.info.state().value}


def _by(request: Request) -> str:
    """Who asked, where that was said."""
    who = request.fields.get("from")
    return f", by {who[:64]!r}" if isinstance(who, str) and who else ""


commands.register("Ping", ping)
commands.register("StopNode", stop_node, slow=True)
commands.register("PauseNode", pause_node)
commands.register("ResumeNode", resume_node)
commands.register("RestartNode", restart_node, slow=True)
commands.register("SetNodeRate", set_node_rate)
commands.register("GracefulShutdown", graceful_shutdown)
