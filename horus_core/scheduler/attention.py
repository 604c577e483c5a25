"""What a lane comes back to Python for, beside failures: the one place where it is decided what follows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.scheduler import lifecycle

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_NS = 1_000_000_000


def attend(scheduler: Scheduler, entry: Entry, reason: int) -> None:
    """Deal with what the last tick of a node brought about.

    Called on the thread that ticks the node, between two ticks, with `_native.LANE_MISSED` (it ended later than
    its release + deadline; `entry.missed_in_row` counts them) or `_native.LANE_RECOVERED` (`entry.recover_after`
    good ticks in a row since `entry.degraded` was set). What an exception is raised for ends the run.
    """
    if reason == _native.LANE_MISSED:
        lifecycle.tell("horus_node_missed", entry, in_row=entry.missed_in_row)
    if reason == _native.LANE_MISSED and _may_speak(entry):
        scheduler.note("miss", f"{entry.missed_in_row} in a row", entry)
        entry.journal.warning(
            f"missed its deadline of {entry.deadline_ns / 1e6:g} ms, {entry.missed_in_row} times in a row"
        )


def _may_speak(entry: Entry) -> bool:
    """At most once a second of real time: a node may miss a thousand times in it."""
    now_ns = time.monotonic_ns()
    if now_ns - entry.told_ns < _NS and entry.missed_in_row > 1:
        return False
    entry.told_ns = now_ns
    return True
