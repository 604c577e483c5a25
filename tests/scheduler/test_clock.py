"""horus.now, dt, elapsed, tick and Rate."""

from __future__ import annotations

import math
import threading
import time

import pytest

from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler import clock as clocks
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler


# spec: F29
def test_now_is_the_machines_monotonic_clock():
    """now_ns() is CLOCK_MONOTONIC, now() the same in seconds."""
    before = time.monotonic_ns()
    assert before <= clocks.now_ns() <= time.monotonic_ns()
    assert before / 1e9 <= clocks.now() <= time.monotonic()


# spec: F29
def test_inside_a_tick_time_is_the_schedulers(clock):
    """now, elapsed, dt and tick follow the scheduler's clock."""
    seen = []

    def tick():
        seen.append((clocks.now_ns(), round(clocks.elapsed(), 6), round(clocks.dt(), 6), clocks.tick()))
        clock.spend(0.15 if len(seen) == 2 else 0)

    run(Node("n", tick=tick, rate=10), duration=0.5, clock=clock)
    second = 1_000_000_000
    assert seen == [
        (second, 0.0, 0.1, 0),
        (second + 100_000_000, 0.1, 0.1, 1),
        (second + 250_000_000, 0.25, 0.15, 2),
        (second + 300_000_000, 0.3, 0.05, 3),
        (second + 400_000_000, 0.4, 0.1, 4),
    ]


# spec: F29
def test_budget_remaining_counts_down(clock):
    """From the budget to 0.0 as the tick goes on; a budget that is changed counts; without one it is inf."""
    seen = []

    def tick():
        seen.append(clocks.budget_remaining())
        clock.spend(0.002)
        seen.append(clocks.budget_remaining())
        clock.spend(0.002)
        seen.append(clocks.budget_remaining())

    with Scheduler(clock=clock) as scheduler:
        scheduler.add(Node("n", tick=tick, budget=0.003))
        scheduler.tick_once()
        scheduler.set_tick_budget("n", 0.01)
        scheduler.tick_once()
        scheduler.set_tick_budget("n", None)
        scheduler.tick_once()
    assert seen == [0.003, 0.001, 0.0, 0.01, 0.008, 0.006, math.inf, math.inf, math.inf]


def test_outside_a_tick_they_say_so():
    """dt() and its like outside a callback are errors; some in init too; elapsed() in init is 0."""
    for function in (clocks.dt, clocks.elapsed, clocks.tick, clocks.budget_remaining, clocks.rng_float):
        with pytest.raises(NodeError, match="expected a call inside"):
            function()
    seen = []

    def init():
        seen.append(clocks.elapsed())
        for function in (clocks.dt, clocks.budget_remaining):
            with pytest.raises(NodeError):
                function()

    run(Node("n", init=init, tick=lambda: None), duration=0)
    assert seen == [0.0]


def test_rate_keeps_a_loop_and_skips_what_is_past():
    """Rate.sleep() ends on its grid; after a long round it skips rounds instead of catching up."""
    rate = clocks.Rate(100)
    first = rate._next_ns
    rate.sleep()
    assert time.monotonic_ns() >= first
    time.sleep(0.035)
    now = time.monotonic_ns()
    rate.sleep()
    assert (rate._next_ns - first) % 10_000_000 == 0
    assert rate._next_ns > now
    with pytest.raises(ConfigError):
        clocks.Rate(0)


def test_rate_lets_go_of_the_interpreter(until):
    """While one thread sleeps in Rate.sleep(), others run Python code."""
    rate = clocks.Rate(0.01)
    sleeper = threading.Thread(target=rate.sleep)
    sleeper.start()
    ends = time.monotonic() + 0.05
    rounds = 0
    while time.monotonic() < ends:
        rounds += 1
    assert rounds > 0
    assert sleeper.is_alive(), "all of these rounds went by beside the sleep"
    rate._alarm.ring()
    sleeper.join(20)


def test_rate_inside_a_tick_is_refused():
    """Rate.sleep() in a callback would hold up all nodes: an error that names the way to do it."""
    rate = clocks.Rate(100)
    with pytest.raises(NodeError, match="Node\\(rate="):
        run(Node("n", tick=rate.sleep), duration=0)
