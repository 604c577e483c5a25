"""HORUS: what the scheduler costs, beside bare calls and a plain loop that keeps the same account."""

from __future__ import annotations

import time
from itertools import pairwise, repeat
from time import perf_counter_ns, process_time_ns
from typing import Any

import loops
import protocol

import horus
from horus_core._native import FlightReader

LIMITLESS = 1e9  # Hz: no release is ever waited for


def nothing() -> None:
    """The empty tick."""


def _calls(times: int) -> None:
    for _ in repeat(None, times):
        nothing()


def bare(count: int, burst: int) -> dict[str, Any]:
    """What the call of an empty function takes, the loop around it included."""
    return loops.measure(_calls, count, burst)


class PlainLoop:
    """What a loop in Python does that knows how often it called, how long it took, and when it is due."""

    def __init__(self) -> None:
        self.ticks = self.total_ns = self.max_ns = self.next_ns = 0
        self.min_ns = 1 << 62

    def __call__(self, times: int) -> None:
        now = perf_counter_ns
        tick = nothing
        for _ in repeat(None, times):
            begin = now()
            if begin < self.next_ns:
                continue
            self.next_ns = begin
            try:
                tick()
            finally:
                spent = now() - begin
                self.ticks += 1
                self.total_ns += spent
                self.min_ns = min(self.min_ns, spent)
                self.max_ns = max(self.max_ns, spent)


def plain(count: int, burst: int) -> dict[str, Any]:
    """A tick of that loop."""
    return loops.measure(PlainLoop(), count, burst)


def _scheduler(nodes: int, rate: float, tick: Any = nothing, **options: Any) -> horus.Scheduler:
    scheduler = horus.Scheduler()
    for number in range(nodes):
        scheduler.add(horus.Node(f"n{number}", tick=tick, rate=rate, **options))
    return scheduler


def _ticks(scheduler: horus.Scheduler) -> int:
    return sum(int(scheduler.get_node_stats(name)["total_ticks"]) for name in scheduler.get_node_names())


def _limitless(nodes: int, init: Any) -> horus.Scheduler:
    """Node() takes 1e6 Hz at most; here nothing but the scheduler's work is to pass between two ticks."""
    scheduler = horus.Scheduler()
    for number in range(nodes):
        node = horus.Node(f"n{number}", tick=nothing, init=init if number == 0 else None, rate=1e6)
        node._horus.rate = LIMITLESS  # noqa: SLF001
        scheduler.add(node)
    return scheduler


def tick(nodes: int, count: int, burst: int, seconds: float) -> dict[str, Any]:
    """Nanoseconds from the start of a tick to that of the next, when some node is always due.

    The scheduler's record says when the last 16,384 ticks began; each of the `count` runs gives so many.
    """
    readers: list[FlightReader] = []

    def open_record() -> None:
        path = scheduler.report.record.path
        assert path is not None
        readers[:] = [FlightReader(path)]

    scheduler = _limitless(nodes, open_record)
    bursts: list[float] = []
    singles: list[float] = []
    for _ in range(count):
        scheduler.run(seconds)
        starts = [one[3] for one in readers[0].ticks()]
        singles += [float(after - before) for before, after in pairwise(starts)]
        bursts += [(after - before) / burst for before, after in pairwise(starts[::burst])]
    return loops.summary(bursts, singles)


def unthrottled(seconds: float) -> dict[str, Any]:
    """Ticks a second of one empty node that asks for 1 MHz."""
    scheduler = _scheduler(1, 1e6)
    begin = process_time_ns()
    scheduler.run(seconds)
    given = (process_time_ns() - begin) / 1e9
    rate = _ticks(scheduler) / seconds
    return {"p50": rate, "by_cpu_time": _ticks(scheduler) / given}


def idle(nodes: int, rate: float, seconds: float) -> dict[str, Any]:
    """Percent of a core that a process with so many nodes uses, from its first tick on."""
    seen: list[tuple[int, int]] = []
    scheduler = _scheduler(nodes, rate)
    probe = horus.Node("probe", tick=lambda: seen.append((process_time_ns(), perf_counter_ns())), rate=rate)
    scheduler.add(probe)
    scheduler.run(seconds)
    (cpu, wall), (cpu_end, wall_end) = seen[1], seen[-1]
    percent = 100 * (cpu_end - cpu) / (wall_end - wall)
    return {"p50": percent, "ticks": _ticks(scheduler)}


def stopping(nodes: int, shutdown_s: float) -> dict[str, Any]:
    """From request_stop() to the return of run(), less what the nodes' shutdown() took."""
    taken: list[int] = []
    asked: list[int] = []

    def shutdown() -> None:
        begin = perf_counter_ns()
        time.sleep(shutdown_s)
        taken.append(perf_counter_ns() - begin)

    scheduler = _scheduler(nodes, 10, shutdown=shutdown, pubs="status")

    def stop() -> None:
        asked.append(perf_counter_ns())
        scheduler.request_stop()

    scheduler.add(horus.Node("stopper", tick=stop, rate=10))
    scheduler.run()
    besides = perf_counter_ns() - asked[0] - sum(taken)
    return {"p50": besides, "shut_down": len(taken)}


protocol.serve(bare=bare, plain=plain, tick=tick, unthrottled=unthrottled, idle=idle, stopping=stopping)
