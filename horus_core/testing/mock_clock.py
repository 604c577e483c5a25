"""A clock that a test moves."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Any

from horus_core.abc import Clock
from horus_core.errors import ConfigError, HorusTimeoutError
from horus_core.scheduler import clock as clocks
from horus_core.scheduler.simulated import START_NS, Moments

if TYPE_CHECKING:
    from horus_core._native import Alarm

_NS = 1_000_000_000
_PATIENCE_S = 30.0
_HINT_AFTER_NS = 2 * _NS
_log = logging.getLogger("horus")
_GLANCE_NS = 20_000_000  # a nudge between a look at the time and the sleep is lost


class MockClock(Clock):
    """Time that passes when a test says so: `Scheduler(clock=MockClock())`.

    advance() goes from one release to the next, as real time would: nodes of a scheduler that runs in the background
    tick at each on the way. In a tick it makes that tick take time. With `autojump` a scheduler that sleeps
    moves the clock itself, so that run() and tick_for() need no second thread; nodes with threads of their own,
    which would sleep on it together, are refused by run(). Nodes with on= wake when a message comes, in real time:
    advance() does not wait for them.
    """

    def __init__(self, start: float = START_NS / _NS, *, autojump: bool = False) -> None:
        """Begin at `start` seconds."""
        self._now_ns = _nanoseconds(start)
        self._autojump = self.moved_by_sleepers = autojump
        self._moments = Moments(self._now_ns)
        self._moved = threading.Condition()
        self._hinted = False
        self._sleepers: dict[int, tuple[int, Alarm]] = {}  # by thread: until when, on what

    def now_ns(self) -> int:
        """What the test has made of it."""
        return self._now_ns

    def now(self) -> float:
        """The same in seconds."""
        return self._now_ns / _NS

    def when(self, machine_ns: int) -> int:
        """What this clock said when the machine's said that."""
        return self._moments.when(machine_ns)

    def sleep_until(self, deadline_ns: int, alarm: Alarm) -> bool:
        """Sleep until the test has moved the clock there; True when the alarm rang."""
        if self._autojump:
            with self._moved:
                self._move_to(deadline_ns)
            return alarm.rung
        me = threading.get_ident()
        with self._moved:
            self._sleepers[me] = (deadline_ns, alarm)
            self._moved.notify_all()
        began_ns, hint_ns = self._now_ns, time.monotonic_ns() + _HINT_AFTER_NS
        try:
            while self._now_ns < deadline_ns and not alarm.rung:
                alarm.wait_until(time.monotonic_ns() + _GLANCE_NS)
                if self._now_ns == began_ns and time.monotonic_ns() > hint_ns:
                    self._hint(deadline_ns)
        finally:
            with self._moved:
                del self._sleepers[me]
                self._moved.notify_all()
        return alarm.rung

    def advance(self, seconds: float) -> None:
        """Let time pass, and return when every scheduler that slept has done what was due, and sleeps again.

        Raises HorusTimeoutError when one does not sleep again within 30 s of real time.
        """
        end_ns = self._now_ns + _nanoseconds(seconds)
        with self._moved:
            while True:
                due_ns = min((until for until, _ in self._sleepers.values()), default=end_ns)
                self._move_to(min(due_ns, end_ns))
                self._wait_for_those_due()
                if self._now_ns >= end_ns and not self._due():
                    return

    def wait_for_sleepers(self, count: int = 1) -> None:
        """Return when so many threads sleep: what was started in the background is ready for advance()."""
        with self._moved:
            if not self._moved.wait_for(lambda: len(self._sleepers) >= count, _PATIENCE_S):
                raise HorusTimeoutError(
                    f"Waiting for sleepers failed: expected {count}, got {len(self._sleepers)} within "
                    f"{_PATIENCE_S:g} s. Start the scheduler with this clock."
                )

    def _hint(self, deadline_ns: int) -> None:
        """Once: run() on a test's only thread would sleep for ever without a word."""
        if self._hinted:
            return
        self._hinted = True
        _log.warning(
            "A scheduler sleeps until %g s on a MockClock that nobody has moved for %g s. Call advance() from "
            "another thread, or let it move by itself: MockClock(autojump=True).",
            deadline_ns / _NS,
            _HINT_AFTER_NS / _NS,
        )

    def _move_to(self, now_ns: int) -> None:
        if now_ns > self._now_ns:
            self._now_ns = now_ns
            self._moments.note(now_ns)

    def _due(self) -> set[int]:
        return {thread for thread, (until, _) in self._sleepers.items() if until <= self._now_ns}

    def _wait_for_those_due(self) -> None:
        """Wake them; each wakes, ticks and sleeps again, or ends."""
        woken = self._due()
        for thread in woken:
            self._sleepers[thread][1].nudge()
        patience_ends = time.monotonic() + _PATIENCE_S
        while not all(map(self._is_at_rest, woken)):
            self._moved.wait(_GLANCE_NS / _NS)  # the end of a run is told to nobody
            if time.monotonic() > patience_ends:
                raise HorusTimeoutError(
                    f"Advancing the clock failed: expected the nodes that were due to end their ticks, got one that "
                    f"still runs after {_PATIENCE_S:g} s. Find out what it waits for."
                )

    def _is_at_rest(self, thread: int) -> bool:
        until, _ = self._sleepers.get(thread, (0, None))
        return until > self._now_ns or not clocks.runs_on(thread)


def _nanoseconds(seconds: Any) -> int:
    if not (isinstance(seconds, (int, float)) and 0 <= seconds < math.inf):
        raise ConfigError(f"Bad time: expected seconds of at least 0, got {seconds!r}.")
    return round(seconds * _NS)
