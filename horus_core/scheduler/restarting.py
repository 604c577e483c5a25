"""Restarting a node because somebody asks for it: shutdown() and init() again, where it ticks, between two ticks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from horus_core.control import commands
from horus_core.errors import NodeError
from horus_core.nodes.state import NodeState
from horus_core.scheduler import ladder, lifecycle

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler


def restart(scheduler: Scheduler, entry: Entry, timeout_s: float) -> None:
    """Restart it, and wait until that is done. What its init() raises is dealt with as a tick's, and raised here.

    A node that was isolated, or did not come back, starts anew. Raises NodeError for one that is paused or held by an
    emergency stop, and when its tick does not end in time: it restarts then.
    """
    _refuse(scheduler, entry)
    if not entry.live:
        scheduler.start_again(entry)
        return
    one = _Restart(scheduler, entry)
    entry.divert(one)
    entry.rest_until(scheduler.clock.now_ns() + 1)
    scheduler.tell(entry)
    if not one.done.wait(timeout_s):
        raise commands.NotDone(
            f"Restarting node {entry.node.name!r} is asked for, and not done within {timeout_s:.3g} s: its tick has "
            f"not ended, or the thread that ticks it is in another one's. It restarts when that ends."
        )
    if one.error is not None:
        raise one.error


def _refuse(scheduler: Scheduler, entry: Entry) -> None:
    name = entry.node.name
    if not scheduler.is_running() or scheduler.is_stopping():
        raise NodeError(f"Restarting node {name!r} failed: expected a running scheduler, got one that stops.")
    for why, remedy in (("pause", "Resume it first."), ("estop", "`horus estop --release` first.")):
        if why in entry.holds:
            held = "a paused one" if why == "pause" else "one that an emergency stop holds"
            raise NodeError(f"Restarting node {name!r} failed: expected one that ticks, got {held}. {remedy}")


class _Restart:
    """What a node's next release calls instead of its tick."""

    def __init__(self, scheduler: Scheduler, entry: Entry) -> None:
        self._scheduler = scheduler
        self._entry = entry
        self.done = threading.Event()
        self.error: BaseException | None = None

    def __call__(self) -> None:
        entry = self._entry
        entry.divert(None)
        try:
            if entry.info.state() not in (NodeState.INITIALIZING, NodeState.STOPPED):
                entry.enter(NodeState.STOPPING)
                lifecycle.quietly(entry, "shutdown", entry.callbacks.shutdown)
            entry.forgive()
            entry.count_restart()
            lifecycle.initialise(entry)
            while entry.step or entry.safe_mode:
                ladder.descend(self._scheduler, entry)
            if not entry.on_demand:  # what went by while init() ran makes no tick late
                entry.rest_until(self._scheduler.clock.now_ns() + 1)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.done.set()
