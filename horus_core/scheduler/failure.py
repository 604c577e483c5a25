"""What follows when a tick raises: on_error, or else the node's failure policy."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from horus_core.nodes import policy
from horus_core.nodes.state import NodeState
from horus_core.scheduler import lifecycle, output, safe_state
from horus_core.scheduler.entry import NEVER
from horus_core.scheduler.signals import CutShort

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_ERROR_AFTER = 10  # failures in a row that a node with on_error may have
_MAX_BACKOFF_S = 10.0
_NS = 1_000_000_000
_LOG_EVERY_S = 1.0


def ends_run(scheduler: Scheduler, entry: Entry, error: BaseException) -> bool:
    """Deal with what a tick raised; True when the run is over and must raise it."""
    if isinstance(error, CutShort):
        entry.journal.warning("tick() was cut short by a second signal")
        return False
    if entry.left_behind:  # its run is over
        entry.journal.error("the tick that was left behind has failed", exc=error)
        return False
    if not isinstance(error, Exception):
        return True
    if output.mute_if_closed(error):
        entry.journal.warning(
            "stdout or stderr was closed by its reader; what is printed is lost from now on"
        )
        return False
    _record(scheduler, entry, error)
    lifecycle.tell("horus_node_failed", entry, error=error)
    if entry.callbacks.on_error is not None:
        _tell(entry, entry.callbacks.on_error, error)
        return False
    return _apply_policy(scheduler, entry, error)


def _record(scheduler: Scheduler, entry: Entry, error: Exception) -> None:
    """Leave the traceback in the scheduler's record: of the first failure in a row, then once a second."""
    now_ns = time.monotonic_ns()
    if entry.failed_in_row == 1 or now_ns - entry.told_ns > _NS:
        entry.told_ns = now_ns
        scheduler.report.note("failure", "".join(traceback.format_exception(error)), entry)


def _tell(entry: Entry, on_error: Callable[[Exception], object], error: Exception) -> None:
    try:
        entry.run(on_error, error)
    except Exception as second:  # noqa: BLE001 - its __context__ is the first, so both are logged
        entry.journal.error("on_error() failed", _LOG_EVERY_S, exc=second)
    if entry.failed_in_row > _ERROR_AFTER and entry.info.state() is NodeState.RUNNING:
        entry.info.transition_to_error(
            f"{entry.failed_in_row} ticks in a row failed, the last with {type(error).__name__}: {error}"
        )


def _apply_policy(scheduler: Scheduler, entry: Entry, error: Exception) -> bool:
    chosen = entry.policy
    if isinstance(chosen, policy.Isolate):
        _isolate(scheduler, entry, error)
        return not scheduler.any_live()
    if isinstance(chosen, policy.Ignore):
        entry.journal.error("tick() failed", _LOG_EVERY_S, exc=error)
    elif isinstance(chosen, policy.Skip):
        _skip(scheduler, entry, error, chosen)
    elif isinstance(chosen, policy.Restart) and _may_restart(scheduler, entry, chosen):
        _restart(scheduler, entry, error, chosen)
    else:
        _crash(entry, error)
        return True
    return False


def _crash(entry: Entry, error: Exception) -> None:
    lifecycle.stop_robot(entry, error)  # first of all
    lifecycle.crash(entry, error)


def _skip(scheduler: Scheduler, entry: Entry, error: Exception, chosen: policy.Skip) -> None:
    entry.journal.error("tick() failed", _LOG_EVERY_S, exc=error)
    if entry.failed_in_row % chosen.max_failures == 0:  # not from zero: while it rests it is not healthy
        entry.journal.warning(
            f"rests for {chosen.cooldown:g} s after {entry.failed_in_row} failures in a row"
        )
        entry.rest_until(scheduler.clock.now_ns() + int(chosen.cooldown * _NS))


def _isolate(scheduler: Scheduler, entry: Entry, error: Exception) -> None:
    entry.journal.error("tick() failed; the node is isolated, the others go on", exc=error)
    _crash(entry, error)
    entry.next_ns = NEVER
    safe_state.enter(scheduler, entry, "isolated by its failure policy")
    lifecycle.stop(entry)


def _may_restart(scheduler: Scheduler, entry: Entry, chosen: policy.Restart) -> bool:
    if entry.restarts and scheduler.clock.now_ns() - entry.last_restart_ns > _MAX_BACKOFF_S * _NS:
        entry.restarts = 0
    return entry.restarts < chosen.max_retries


def _restart(scheduler: Scheduler, entry: Entry, error: Exception, chosen: policy.Restart) -> None:
    pause_s = min(chosen.backoff * 2**entry.restarts, _MAX_BACKOFF_S)
    entry.restarts += 1
    entry.count_restart()
    entry.journal.error(
        f"failed; restart {entry.restarts} of {chosen.max_retries} in {pause_s:g} s", exc=error
    )
    if entry.info.state() is not NodeState.INITIALIZING:  # else it was init() that failed
        entry.enter(NodeState.STOPPING)
        lifecycle.quietly(entry, "shutdown", entry.callbacks.shutdown)
    entry.enter(NodeState.STOPPED)
    entry.last_restart_ns = scheduler.clock.now_ns() + int(pause_s * _NS)
    entry.rest_until(entry.last_restart_ns)

    def come_back() -> None:
        lifecycle.initialise(entry)
        entry.divert(None)
        if not entry.on_demand:  # what went by while init() ran makes no tick late
            entry.rest_until(scheduler.clock.now_ns() + 1)

    # Until init() has succeeded, a release calls it instead of the tick, and counts no tick.
    entry.divert(come_back)
