"""The loop over nodes on one thread: a Lane, and what follows when a tick fails, misses or recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from horus_core import _native
from horus_core.scheduler import attention, clock, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core._native import Alarm
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_T = TypeVar("_T")


class Loop:
    """Ticks nodes in order, each at its own rate, on the thread that calls it."""

    def __init__(self, scheduler: Scheduler, alarm: Alarm) -> None:
        """Sleep on `alarm`; once it has rung, no tick begins."""
        self.scheduler = scheduler
        self.alarm = alarm
        self._natively = type(scheduler.clock) is clock.MonotonicClock
        self.lane = _native.Lane(None if self._natively else scheduler.clock.now_ns)
        self._calling: Entry | None = None
        self.settle: Callable[[int], bool] | None = None
        """Called when all that was due has ticked: whether it has made more due in the same instant."""

    @property
    def current(self) -> Entry | None:
        """The node of which a callback is under way on this thread."""
        return self._calling or self.lane.current

    def run_until(self, until_ns: int) -> int:
        """Tick until that time, or until the alarm rings; the time.

        Raises what ends the run (failure.ends_run).
        """
        return self._run_natively(until_ns) if self._natively else self._run_by_clock(until_ns)

    def run_due(self, now_ns: int) -> None:
        """Tick the nodes that are due, in order."""
        lane = self.lane
        while True:
            try:
                reason = lane.run_due(now_ns)
            except BaseException as error:
                if self._ends_run(error):
                    raise
                continue
            if reason != _native.LANE_DONE:
                self._attend(reason)
            elif self.settle is None or self.alarm.rung or not self.settle(now_ns):
                return

    def on_behalf(self, entry: Entry, deal: Callable[..., _T], *arguments: Any) -> _T:
        """Call what deals with a node; callbacks that it calls have this node as the current one."""
        outer, self._calling = self._calling, entry
        try:
            return deal(*arguments)
        finally:
            self._calling = outer

    def _run_natively(self, until_ns: int) -> int:
        lane, alarm = self.lane, self.alarm
        while True:
            try:
                reason = lane.run(alarm, until_ns)
            except BaseException as error:
                if self._ends_run(error):
                    raise
                continue
            if reason >= _native.LANE_MISSED:
                self._attend(reason)
            elif reason == _native.LANE_TIME_UP or alarm.rung:
                return self.scheduler.clock.now_ns()

    def _run_by_clock(self, until_ns: int) -> int:
        clock, lane = self.scheduler.clock, self.lane
        while not self.alarm.rung:
            now_ns = clock.now_ns()
            if now_ns >= until_ns:
                return now_ns
            self.run_due(now_ns)
            wake_ns = min(lane.next_ns, until_ns)
            if wake_ns > clock.now_ns():
                clock.sleep_until(wake_ns, self.alarm)
        return clock.now_ns()

    def _ends_run(self, error: BaseException) -> bool:
        entry = self.lane.subject
        return entry is None or self.on_behalf(entry, failure.ends_run, self.scheduler, entry, error)

    def _attend(self, reason: int) -> None:
        entry = self.lane.subject
        assert entry is not None
        self.on_behalf(entry, attention.attend, self.scheduler, entry, reason)
