"""When nodes tick: releases, order, lateness. All on a simulated clock, so every number is exact."""

from __future__ import annotations

import pytest

from horus_core.nodes.node import Node
from horus_core.scheduler.entry import Entry
from horus_core.scheduler.scheduler import Scheduler


def run(clock, *nodes, duration, **options):
    scheduler = Scheduler(clock=clock, **options)
    for node in nodes:
        scheduler.add(node)
    scheduler.run(duration)
    return scheduler


@pytest.mark.parametrize("rate", [0.5, 3, 7, 10, 30, 100, 333.3, 1000])
def test_no_drift(clock, rate):
    """After a minute every rate has ticked exactly as often as it promises, and the last is in its place."""
    node = Node("n", tick=lambda: starts.append(clock.t - clock.start), rate=rate)
    starts = []
    run(clock, node, duration=60)
    assert len(starts) == -(-60 * rate // 1)
    assert starts[-1] == round((len(starts) - 1) * 1e9 / rate)


def test_rates_of_one_scheduler_are_independent(clock):
    """30 Hz and 100 Hz in one scheduler are both exact over a minute."""
    a, b = Node("a", tick=lambda: None, rate=30), Node("b", tick=lambda: None, rate=100)
    scheduler = run(clock, a, b, duration=60)
    assert scheduler.get_node_stats("a")["total_ticks"] == 1800
    assert scheduler.get_node_stats("b")["total_ticks"] == 6000
    assert scheduler.get_node_stats("a")["skipped_releases"] == 0


# spec: A41, B8
def test_order_of_those_due_together(clock):
    """Nodes due together tick by `order`, lower first, and as added where it is equal."""
    seen = []
    nodes = [
        Node(name, tick=lambda node: seen.append((clock.t, node.name)), rate=10, order=order)
        for name, order in (("actuator", 3), ("b", 2), ("c", 2), ("sensor", -1))
    ]
    run(clock, *nodes, duration=1)
    assert len(seen) == 40
    for i in range(0, 40, 4):
        assert [name for _, name in seen[i : i + 4]] == ["sensor", "b", "c", "actuator"]
        assert len({t for t, _ in seen[i : i + 4]}) == 1


def test_harmonic_rates_share_releases(clock):
    """A 10 Hz node is released with every third tick of a 30 Hz node, to the nanosecond and in order."""
    seen = []
    fast = Node("fast", tick=lambda: seen.append((clock.t, "fast")), rate=30, order=2)
    slow = Node("slow", tick=lambda: seen.append((clock.t, "slow")), rate=10, order=1)
    run(clock, fast, slow, duration=60)
    slow_at = [i for i, (_, name) in enumerate(seen) if name == "slow"]
    assert len(slow_at) == 600
    assert all(seen[i + 1] == (seen[i][0], "fast") for i in slow_at)


# spec: F14
def test_late_node_skips_and_never_bursts(clock):
    """One tick of 1 s at 100 Hz costs the releases that went by; the next are on the grid, one tick each."""
    starts = []

    def tick():
        starts.append(clock.ms)
        if len(starts) == 10:
            clock.spend(1.0)

    scheduler = run(clock, Node("n", tick=tick, rate=100), duration=2)
    assert starts[9] == 90
    assert starts[10] == 1090
    assert starts[10:13] == [1090, 1100, 1110]
    stats = scheduler.get_node_stats("n")
    assert stats["skipped_releases"] == 99
    assert stats["total_ticks"] + stats["skipped_releases"] == 200


# spec: F14
def test_equal_rates_stay_together_when_late(clock):
    """Whatever a slow node does, nodes of its rate tick as often as it does, in order, in the same pass."""
    seen = []

    def slow():
        seen.append("slow")
        clock.spend(0.013 if len(seen) % 3 else 0.05)

    first = Node("slow", tick=slow, rate=100, order=1)
    second = Node("other", tick=lambda: seen.append("other"), rate=100, order=2)
    scheduler = run(clock, first, second, duration=5)
    assert seen == ["slow", "other"] * (len(seen) // 2)
    a, b = scheduler.get_node_stats("slow"), scheduler.get_node_stats("other")
    assert a["total_ticks"] == b["total_ticks"]
    assert a["skipped_releases"] == b["skipped_releases"] > 0


def test_overloaded_node_lets_others_tick(clock):
    """A node that needs more than its period is always due, and still no other node of any order starves."""
    other = Node("other", tick=lambda: None, rate=10, order=200)
    greedy = Node("greedy", tick=lambda: clock.spend(0.003), rate=1000, order=0)
    scheduler = run(clock, greedy, other, duration=10)
    assert scheduler.get_node_stats("other")["total_ticks"] == 100
    assert scheduler.get_node_stats("greedy")["skipped_releases"] > 6000


def test_first_tick_is_at_once_and_end_is_exclusive(clock):
    """Ticks fall on 0, 1/rate, ... below the duration."""
    starts = []
    run(clock, Node("n", tick=lambda: starts.append(clock.ms), rate=10), duration=0.3)
    assert starts == [0, 100, 200]


def test_tick_rate_is_default_and_cap(clock):
    """tick_rate is the rate of nodes without one and the cap of all."""
    nodes = [
        Node("default", tick=lambda: None),
        Node("thirty", tick=lambda: None, rate=float("30")),
        Node("fast", tick=lambda: None, rate=1000),
    ]
    scheduler = run(clock, *nodes, duration=1, tick_rate=50)
    counts = {name: scheduler.get_node_stats(name)["total_ticks"] for name in scheduler.get_node_names()}
    assert counts == {"default": 50, "thirty": 30, "fast": 50}


def test_default_rate_is_thirty(clock):
    """Without tick_rate, a node that was given no rate ticks at 30 Hz."""
    node = Node("n", tick=lambda: None)
    assert node.rate == 30
    assert run(clock, node, duration=1).get_node_stats("n")["total_ticks"] == 30


def test_rest_keeps_the_grid():
    """After a rest the next release is the first of the old grid that is not before its end."""
    entry = Entry(Node("n", tick=lambda: None, rate=10), None)
    entry.plan(5)
    entry.rest_until(250_000_000)
    assert entry.next_ns == 300_000_005
    entry.rest_until(300_000_005)
    assert entry.next_ns == 300_000_005


def test_releases_are_exact_after_a_year():
    """After a year at 30 Hz a release is less than a microsecond from where it belongs."""
    entry = Entry(Node("n", tick=lambda: None, rate=30), None)
    year_s = 365 * 24 * 3600
    entry.begin(year_s * 10**9)
    assert entry.index == year_s * 30 + 1
    assert abs(entry.next_ns - (year_s * 10**9 + 33_333_333)) < 1000
