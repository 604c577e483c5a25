"""A node's safe state: entered once, and said to be entered only when enter_safe_state() has returned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from horus_core.scheduler import lifecycle

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_FLAG = 4  # HORUS_ROW_SAFE_STATE


def enter(scheduler: Scheduler, entry: Entry, why: str, *, anew: bool = False) -> None:
    """Call the node's enter_safe_state(), unless that was done and it was not left since.

    `anew`: also when it has ticked since, as a node does that missed its deadline or is isolated.
    """
    if not entry.claim_safe_state(anew=anew):
        return
    entry.flag(_FLAG, on=False)
    callback = entry.callbacks.enter_safe_state
    returned = lifecycle.quietly(entry, "enter_safe_state", callback)
    entry.safe_state = "entered" if returned else "failed"
    if callback is not None and returned:
        entry.node._horus_safe_state_ns = time.monotonic_ns()  # noqa: SLF001 - the scheduler's share of its node
        entry.flag(_FLAG)
    said = "no enter_safe_state() to call" if callback is None else "entered" if returned else "failed"
    scheduler.report.note("note", f"safe state: {said}; {why}", entry)


def leave(entry: Entry) -> None:
    """What it was entered for is over; it will be entered anew when it must be."""
    entry.safe_state = ""
    entry.flag(_FLAG, on=False)
