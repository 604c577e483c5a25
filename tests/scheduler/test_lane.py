"""Lane and Run: passes over the nodes of a thread, and what it comes back to Python for."""

from __future__ import annotations

import threading
import time

import pytest

from horus_core import _native
from horus_core.nodes.node import Node
from horus_core.scheduler.entry import NEVER, Entry

MS = 1_000_000


@pytest.fixture
def alarm():
    return _native.Alarm()


def entry_of(name, tick, rate=10, order=100, base_ns=0):
    entry = Entry(Node(name, tick=tick, rate=rate, order=order), None)
    entry.plan(base_ns)
    return entry


def lane_of(*entries, clock=None):
    lane = _native.Lane(clock)
    for entry in entries:
        lane.add(entry)
    return lane


def test_due_ones_tick_in_order():
    """run_due() ticks what is due at that time, by order and then as added, and nothing else."""
    seen = []
    names = [("b", 2, 0), ("a", 1, 0), ("c", 2, 0), ("later", 0, 5 * MS)]
    lane = lane_of(
        *(entry_of(name, lambda n=name: seen.append(n), 10, order, at) for name, order, at in names)
    )
    assert [entry.node.name for entry in lane.runs] == ["later", "a", "b", "c"]
    assert lane.run_due(0) == _native.LANE_DONE
    assert seen == ["a", "b", "c"]
    assert lane.next_ns == 5 * MS
    assert lane.run_due(5 * MS) == _native.LANE_DONE
    assert seen == ["a", "b", "c", "later"]


def test_an_exception_leaves_the_rest_of_the_pass_to_the_next_call():
    """What a tick raises comes out as it is, with its Run as subject; then the pass goes on where it was."""
    seen = []
    error = ValueError("bad reading")

    def fail():
        raise error

    bad = entry_of("bad", fail)
    lane = lane_of(entry_of("first", lambda: seen.append(1)), bad, entry_of("last", lambda: seen.append(3)))
    with pytest.raises(ValueError) as caught:
        lane.run_due(0)
    assert caught.value is error
    assert lane.subject is bad
    assert seen == [1]
    assert lane.run_due(0) == _native.LANE_DONE
    assert lane.subject is None
    assert seen == [1, 3]
    assert bad.node._horus_failed == bad.failed_in_row == 1


def test_a_dropped_pass_is_forgotten():
    """drop_pass() leaves out who had not ticked yet."""
    seen = []

    def fail():
        raise ValueError

    lane = lane_of(entry_of("bad", fail), entry_of("last", lambda: seen.append(1)))
    with pytest.raises(ValueError):
        lane.run_due(0)
    lane.drop_pass()
    assert lane.run_due(-1) == _native.LANE_DONE
    assert seen == []


# spec: F14
def test_a_miss_is_told_with_its_run():
    """A tick that ends later than release + deadline is a miss; the late start counts; one in time is none."""
    now = [0]
    late = entry_of("late", lambda: now.__setitem__(0, now[0] + 3 * MS), base_ns=0)
    late.deadline_ns = 5 * MS
    lane = lane_of(late, clock=lambda: now[0])
    assert lane.run_due(0) == _native.LANE_DONE  # the first has 10 times as long
    now[0] = 101 * MS
    assert lane.run_due(now[0]) == _native.LANE_DONE
    now[0] = 203 * MS  # 3 ms late, then 3 ms of work
    assert lane.run_due(now[0]) == _native.LANE_MISSED
    assert lane.subject is late
    assert (late.missed, late.missed_in_row, late.good_in_row) == (1, 1, 0)
    assert lane.run_due(now[0]) == _native.LANE_DONE  # the end of that pass
    now[0] = 300 * MS
    assert lane.run_due(now[0]) == _native.LANE_DONE
    assert (late.missed, late.missed_in_row, late.good_in_row) == (1, 0, 1)


def test_a_tick_that_fails_and_misses_is_told_twice():
    """The exception first, then the miss, each with its Run."""
    now = [0]

    def tick():
        now[0] += 100 * MS
        raise ValueError

    both = entry_of("both", tick)
    both.deadline_ns = 1 * MS
    lane = lane_of(both, clock=lambda: now[0])
    with pytest.raises(ValueError):
        lane.run_due(0)
    assert lane.run_due(0) == _native.LANE_MISSED
    assert lane.subject is both
    assert lane.run_due(0) == _native.LANE_DONE


def test_a_recovery_is_told_after_enough_good_ticks():
    """While degraded, every recover_after good ticks are told; a failure begins the count anew."""
    reasons = []
    fails = {4}

    def tick():
        if len(reasons) in fails:
            raise ValueError

    entry = entry_of("n", tick, rate=1000)
    entry.degraded = 1
    entry.recover_after = 3
    lane = lane_of(entry)
    for turn in range(10):
        try:
            reasons.append(lane.run_due(turn * MS))
        except ValueError:
            reasons.append("failed")
        if reasons[-1] != _native.LANE_DONE:
            assert lane.run_due(turn * MS) == _native.LANE_DONE
    told = [i for i, reason in enumerate(reasons) if reason == _native.LANE_RECOVERED]
    assert told == [2, 7]
    entry.degraded = 0
    assert all(lane.run_due((20 + turn) * MS) == _native.LANE_DONE for turn in range(10))


