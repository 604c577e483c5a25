"""The calls of the scheduler's native part: rows, records, runs, lanes, the watchdog."""

from __future__ import annotations

import os
import time

import leak_stage
from leak_meter import Entries

from horus_core import _native

ENTRIES = Entries()
call = ENTRIES.call
MS = 1_000_000


def _fails(call_it, *arguments):
    try:
        call_it(*arguments)
    except Exception:  # noqa: BLE001 - that it fails is what is wanted
        pass
    else:
        raise AssertionError(call_it)


def _bad():
    raise ValueError("bad reading")


async def _coroutine():
    """Not what a tick should be."""


class _Cyclic(_native.Run):
    """As Entry has it: attributes of Python's own."""


def _record(stage):
    """A flight in a file of its own."""
    fd = os.memfd_create("flight")
    os.ftruncate(fd, _native.flight_size(rows=4, ticks=64, events=16))
    try:
        return fd, _native.Flight(fd, name="robot", ident=stage.member.ident, rows=4, ticks=64, events=16)
    except BaseException:
        os.close(fd)
        raise


@call("flight_size", "Flight()", "Flight.event", "Flight.end", "Flight.size", "Flight.ended",
      "FlightReader()", "FlightReader.header", "FlightReader.rows", "FlightReader.ticks", "FlightReader.events",
      "NodeBase._horus_attach", "NodeBase._horus_detach")  # fmt: skip
def a_record_is_written_and_read(stage):
    fd, flight = _record(stage)
    reader = _native.FlightReader(fd)
    os.close(fd)
    node = leak_stage.Node()
    row = node._horus_attach(flight, "camera")
    node._horus_state = 2
    flight.event("failure", "x" * 700, row, 3)
    flight.event("note", b"\xff")
    run = _native.Run(node, int, 100.0)
    run.begin(1)
    run.tick()
    assert reader.header()["name"] == "robot"
    assert reader.rows()[0]["ticks"] == 1
    assert len(reader.ticks()) == 1
    assert [event["kind"] for event in reader.events(0)] == ["state", "failure", "note"]
    node._horus_detach(True)
    assert reader.rows()[0]["gone"]
    flight.end()
    assert flight.ended
    assert flight.size
    _fails(_native.FlightReader, "/dev/null")
    _fails(_native.FlightReader, "/nonexistent")
    _fails(flight.event, "nonsense")
    _fails(node._horus_attach, 1, 2)
    _fails(reader.ticks, "since")


@call(
    "NodeBase._horus_ticks", "NodeBase._horus_failed", "NodeBase._horus_failed_in_row", "NodeBase._horus_missed",
    "NodeBase._horus_missed_in_row", "NodeBase._horus_skipped", "NodeBase._horus_overruns", "NodeBase._horus_hung",
    "NodeBase._horus_tid", "NodeBase._horus_started_ns", "NodeBase._horus_total_ns", "NodeBase._horus_min_ns",
    "NodeBase._horus_max_ns", "NodeBase._horus_last_ns", "NodeBase._horus_in_callback", "NodeBase._horus_row",
    "NodeBase._horus_state", "NodeBase._horus_class", "NodeBase._horus_order", "NodeBase._horus_restarts",
    "NodeBase._horus_flags", "NodeBase._horus_ladder", "NodeBase._horus_safe_state_ns", "NodeBase._horus_safe_ticks",
    "NodeBase._horus_period_ns",
    "NodeBase._horus_budget_ns", "NodeBase._horus_deadline_ns", "NodeBase._horus_watchdog_ns",
    "NodeBase._horus_quantile",
)  # fmt: skip
def what_a_node_says_and_is_told(stage):
    one = stage.node
    one._horus_ticks, one._horus_failed, one._horus_failed_in_row, one._horus_total_ns, one._horus_min_ns
    one._horus_max_ns, one._horus_last_ns, one._horus_in_callback, one._horus_missed, one._horus_missed_in_row
    (
        one._horus_skipped,
        one._horus_overruns,
        one._horus_hung,
        one._horus_tid,
        one._horus_started_ns,
        one._horus_row,
    )
    one._horus_quantile(0.99)
    told = ("state", "restarts", "flags", "ladder", "safe_state_ns", "safe_ticks", "period_ns", "budget_ns")
    for name in (*told, "deadline_ns", "watchdog_ns", "order"):
        setattr(one, f"_horus_{name}", getattr(one, f"_horus_{name}"))
        _fails(setattr, one, f"_horus_{name}", "text")
        _fails(delattr, one, f"_horus_{name}") if name != "order" else None
    one._horus_class = one._horus_class + "" or "rt"
    _fails(setattr, one, "_horus_class", 3)


@call("Run()", "Run.plan", "Run.rest_until", "Run.set_rate", "Run.skip", "Run.divert", "Run.begin", "Run.tick",
      "Run.count", "Run.base_ns", "Run.next_ns", "Run.index", "Run.release_ns", "Run.started_ns", "Run.previous_ns",
      "Run.rate", "Run.deadline_ns", "Run.good_in_row", "Run.recover_after", "Run.degraded", "Run.on_demand",
      "Run.diverted", "Run.began", "Run.ended")  # fmt: skip
