"""What a lane comes back to Python for, beside failures: the one place where it is decided what follows."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.scheduler import ladder, lifecycle, safe_state

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_NS = 1_000_000_000


def attend(scheduler: Scheduler, entry: Entry, reason: int) -> None:
    """Deal with what the last tick of a node brought about.

    Called on the thread that ticks the node, between two ticks, with `_native.LANE_MISSED` (it ended later than
    its release + deadline; `entry.missed_in_row` counts them), `_native.LANE_RETURNED` (it ended after the
    watchdog had called it hung) or `_native.LANE_RECOVERED` (`entry.recover_after` good ticks in a row since
    `entry.degraded` was set). What an exception is raised for ends the run.
    """
    if entry.left_behind:  # its run is over
        return
    if reason == _native.LANE_RECOVERED:
        ladder.descend(scheduler, entry)
        return
    if reason == _native.LANE_RETURNED:
        _returned(scheduler, entry)
    if entry.missed_in_row:
        _missed(scheduler, entry)


def _returned(scheduler: Scheduler, entry: Entry) -> None:
    if "estop" in entry.holds:
        entry.show_hold()
    scheduler.report.trouble = True
    if entry.ladder is not None:
        ladder.climb(scheduler, entry, entry.step + 1, "a tick hung")


def _missed(scheduler: Scheduler, entry: Entry) -> None:
    in_row, config = entry.missed_in_row, entry.config
    allowed = f"its deadline of {entry.deadline_ns / 1e6:g} ms"
    if config.on_miss == "skip":
        entry.skip(scheduler.clock.now_ns())
    elif config.on_miss == "safe_mode":
        _enter_safe_mode(scheduler, entry)
    elif config.on_miss == "stop":
        scheduler.emergency_stop(f"missed {allowed}", entry.node.name)
    if entry.ladder is not None:
        step = ladder.reached(entry.ladder, in_row)
        ladder.climb(scheduler, entry, step, f"{in_row} misses in a row")
    lifecycle.tell("horus_node_missed", entry, in_row=in_row)
    may_speak = _may_speak(entry)
    if may_speak or in_row == 1:
        scheduler.report.note("miss", f"{in_row} in a row", entry)
    if may_speak:
        # A line takes half a millisecond, or as long as stderr likes: on a real-time thread the next miss.
        with suppress(Exception):
            scheduler.later(partial(entry.journal.warning, f"missed {allowed}, {in_row} times in a row"))


def _enter_safe_mode(scheduler: Scheduler, entry: Entry) -> None:
    if entry.safe_mode:
        return
    entry.safe_mode = True
    entry.degraded = 1
    entry.good_in_row = 0
    safe_state.enter(scheduler, entry, "it missed its deadline")


def _may_speak(entry: Entry) -> bool:
    """At most once a second of real time: a node may miss a thousand times in it."""
    now_ns = time.monotonic_ns()
    if now_ns - entry.told_ns < _NS:
        return False
    entry.told_ns = now_ns
    return True
