"""The ladder: what misses in a row, and ticks that hung, lead to step by step, and the way back.

warn (a line in the log) -> slow (half the rate) -> isolated (safe state, one tick a second to try); a critical
node that is isolated stops the robot. 100 good ticks lead one step back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.nodes.state import NodeState
from horus_core.scheduler import safe_state
from horus_core.scheduler.health import FINE, HEALTH, ISOLATED, SLOW

if TYPE_CHECKING:
    from horus_core.nodes.policy import Ladder
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_NS = 1_000_000_000
_PROBE_HZ = 1.0
_DEGRADED = 2  # HORUS_ROW_DEGRADED


def reached(ladder: Ladder, in_row: int) -> int:
    """The step that so many misses in a row lead to."""
    thresholds = (ladder.warn, ladder.slow, ladder.isolate)
    return sum(in_row >= threshold for threshold in thresholds)


def climb(scheduler: Scheduler, entry: Entry, step: int, why: str) -> None:
    """Take all steps up to that one, if it is not there already."""
    while entry.step < min(step, ISOLATED):
        _take(scheduler, entry, entry.step + 1, why)


def descend(scheduler: Scheduler, entry: Entry) -> None:
    """The node has recovered: one step back, and out of its safe mode."""
    if entry.safe_mode or entry.step == ISOLATED:
        entry.safe_mode = False
        if "estop" not in entry.holds:
            safe_state.leave(entry)
    if entry.step == FINE:
        entry.degraded = 0
        scheduler.report.note("recovery", "left its safe mode", entry, FINE)
        return
    _set(entry, entry.step - 1)
    if entry.step < SLOW:
        entry.pace = 0.0
    if entry.step == SLOW and entry.info.state() is NodeState.ERROR:
        entry.enter(NodeState.RUNNING)
    entry.degraded = int(entry.step > FINE)
    apply_rate(scheduler, entry)
    text = f"has recovered: {HEALTH[entry.step]} now, at {entry.rate:g} Hz"
    scheduler.report.note("recovery", text, entry, entry.step)
    _say(entry, text)


def apply_rate(scheduler: Scheduler, entry: Entry) -> None:
    """The rate that the node ticks at on its step."""
    factor = 2 if entry.step >= SLOW else 1
    rate = (entry.pace or entry.nominal_rate) / factor
    if entry.step == ISOLATED:
        rate = min(rate, _PROBE_HZ)
    if rate != entry.rate:
        entry.set_rate(rate, scheduler.clock.now_ns())


def _take(scheduler: Scheduler, entry: Entry, step: int, why: str) -> None:
    _set(entry, step)
    entry.degraded = 1
    entry.good_in_row = 0
    if step == SLOW and entry.on_demand:  # its rate is that of the messages
        entry.pace = _NS / max(1, entry.started_ns - entry.previous_ns)
    apply_rate(scheduler, entry)
    text = f"{HEALTH[step]}: {why}" + (f"; ticks at {entry.rate:g} Hz" if step >= SLOW else "")
    scheduler.report.note("ladder", text, entry, step)
    if step == ISOLATED:
        if entry.info.state() is NodeState.RUNNING:
            entry.enter(NodeState.ERROR)
        safe_state.enter(scheduler, entry, "isolated by its ladder")
        if entry.config.critical:
            scheduler.emergency_stop(f"critical node isolated: {why}", entry.node.name)
    _say(entry, text)


def _set(entry: Entry, step: int) -> None:
    entry.step = step
    entry.node._horus_ladder = step  # noqa: SLF001 - the scheduler's share of its node
    entry.flag(_DEGRADED, on=step > FINE)


def _say(entry: Entry, text: str) -> None:
    with suppress(Exception):  # a log that fails must not keep a node from being isolated
        entry.journal.warning(text)
