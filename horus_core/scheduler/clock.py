"""Time: the scheduler's clock, and what user code asks for (horus.now, dt, elapsed, Rate).

The machine's clock is CLOCK_MONOTONIC, the same for all processes of the machine; its zero is when it booted.
Inside a scheduler's callbacks these functions follow that scheduler's clock.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.abc import Clock
from horus_core.errors import NodeError
from horus_core.nodes import options

if TYPE_CHECKING:
    from horus_core._native import Alarm
    from horus_core.scheduler.loop import Loop

_NS = 1e9

# Which loop runs on which thread, so that functions without arguments find theirs.
_by_thread: dict[int, Loop] = {}


class MonotonicClock(Clock):
    """The machine's clock."""

    now_ns = staticmethod(time.monotonic_ns)

    def when(self, machine_ns: int) -> int:
        """The same."""
        return machine_ns

    def sleep_until(self, deadline_ns: int, alarm: Alarm) -> bool:
        """Sleep without the GIL to the absolute deadline; True when the alarm rang."""
        return alarm.wait_until(deadline_ns)


def enter(loop: Loop) -> None:
    """The loop runs on this thread from now on."""
    if threading.get_ident() in _by_thread:
        raise NodeError(
            "Running a scheduler failed: expected a thread that runs none, got the inside of another's "
            "callback. Add the nodes to that scheduler, or run this one on a thread of its own."
        )
    _by_thread[threading.get_ident()] = loop


def leave() -> None:
    """No loop runs on this thread any more."""
    del _by_thread[threading.get_ident()]


def here() -> Loop | None:
    """The loop that runs on this thread."""
    return _by_thread.get(threading.get_ident())


def runs_on(thread: int) -> bool:
    """Whether a loop runs on that thread (threading.get_ident)."""
    return thread in _by_thread


def alone() -> bool:
    """Whether no other scheduler runs in this process."""
    return len({loop.scheduler for loop in list(_by_thread.values())}) == 1


def now_ns() -> int:
    """The time in nanoseconds."""
    loop = _by_thread.get(threading.get_ident())
    return time.monotonic_ns() if loop is None else loop.scheduler.clock.now_ns()


def when(machine_ns: int) -> int:
    """What now_ns() said here when the machine's clock said that."""
    loop = _by_thread.get(threading.get_ident())
    return machine_ns if loop is None else loop.scheduler.clock.when(machine_ns)


def stands_still() -> bool:
    """Whether time passes between ticks only: whoever waits here for another node waits in vain."""
    loop = _by_thread.get(threading.get_ident())
    return loop is not None and loop.scheduler.deterministic


def now() -> float:
    """The time in seconds."""
    return now_ns() / _NS


def elapsed() -> float:
    """Seconds since the nodes of this scheduler began to tick; 0.0 in init()."""
    scheduler = _running("elapsed").scheduler
    started_ns = scheduler.started_ns
    return (scheduler.clock.now_ns() - started_ns) / _NS if started_ns is not None else 0.0


def dt() -> float:
    """Seconds between the start of this tick and of the node's previous one; a period in the first tick."""
    entry = _running("dt").current
    if entry is None or not entry.started_ns:
        raise NodeError("horus.dt() failed: expected a call inside tick(), got one outside.")
    return (entry.started_ns - entry.previous_ns) / _NS


def budget_remaining() -> float:
    """Seconds left of this tick's budget, 0.0 when it is used up; inf for a node without one."""
    loop = _running("budget_remaining")
    entry = loop.current
    if entry is None or not entry.started_ns:
        raise NodeError("horus.budget_remaining() failed: expected a call inside tick(), got one outside.")
    budget_ns = entry.config.budget_ns
    if not budget_ns:
        return math.inf
    return max(0, entry.started_ns + budget_ns - loop.scheduler.clock.now_ns()) / _NS


def rng_float() -> float:
    """A random number from 0.0 up to 1.0, from a sequence of the calling node's own.

    It depends on the scheduler's seed, the node's name and how many were drawn in this run, and on nothing else.
    """
    loop = _running("rng_float")
    entry = loop.current
    if entry is None:
        raise NodeError("horus.rng_float() failed: expected a call inside a callback, got one outside.")
    if entry.random is None:
        from random import Random  # noqa: PLC0415 - most nodes leave nothing to chance

        # Text seeds by a hash that is the same in all processes (random.seed, version 2).
        seed = loop.scheduler.seed
        entry.random = Random(None if seed is None else f"{seed} {entry.node.name}")  # noqa: S311 - to be foretold
    return entry.random.random()


def tick() -> int:
    """How many ticks the calling node has finished: 0 in its first."""
    entry = _running("tick").current
    if entry is None:
        raise NodeError("horus.tick() failed: expected a call inside a callback, got one outside.")
    return entry.ticks


class Rate:
    """Keeps a loop of one's own at a rate: `rate = horus.Rate(50)`, then `rate.sleep()` in each round."""

    def __init__(self, hz: float) -> None:
        self._period_ns = round(_NS / options.rate(hz, "Rate"))
        self._next_ns = time.monotonic_ns() + self._period_ns
        self._alarm = _native.Alarm()  # never rung: for its sleep, which ends at an absolute time

    def sleep(self) -> None:
        """Sleep to the next round. Rounds that are past are skipped, never made up for in a burst."""
        if threading.get_ident() in _by_thread:
            raise NodeError(
                "Rate.sleep() failed: expected a loop of its own, got a node's callback, where it would "
                "hold up all nodes. Give the node that rate: Node(rate=...)."
            )
        self._alarm.wait_until(self._next_ns)
        late_ns = time.monotonic_ns() - self._next_ns
        self._next_ns += self._period_ns * (1 + late_ns // self._period_ns)


def _running(function: str) -> Loop:
    loop = _by_thread.get(threading.get_ident())
    if loop is None:
        raise NodeError(
            f"horus.{function}() failed: expected a call inside a node's callback, got one outside."
        )
    return loop
