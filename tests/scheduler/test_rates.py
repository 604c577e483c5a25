"""Rates: over a minute each node ticks at each of its releases; in real time none drifts."""

from __future__ import annotations

from fractions import Fraction

import pytest

import horus
from horus.testing import MockClock
from horus_core.scheduler import clock as clocks

SECOND = 1_000_000_000
RATES = {"slow": 30, "fast": 100}


def grid(rate, seconds):
    return [round(Fraction(k * SECOND, rate)) for k in range(rate * seconds)]


# spec: B8, E21
@pytest.mark.parametrize("options", [{}, {"rt": True}], ids=["best_effort", "rt"])
def test_over_a_minute_both_rates_are_exact(horus_namespace, options):
    """6000 ticks and 1800, each at base + k * period to the nanosecond, none skipped: no half rates."""
    at = {name: [] for name in RATES}
    clock = MockClock(autojump=not options)
    scheduler = horus.Scheduler(clock=clock)
    for name, rate in RATES.items():
        scheduler.add(
            horus.Node(name, tick=lambda name=name: at[name].append(clock.now_ns()), rate=rate, **options)
        )
    begin = clock.now_ns()
    if options:
        scheduler.start(60.0)
        clock.wait_for_sleepers(3)
        clock.advance(60.0)
        assert scheduler.join(30)
    else:
        scheduler.run(60.0)
    for name, rate in RATES.items():
        assert [now - begin for now in at[name]] == grid(rate, 60)
        stats = scheduler.get_node_stats(name)
        assert (stats["class"], stats["skipped_releases"]) == ("rt" if options else "best_effort", 0)


# spec: B8, E21
def test_30_and_100_hz_without_drift(horus_namespace):
    """Over 3 s of real time each tick is by exact arithmetic at its release, as an Rt and as an ordinary node."""
    began, first, last = {}, {}, {}
    off_grid = []

    def tick(node):
        entry = clocks.here().current
        base = began[node.name] = entry.base_ns
        index = round((entry.release_ns - base) * node.rate / SECOND)
        last[node.name] = index
        first.setdefault(node.name, entry.index - 1 - entry.skipped)
        if entry.release_ns != base + int(index * (SECOND / node.rate) + 0.5):
            off_grid.append((node.name, index))

    scheduler = horus.Scheduler()
    nodes = {f"{name}{suffix}": rate for name, rate in RATES.items() for suffix in ("", "_rt")}
    for name, rate in nodes.items():
        scheduler.add(horus.Node(name, tick=tick, rate=rate, rt="_rt" in name))
    scheduler.run(3.0)
    assert off_grid == []
    assert len(set(began.values())) == 1
    for name, rate in nodes.items():
        stats = scheduler.get_node_stats(name)
        counted = stats["total_ticks"] + stats["skipped_releases"]
        # The account of an Rt node opens when its thread is ready. Nobody counts what is due after the last tick,
        # which a busy machine may begin late.
        assert last[name] - first[name] < counted <= 3 * rate - first[name]
        assert "_rt" in name or first[name] == 0
