"""The watchdog: a native thread that sees a tick which does not end, whatever holds the GIL."""

from __future__ import annotations

import threading
import time

import pytest

from horus_core import _native
from horus_core.control import estop, flights
from horus_core.errors import HorusError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler.scheduler import Scheduler
from horus_core.topics.topic import Topic
from horus_plugins.messages.control import CmdVel

MS = 1_000_000
HANGING = """
import re
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler.run import run

ticks = []

def tick():
    ticks.append(1)
    if len(ticks) == 3:
        print("hangs", flush=True)
        re.match(r"(a+)+$", "a" * 40 + "b")  # in C, for hours, and nobody else gets the GIL

node = Node("parser", tick=tick, rate=100, watchdog=0.05)
run(node, Node("other", tick=lambda: None))
"""


def reader(namespace, name):
    return _native.FlightReader(flights.folder(namespace) / f"{name}.flight")


# spec: B11, F15
def test_a_tick_that_holds_the_gil_is_seen_from_another_process(program, namespace, until):
    """A catastrophic regular expression never lets go of the GIL: the row says hung all the same, and since when."""
    one = program(HANGING, HORUS_NODE_NAME="robot")
    one.wait_for("hangs")
    flight = reader(namespace, "robot")
    parser, other = until(lambda: (rows := flight.rows())[0]["state"] == "hung" and rows)
    assert other["state"] == "running"
    assert parser["started_ns"] > 0
    assert time.monotonic_ns() - parser["started_ns"] >= 50 * MS
    (event,) = until(lambda: [event for event in flight.events() if event["kind"] == "hung"])
    assert event["node"] == 0
    assert "its watchdog allows 50.0" in event["text"]
    until(lambda: flight.rows()[0]["hung"] == 1)
    assert one.process.poll() is None
    one.kill()
    assert reader(namespace, "robot").rows()[0]["state"] == "hung", "it is never said to have recovered"


# spec: F15
def test_the_state_comes_back_when_the_tick_ends(namespace, until):
    """A tick that took too long, and ends, leaves its node as it was; the hang is counted and told."""
    states = []
    release = threading.Event()

    def tick(node):
        states.append(node.info.state().value)
        if len(states) == 2:
            assert release.wait(20)

    node = Node("slow", tick=tick, rate=200, watchdog=0.03)
    scheduler = Scheduler(name="robot").add(node)
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    try:
        until(lambda: node._horus.info.state().value == "hung")
        assert scheduler.get_node_stats("slow")["state"] == "hung"
        release.set()
        until(lambda: len(states) > 3)
    finally:
        release.set()
        scheduler.stop()
        runner.join(20)
    assert set(states) == {"running"}
    assert scheduler.watchdog is None
    record = reader(namespace, "robot")
    events = record.events()
    kinds = [event["kind"] for event in events]
    assert kinds.count("hung") == kinds.count("returned") == record.rows()[0]["hung"] > 0
    assert all("has ended after" in event["text"] for event in events if event["kind"] == "returned")
    hung = [tick for tick in record.ticks() if tick[2] == "hung"]
    assert len(hung) == kinds.count("hung")
    assert hung[0][4] > 30_000_000, "it is no tick like any other"


def test_no_watchdog_no_thread(until):
    """A run in which no node has a watchdog has no such thread."""
    seen = []
    scheduler = Scheduler()
    scheduler.add(Node("n", tick=lambda: seen.append(scheduler.watchdog)))
    scheduler.run(0)
    assert seen == [None]


# spec: F15, F16
def test_a_critical_row_publishes_what_was_put_aside(until):
    """The prepared message goes out, on its topic, while the tick hangs; another row's does not."""
    topic, other = Topic("halt", CmdVel), Topic("halt", CmdVel)
    assert topic.send(CmdVel(1.0, 0.0))
    assert other.recv() is not None
    flight = _native.Flight()
    node = Node("arm", tick=lambda: until(lambda: other.pending), rate=100)
    row = node._horus_attach(flight, "arm")
    node._horus_watchdog_ns = 20 * MS
    node._horus_flags = 1
    watchdog = _native.Watchdog(flight)
    try:
        watchdog.arm(row, topic._ring, CmdVel(0.0, -7.0).to_wire())
        run = _native.Run(node, node._horus.callbacks.tick, 100.0)
        run.begin(time.monotonic_ns())
        assert run.tick() == _native.LANE_RETURNED
        assert other.recv().angular == -7.0
        with pytest.raises(HorusError, match="does not fit"):
            watchdog.arm(row, topic._ring, b"x" * 10_000)
        with pytest.raises(HorusError, match="expected a row below"):
            watchdog.arm(5000, topic._ring, b"x")
        watchdog.arm(row, topic._ring, b"")
    finally:
        watchdog.stop()
    assert not watchdog.running
    watchdog.stop()
    with pytest.raises(HorusError, match="was stopped"):
        watchdog.arm(row, topic._ring, b"x")
    topic.close()
    other.close()


