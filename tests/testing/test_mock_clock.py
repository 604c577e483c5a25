"""horus.testing.MockClock: time that a test moves."""

from __future__ import annotations

import threading

import pytest

import horus
from horus.testing import MockClock
from horus_core.errors import ConfigError, HorusTimeoutError
from horus_core.testing import mock_clock


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def clock():
    return MockClock()


# spec: F31
def test_a_scheduler_in_the_background_ticks_at_each_release_on_the_way(clock):
    """advance(1.0) is ten ticks of a 10 Hz node, at their times, and all are done when it returns."""
    seen = []
    with horus.Scheduler(clock=clock) as scheduler:
        scheduler.add(horus.Node("n", tick=lambda: seen.append(round(horus.now(), 9)), rate=10))
        scheduler.start()
        clock.wait_for_sleepers()
        assert seen == [1.0]
        clock.advance(0.05)
        assert seen == [1.0]
        clock.advance(0.95)
        assert seen == [1.0 + k / 10 for k in range(11)]
        assert clock.now() == 2.0


def test_threads_of_several_nodes_keep_step(clock):
    """Each thread has done what was due before time goes on."""
    seen = []
    with horus.Scheduler(clock=clock) as scheduler:
        for name, rate in (("a", 10), ("b", 4)):
            tick = lambda name=name: seen.append((name, round(horus.elapsed(), 9)))  # noqa: E731
            scheduler.add(horus.Node(name, tick=tick, rate=rate, rt=True))
        scheduler.start()
        clock.wait_for_sleepers(3)
        clock.advance(0.5)
    assert sorted(seen) == [("a", k / 10) for k in range(6)] + [("b", k / 4) for k in range(3)]
    assert [at for _, at in seen] == sorted(at for _, at in seen)


def test_a_tick_takes_as_long_as_it_says(clock):
    """advance() inside a tick lets a deadline be missed, without any sleep."""
    with horus.Scheduler(clock=clock) as scheduler:
        slow = horus.Node("slow", tick=lambda: clock.advance(0.2), rate=1, deadline=0.01)
        scheduler.add(slow)
        scheduler.tick_once()
        scheduler.tick_once()
        assert scheduler.get_node_stats("slow")["missed_deadlines"] == 2  # the first has ten times as long


def test_with_autojump_a_run_needs_no_other_thread():
    """run() for a minute returns at once, all ticks done."""
    clock = MockClock(5, autojump=True)
    ticks = []
    horus.run(horus.Node("n", tick=lambda: ticks.append(horus.tick()), rate=30), duration=60, clock=clock)
    assert len(ticks) == 1800
    assert clock.now() == 65.0


def test_messages_age_with_it(clock):
    """is_stale() and age() inside callbacks follow the clock."""
    stale = []

    def tick(node):
        if horus.tick() == 0:
            node.send("reading", {})
        stale.append(node.is_stale("reading", 1.0))

    with horus.Scheduler(clock=clock) as scheduler:
        scheduler.add(horus.Node("n", tick=tick))
        for _ in range(3):
            scheduler.tick_once()
            clock.advance(0.75)
    assert stale == [False, False, True]


def test_the_end_of_a_run_is_no_reason_to_wait(clock):
    """advance() returns when a run has ended on the way, though its thread lives on."""
    ended, go_on = threading.Event(), threading.Event()

    def work():
        horus.run(horus.Node("n", tick=lambda: None, rate=10), duration=0.5, clock=clock)
        ended.set()
        go_on.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    clock.wait_for_sleepers()
    clock.advance(2.0)
    assert ended.wait(20)
    go_on.set()
    thread.join()
    assert clock.now() == 3.0


def test_waiting_in_vain_is_told(clock, monkeypatch):
    """Nobody sleeps, or a tick never ends: an error that says what to look for; no bad times."""
    monkeypatch.setattr(mock_clock, "_PATIENCE_S", 0.05)
    with pytest.raises(HorusTimeoutError, match="expected 1, got 0"):
        clock.wait_for_sleepers()
    release = threading.Event()
    with horus.Scheduler(clock=clock) as scheduler:
        scheduler.add(horus.Node("n", tick=lambda: horus.tick() and release.wait(20), rate=10))
        scheduler.start()
        monkeypatch.setattr(mock_clock, "_PATIENCE_S", 20)
        clock.wait_for_sleepers()
        monkeypatch.setattr(mock_clock, "_PATIENCE_S", 0.05)
        with pytest.raises(HorusTimeoutError, match="still runs"):
            clock.advance(0.1)
        release.set()
    for wrong in (-1, float("nan"), "1"):
        with pytest.raises(ConfigError, match="Bad time"):
            clock.advance(wrong)


# spec: F31
def test_a_sleep_that_nobody_ends_is_told(monkeypatch, caplog, until):
    """run() with a clock that nobody moves says once what it waits for; where somebody does, nothing is said."""
    monkeypatch.setattr(mock_clock, "_HINT_AFTER_NS", 50_000_000)
    clock = MockClock()
    scheduler = horus.Scheduler(clock=clock).add(horus.Node("n", tick=lambda: None, rate=1))
    with scheduler:
        scheduler.start()
        until(lambda: caplog.messages)
        assert "MockClock that nobody has moved" in caplog.text
        clock.advance(3.0)
    assert len(caplog.messages) == 1
