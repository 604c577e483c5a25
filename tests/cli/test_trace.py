"""`horus blackbox --trace`: what the trace event format demands, to the letter, and every tick that was recorded."""

import json
import signal

import pytest

ROBOT = """
    import asyncio
    import collections
    import os
    import time
    import horus

    begun = collections.Counter()

    def note(node):
        begun[node.name] += 1

    async def fetch(node):
        note(node)
        await asyncio.sleep(0.02)

    def see(node):
        node.send("scan", {"n": horus.tick()})
        if horus.tick() >= 40 and len(begun) == 6 and min(begun.values()) > 1:  # so one tick of each has ended
            print("seen", flush=True)

    def plan(node):
        note(node)
        time.sleep(0.002)

    def map_(node):
        note(node)
        node.recv("scan")

    horus.run(
        horus.Node("camera", tick=see, rate=200, order=1),
        horus.Node("arm", tick=note, rate=100),
        horus.Node("motor", tick=note, rate=200, rt=True),
        horus.Node("planner", tick=plan, rate=50, compute=True),
        horus.Node("mapper", tick=map_, on="scan"),
        horus.Node("weather", tick=fetch, rate=30),
        horus.Node("traffic", tick=fetch, rate=40),
        name="robot",
    )
    """
AWAITING = {"weather", "traffic"}


@pytest.fixture
def traced(horus, script, tmp_path):
    """(the trace, the report) of a robot of all classes of one process, which was killed."""
    script("robot.py", ROBOT)
    robot = horus("run", "robot.py")
    robot.shows("seen")
    robot.signal(signal.SIGKILL)
    robot.wait()
    command = horus("blackbox", "robot", "--last", "60", "--trace", "trace.json")
    assert command.wait() == 0, command.stderr
    report = horus("blackbox", "robot", "--last", "60", "--json")
    assert report.wait() == 0, report.stderr
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return trace, json.loads(report.stdout)["schedulers"][0]


def ns(us):
    """The nanoseconds that a trace's microseconds mean; they have three digits."""
    found = round(us * 1000)
    assert found / 1000 == us, "nothing is lost on the way"
    return found


# spec: B12
def test_every_recorded_tick_is_there_once_with_its_time(traced):
    """The ticks of the record and of the trace are the same, to the nanosecond: node, thread, begin and duration."""
    trace, report = traced
    zero = min(
        event["time_ns"] for event in report["events"]
    )  # the scheduler's start, which is time 0 of the trace
    offset = zero - min(ns(one["ts"]) for one in trace["traceEvents"] if one["ph"] == "i")
    begun = {}
    found = []
    for event in trace["traceEvents"]:
        begin_ns = offset + ns(event["ts"])
        if event["ph"] == "X":
            found.append((event["name"], event["tid"], begin_ns, ns(event["dur"])))
        elif event["ph"] == "b":
            begun[event["id"]] = begin_ns
        elif event["ph"] == "e":
            since = begun.pop(event["id"])
            found.append((event["name"], event["tid"], since, begin_ns - since))
    recorded = [
        (tick["node"], tick["tid"], tick["time_ns"], round(tick["duration_ms"] * 1e6))
        for tick in report["ticks"]
    ]
    assert sorted(found) == sorted(recorded)
    assert {name for name, *_ in found} == {
        "camera", "arm", "motor", "planner", "mapper", "weather", "traffic"
    }  # fmt: skip


def test_each_event_is_what_the_format_says(traced):
    """Phases, and for each the keys that it must have; numbers that are finite; one process; threads with names."""
    trace, report = traced
    keys = {
        "X": {"dur"}, "B": set(), "b": {"id"}, "e": {"id"}, "i": {"s"}, "M": set(),
    }  # fmt: skip
    assert trace["displayTimeUnit"] in ("ms", "ns")
    for event in trace["traceEvents"]:
        assert keys[event["ph"]] | {"name", "ph", "ts", "pid", "tid", "args"} <= event.keys()
        assert event["pid"] == report["pid"]
        assert type(event["tid"]) is int
        assert event["tid"] > 0
        assert event["ts"] >= 0
        assert event.get("dur", 0) >= 0
        assert event["ph"] == "M" or isinstance(event["cat"], str)
    names = {event["name"] for event in trace["traceEvents"] if event["ph"] == "M"}
    assert names == {"process_name", "thread_name"}
    threads = {
        one["tid"]: one["args"]["name"] for one in trace["traceEvents"] if one["name"] == "thread_name"
    }
    assert threads.keys() == {one["tid"] for one in trace["traceEvents"] if one["ph"] in "XBbe"}
    assert threads[report["pid"]] == "camera, arm", "the main thread's id is the process's"
    assert "motor" in threads.values()
    assert "mapper" in threads.values()


def test_nothing_overlaps_where_a_viewer_would_drop_it(traced):
    """Ticks of one thread lie one after another; nodes that await at the same time have a track each."""
    trace, _ = traced
    ends = {}
    for event in sorted((one for one in trace["traceEvents"] if one["ph"] == "X"), key=lambda one: one["ts"]):
        assert ns(event["ts"]) >= ends.get(event["tid"], 0), event
        ends[event["tid"]] = ns(event["ts"]) + ns(event["dur"])
    apart = [one for one in trace["traceEvents"] if one["ph"] in "be"]
    assert {one["id"] for one in apart} == AWAITING
    for node in AWAITING:
        phases = "".join(one["ph"] for one in apart if one["id"] == node)
        assert phases.removesuffix("b") == "be" * (len(phases) // 2), "none before its last has ended"
        times = [one["ts"] for one in apart if one["id"] == node]
        assert times == sorted(times)