def a_run_ticks(stage):
    run = _native.Run(leak_stage.Node(), lambda: 1, 100.0)
    run.plan(5)
    run.deadline_ns = 5 * MS
    run.degraded, run.recover_after, run.good_in_row = 1, 1, 0
    run.begin(5)
    run.tick()
    assert run.count(5, 100, False, 1) == _native.LANE_RECOVERED
    run.skip(6)
    run.rest_until(1 << 40)
    run.set_rate(50.0, 1 << 41)
    run.divert(stage.drain)
    assert run.diverted == stage.drain
    run.divert(None)
    assert run.diverted is None
    run.on_demand = 1
    run.begin(7)
    assert run.next_ns == 2**63 - 1
    run.on_demand = 0
    run.rest_until(1 << 40)
    run.ended(run.began(), True)
    _fails(run.ended, "time", False)
    _fails(run.ended)
    run.next_ns = run.next_ns + run.base_ns + run.index + run.release_ns + run.started_ns + run.previous_ns
    assert run.rate == 50.0
    assert run.deadline_ns
    cyclic = _Cyclic(leak_stage.Node(), lambda: cyclic, 1.0)
    cyclic.itself = cyclic
    cyclic.divert(lambda: cyclic)
    for tick in (_bad, _coroutine, 3):
        _fails(_native.Run(leak_stage.Node(), tick, 1.0).tick)
    _fails(_native.Run, 1, 2, 3.0)
    _fails(_native.Run, leak_stage.Node(), print, "rate")
    for method in (run.plan, run.rest_until, run.begin):
        _fails(method, "time")
    _fails(run.set_rate, 0.0, 1)
    _fails(run.count, 1, 2, 3, "tid")


@call("Lane()", "Lane.add", "Lane.remove", "Lane.run", "Lane.run_due", "Lane.nudge", "Lane.drop_pass", "Lane.runs",
      "Lane.current", "Lane.subject", "Lane.next_ns", "Lane.spin_ns")  # fmt: skip
def a_lane_runs(stage):
    lane = _native.Lane()
    now = time.monotonic_ns()
    runs = [_native.Run(leak_stage.Node(), tick, 1e6) for tick in (int, _bad, lambda: lane.current)]
    for run in runs:
        run.plan(now)
        lane.add(run)
    lane.spin_ns = 1000
    _fails(lane.run, stage.alarm, 1 << 62)
    assert lane.subject is runs[1]
    lane.drop_pass()
    lane.remove(runs[1])
    lane.nudge()
    assert lane.run(stage.alarm, time.monotonic_ns() + 50_000) == _native.LANE_TIME_UP
    assert lane.runs == (runs[0], runs[2])
    assert lane.next_ns
    assert lane.spin_ns == 1000
    _fails(lane.add, runs[0])
    _fails(lane.remove, runs[1])
    _fails(lane.run, 1, 2)
    other = _native.Lane(lambda: 0)
    other.add(runs[1])
    runs[1].plan(0)
    _fails(other.run_due, 0)
    assert other.run_due(0) == _native.LANE_DONE
    broken = _native.Lane(_bad)
    broken.add(_native.Run(leak_stage.Node(), int, 1.0))
    _fails(broken.run_due, 0)


@call("Watchdog()", "Watchdog.stop", "Watchdog.look", "Watchdog.arm", "Watchdog.running", times=30)
def a_watchdog_watches(stage):
    flight = _native.Flight(rows=4, ticks=64, events=16)
    watchdog = _native.Watchdog(flight)
    assert watchdog.running
    watchdog.look()
    watchdog.arm(0, stage.ring, b"x")
    watchdog.arm(0, stage.ring, b"")
    _fails(watchdog.arm, 99, stage.ring, b"x")
    _fails(watchdog.arm, 0, stage.ring, b"x" * 10_000)
    watchdog.arm(1, stage.ring, b"x")
    watchdog.stop()
    _fails(watchdog.arm, 0, stage.ring, b"x")


@call("wait_any", "waits_on_many")
def topics_are_waited_for_together(stage):
    alarm = _native.Alarm()
    assert not _native.wait_any((stage.dicts, stage.fixed_topic), alarm, 1)
    _native.waits_on_many()
    stage.dicts.send({"n": 1})
    assert _native.wait_any((stage.dicts, stage.fixed_topic), alarm, 1)
    assert not _native.wait_any((stage.dicts, stage.fixed_topic), alarm, time.monotonic_ns() + 1000)
    stage.dicts.recv()
    alarm.ring()
    assert not _native.wait_any((stage.dicts,), alarm, 1 << 62)
    _fails(_native.wait_any, (stage.dicts, 3), alarm, 1)
    _fails(_native.wait_any, [], alarm, 1)
    _fails(_native.wait_any, (), alarm, "time")
    _fails(_native.wait_any, (), alarm)