def test_run_ends_with_the_time_and_with_the_alarm(alarm):
    """run() returns TIME_UP not before the time, and RUNG as soon as the alarm rings, from another thread too."""
    seen = []
    entry = entry_of("n", lambda: seen.append(time.monotonic_ns()), rate=1000)
    start = time.monotonic_ns()
    entry.plan(start)
    lane = lane_of(entry)
    assert lane.run(alarm, start + 20 * MS) == _native.LANE_TIME_UP
    assert time.monotonic_ns() >= start + 20 * MS
    assert all(one >= start for one in seen)
    entry.rest_until(NEVER)
    ringer = threading.Thread(target=alarm.ring)
    ringer.start()
    assert lane.run(alarm, NEVER) == _native.LANE_RUNG
    ringer.join(20)
    assert lane.run(alarm, NEVER) == _native.LANE_RUNG


def test_others_have_the_gil_while_a_lane_never_sleeps(alarm):
    """A lane without a moment's rest, of ticks that never run Python code, does not shut other threads out."""
    entry = Entry(Node("n", tick=[].copy, rate=1e6), None)
    entry.plan(0)
    lane = lane_of(entry)
    ringer = threading.Thread(target=alarm.ring)
    ringer.start()
    assert lane.run(alarm, NEVER) == _native.LANE_RUNG
    ringer.join(20)


def test_nodes_come_and_go_while_it_runs(alarm, until):
    """add() and remove() from another thread wake the lane, and count from the next pass on."""
    seen = []
    idle = entry_of("idle", lambda: None, rate=0.001)
    idle.plan(time.monotonic_ns() + 1000 * 10**9)
    lane = lane_of(idle)
    thread = threading.Thread(target=lane.run, args=(alarm, NEVER))
    thread.start()
    try:
        added = entry_of("added", lambda: seen.append(1), rate=1000, base_ns=time.monotonic_ns())
        lane.add(added)
        until(lambda: len(seen) > 3)
        lane.remove(added)
        until(lambda: lane.current is None)
        count = len(seen)
        assert lane.runs == (idle,)
        idle.next_ns = time.monotonic_ns()
        lane.nudge()
        until(lambda: idle.ticks == 1)
        assert len(seen) <= count + 1
    finally:
        alarm.ring()
        thread.join(20)


def test_a_run_that_is_removed_in_a_pass_ticks_no_more_in_it():
    """A node that removes the next one is obeyed at once."""
    seen = []
    second = entry_of("second", lambda: seen.append(2))
    lane = lane_of(entry_of("first", lambda: lane.remove(second)), second)
    assert lane.run_due(0) == _native.LANE_DONE
    assert seen == []


def test_bad_use_is_refused(alarm):
    """Not inside its own tick, not twice in a lane, not what is no Run."""
    entry = entry_of("n", lambda: lane.run_due(0))
    lane = lane_of(entry)
    with pytest.raises(RuntimeError, match="inside its own ticks"):
        lane.run_due(0)
    with pytest.raises(ValueError, match="already"):
        lane.add(entry)
    with pytest.raises(TypeError):
        lane.add(3)
    with pytest.raises(TypeError):
        lane.run(None, 0)
    with pytest.raises(ValueError, match="not in this Lane"):
        lane.remove(entry_of("m", print))
    with pytest.raises(TypeError):
        _native.Run(3, print, 10.0)
    with pytest.raises(ValueError):
        entry.deadline_ns = -1


def test_another_rate_keeps_the_grid():
    """set_rate() goes on at the first release of the new grid that is not past: equal rates meet again."""
    entry = entry_of("n", lambda: None, rate=10)
    lane = lane_of(entry)
    for turn in range(4):
        lane.run_due(turn * 100 * MS)
    entry.set_rate(20, 320 * MS)
    assert entry.next_ns == 350 * MS
    assert entry.rate == 20
    entry.set_rate(5, 360 * MS)
    assert entry.next_ns == 400 * MS


def test_skip_leaves_one_out_and_counts_it():
    """skip() passes over the next release."""
    entry = entry_of("n", lambda: None, rate=10)
    entry.skip(0)
    assert entry.next_ns == 100 * MS
    assert entry.skipped == 1


def test_skip_leaves_out_what_went_by_and_one_more():
    """Nothing is due after skip(): what was, is left out with the next tick."""
    entry = entry_of("n", lambda: None, rate=10)
    entry.skip(350 * MS)
    assert entry.next_ns == 400 * MS
    assert entry.skipped == 4


def test_a_run_without_a_lane_counts_the_same():
    """begin() and tick() on any thread, or count() of a tick that ran elsewhere, keep the same account."""
    now = time.monotonic_ns()
    entry = entry_of("n", lambda: None, base_ns=now)
    entry.deadline_ns = 20 * MS
    entry.begin(now)
    assert entry.tick() == _native.LANE_DONE
    entry.begin(entry.next_ns)
    start = entry.release_ns + 2 * MS
    assert entry.count(start, start + 30 * MS, True, 77) == _native.LANE_MISSED
    node = entry.node
    assert (node._horus_ticks, node._horus_failed, node._horus_missed) == (2, 1, 1)
    assert node._horus_last_ns == 30 * MS