CRITICAL = """
import re
import horus

ticks = []

def tick():
    ticks.append(1)
    if len(ticks) == 3:
        print("hangs", flush=True)
        re.match(r"(a+)+$", "a" * 40 + "b")

node = horus.Node("parser", tick=tick, rate=100, watchdog=0.05, critical=CRITICAL,
                  enter_safe_state=lambda: print("safe", flush=True))
horus.run(node)
"""


# spec: F15, F16
def test_a_critical_node_that_holds_the_gil_stops_the_robot_while_it_hangs(program, namespace, until):
    """Another process's scheduler enters its safe state, though no Python can run where the node hangs."""
    seen = []
    other = Scheduler().add(
        Node("arm", tick=lambda: None, rate=100, enter_safe_state=lambda: seen.append("safe"))
    )
    other.start()
    try:
        one = program(CRITICAL.replace("CRITICAL", "True"), HORUS_NODE_NAME="robot")
        one.wait_for("hangs")
        until(lambda: seen)
        assert other.safety_stats()["estop"]["reason"] == "critical node parser hangs"
        row = reader(namespace, "robot").rows()[0]
        assert row["state"] == "hung"
        assert row["safe_state_ns"] == 0, "it is never said to be in its safe state"
        kinds = [event["kind"] for event in reader(namespace, "robot").events()]
        assert "estop" in kinds
        assert one.process.poll() is None
        one.kill()
    finally:
        other.stop()
        assert other.join(20)


# spec: F15
def test_a_node_that_is_not_critical_stops_nobody_when_it_hangs(program, namespace, until):
    """Its hang is seen, and nothing is published."""
    one = program(CRITICAL.replace("CRITICAL", "False"), HORUS_NODE_NAME="robot")
    one.wait_for("hangs")
    until(lambda: reader(namespace, "robot").rows()[0]["state"] == "hung")
    with estop.open_topic("test") as topic:
        assert topic.latest() is None
    one.kill()


# spec: F15
def test_a_healthy_critical_node_stops_nobody(until):
    """A watchdog on a node that ends its ticks in time does nothing, for as long as it runs."""
    ticks = []
    node = Node(
        "n", tick=lambda: ticks.append(1), rate=1000, watchdog=0.5, critical=True, deadline=0.5, core=None
    )
    scheduler = Scheduler().add(node)
    scheduler.start()
    until(lambda: len(ticks) > 500)
    stats = scheduler.safety_stats()
    assert stats["watchdog"] == {"running": True, "timeouts": {"n": 0.5}, "hangs": 0}
    assert stats["estop"]["engaged"] is False
    assert stats["nodes"]["n"]["health"] == "healthy"
    scheduler.stop()
    assert scheduler.join(20)


# spec: F15, F28
def test_a_hang_takes_a_step_of_the_ladder_when_it_is_over(until):
    """Each tick that hung, and ended, leads one step up, to isolation; the scheduler's watchdog is for all."""
    seen = []

    def hang(node):
        seen.append(node.info.state())
        if len(seen) in (2, 3, 4):
            until(lambda: node.info.state() is NodeState.HUNG)

    node = Node("slow", tick=hang, rate=100, enter_safe_state=lambda: seen.append("safe"))
    scheduler = Scheduler(watchdog=0.02).add(node)
    scheduler.add(Node("fine", tick=lambda: None, rate=100, watchdog=5.0))
    scheduler.start()
    try:
        until(lambda: "safe" in seen)
        nodes = scheduler.safety_stats()
        assert nodes["watchdog"]["timeouts"] == {"slow": 0.02, "fine": 5.0}
        assert nodes["watchdog"]["hangs"] == 3
        assert seen.index("safe") == 4
        until(lambda: scheduler.safety_stats()["nodes"]["slow"]["health"] == "isolated")
        assert scheduler.get_node_stats("slow")["rate"] == 1.0
        assert scheduler.safety_stats()["nodes"]["fine"]["health"] == "healthy"
    finally:
        scheduler.stop()
        assert scheduler.join(20)


# spec: D22, F15
def test_the_record_calls_a_hung_tick_hung(until, namespace):
    """When it has ended after all: the tick is marked, and the event tells how long it took."""
    ticks = []

    def hang(node):
        ticks.append(1)
        if len(ticks) == 2:
            until(lambda: node.info.state() is NodeState.HUNG)
        elif len(ticks) == 4:
            node.request_stop()

    scheduler = Scheduler(name="robot").add(Node("n", tick=hang, rate=100, watchdog=0.02, ladder=None))
    scheduler.run()
    record = _native.FlightReader(flights.folder(namespace) / "robot.flight")
    assert [kind for _, _, kind, *_ in record.ticks()][:3] == ["ok", "hung", "ok"]
    texts = [event["text"] for event in record.events() if event["kind"] == "returned"]
    assert len(texts) == 1
    assert texts[0].startswith("its tick has ended after ")
