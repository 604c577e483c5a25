"""The emergency stop: who engages it, who obeys it, and what releases it."""

from __future__ import annotations

import threading
import time

import pytest

from horus_core.control import estop
from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler.scheduler import Scheduler
from horus_core.topics.topic import Topic

ROBOT = """
import sys
import horus

name = sys.argv[1] if len(sys.argv) > 1 else "arm"
ticks = []

def tick(node):
    if not ticks:
        print("ticks", flush=True)
    elif ticks[-1] == 0:
        print("ticks again", flush=True)
    ticks.append(1)

def safe(node):
    print("safe", horus.now_ns(), flush=True)
    ticks.append(0)

horus.run(horus.Node("arm", tick=tick, rate=100, enter_safe_state=safe, shutdown=lambda: print("shutdown")))
"""


def send(order):
    """As a process without a scheduler does."""
    with estop.open_topic("test") as topic:
        assert topic.send(order)


class Robot:
    """A scheduler in a thread with nodes that note what happens to them."""

    def __init__(self, *names, **options):
        self.seen = []
        self.ticks = dict.fromkeys(names, 0)
        self.scheduler = Scheduler(**options.pop("scheduler", {}))
        for name in names:
            self.scheduler.add(Node(name, tick=self._tick, rate=200, enter_safe_state=self._safe, **options))

    def _tick(self, node):
        self.ticks[node.name] += 1

    def _safe(self, node):
        self.seen.append((node.name, threading.current_thread().name))

    def __enter__(self):
        self.scheduler.start()
        return self

    def __exit__(self, *_):
        self.scheduler.stop()
        self.scheduler.join(20)

    def state(self, name):
        return self.scheduler.get_node_stats(name)["state"]


# spec: F16, F5
def test_a_node_engages_it_for_all_nodes(until):
    """emergency_stop(): each node enters its safe state once, on the thread that ticks it, and ticks no more."""
    robot = Robot("a", "b")
    robot.scheduler.add(Node("rt", tick=lambda: None, rate=100, rt=True, enter_safe_state=robot._safe))
    stopped = []

    def stop(node):
        if not stopped and robot.ticks["a"] > 3:
            stopped.append(1)
            node.emergency_stop("pressed")

    robot.scheduler.add(Node("button", tick=stop, rate=100))
    with robot:
        until(lambda: len(robot.seen) == 3)
        before = dict(robot.ticks)
        stats = robot.scheduler.safety_stats
        estop_stats = {"listening": True, "engaged": True, "reason": "pressed", "source": "button"}
        assert stats()["estop"] == estop_stats
        safe = {"a": True, "b": True, "rt": True, "button": False}
        until(lambda: {name: node["safe_state"] for name, node in stats()["nodes"].items()} == safe)
        until(lambda: {robot.state(name) for name in safe} == {"paused"})
        time.sleep(0.1)
        assert robot.ticks == before
        assert len(robot.seen) == 3
    threads = dict(robot.seen)
    assert threads["a"] == threads["b"] != threads["rt"] == "horus rt"


# spec: F16
def test_a_release_lets_them_tick_again(until):
    """After the release all nodes tick on, and a second stop enters their safe state anew."""
    with Robot("a") as robot:
        until(lambda: robot.ticks["a"] > 2)
        for round_ in (1, 2):
            send(estop.order_to_stop("test", "t"))
            until(lambda n=round_: len(robot.seen) == n)
            before = robot.ticks["a"]
            send(estop.order_to_release("t"))
            until(lambda n=before: robot.ticks["a"] > n)
            assert robot.state("a") == "running"
            assert robot.scheduler.safety_stats()["nodes"]["a"]["safe_state"] is False


# spec: F16
def test_a_release_never_stops_anything(until):
    """A release that nothing was engaged for, and any message with engaged=False, changes nothing."""
    with Robot("a") as robot:
        send(estop.order_to_release("t"))
        send(estop.EmergencyStop())
        before = robot.ticks["a"]
        until(lambda: robot.ticks["a"] > before + 5)
    assert robot.seen == []


# spec: F16
def test_late_joiners_see_it(until):
    """A scheduler that starts while it is engaged calls init() and enters the safe state, and ticks nothing."""
    send(estop.order_to_stop("earlier", "t"))
    with Robot("a") as robot:
        until(lambda: robot.seen)
        time.sleep(0.05)
        assert robot.ticks["a"] == 0
        send(estop.order_to_release("t"))
        until(lambda: robot.ticks["a"])


# spec: F16
def test_it_reaches_other_processes(program, until):
    """One engages it, processes that it knows nothing of enter their safe states, and tick on when it is released."""
    others = [program(ROBOT) if not i else program(ROBOT.replace('"arm"', f'"arm{i}"')) for i in range(2)]
    for other in others:
        other.wait_for("ticks")
    send(estop.order_to_stop("test", "t"))
    for other in others:
        assert other.line().startswith("safe ")
    send(estop.order_to_release("t"))
    for other in others:
        other.wait_for("ticks again")


# spec: F14, F16
def test_on_miss_stop_engages_it(until):
    """A miss of one node stops all; one that keeps its deadline stops nobody."""
    with Robot("a") as robot:
        robot.scheduler.add(Node("good", tick=lambda: None, rate=100, deadline=5.0, on_miss="stop"))
        until(lambda: robot.ticks["a"] > 20)
        assert robot.scheduler.safety_stats()["estop"]["engaged"] is False
        late = Node("late", tick=lambda: time.sleep(0.02), rate=100, deadline=0.001, on_miss="stop")
        robot.scheduler.add(late)
        until(lambda: robot.seen)
        stats = robot.scheduler.safety_stats()
        assert stats["estop"]["source"] == "late"
        assert stats["estop"]["reason"] == "missed its deadline of 1 ms"


# spec: F15, F16
def test_a_critical_node_that_is_isolated_engages_it(until):
    """At the end of its ladder a critical node stops the robot; one that is not critical is isolated alone."""

    def late():
        time.sleep(0.01)

    timing = {"rate": 100, "deadline": 0.0005}
    with Robot("a") as robot:
        robot.scheduler.add(Node("plain", tick=late, **timing))
        until(lambda: robot.scheduler.safety_stats()["nodes"]["plain"]["health"] == "isolated")
        assert robot.scheduler.safety_stats()["estop"]["engaged"] is False
        robot.scheduler.add(Node("vital", tick=late, critical=True, **timing))
        until(lambda: robot.seen)
        assert robot.scheduler.safety_stats()["estop"]["source"] == "vital"


# spec: F16
def test_nodes_behind_a_tick_that_does_not_end_are_made_safe_all_the_same(until):
    """Whose thread is busy with another node enters its safe state on a thread of its own; the busy one waits."""
    release = threading.Event()
    robot = Robot("a")
    busy_safe = []
    robot.scheduler.add(
        Node(
            "busy",
            tick=lambda: release.wait(20),
            rate=10,
            enter_safe_state=lambda: busy_safe.append(1),
        )
    )
    with robot:
        until(lambda: robot.scheduler.get_all_nodes()[1]._horus_started_ns)
        send(estop.order_to_stop("test", "t"))
        until(lambda: robot.seen)
        assert robot.seen == [("a", "horus safe state a")]
        assert busy_safe == []
        assert robot.scheduler.safety_stats()["nodes"]["busy"]["safe_state"] is False, "it is never claimed"
        release.set()
        until(lambda: busy_safe)
        assert len(robot.seen) == len(busy_safe) == 1


def test_a_tick_that_fails_during_it_changes_nothing(until):
    """A failure policy that would rest or restart the node waits for the release."""
    inits = []
    proceed = threading.Event()

    def tick(node):
        if len(inits) == 1:
            node.emergency_stop("test")
            raise OSError("no answer")

    node = Node("n", tick=tick, rate=100, init=lambda: inits.append(1), failure_policy="restart")
    scheduler = Scheduler().add(node)
    scheduler.start()
    try:
        until(lambda: node._horus.info.state() is NodeState.STOPPED)
        time.sleep(0.3)
        assert inits == [1]
        send(estop.order_to_release("t"))
        until(lambda: len(inits) == 2)
        until(lambda: node._horus.info.state() is NodeState.RUNNING)
    finally:
        proceed.set()
        scheduler.stop()
        assert scheduler.join(20)


def test_resume_waits_for_the_release(until):
    """Neither resume() nor another rate makes a node tick while it is engaged; a paused node stays so afterwards."""
    with Robot("a", "b") as robot:
        until(lambda: robot.ticks["a"] and robot.ticks["b"])
        robot.scheduler.pause("b")
        send(estop.order_to_stop("test", "t"))
        until(lambda: len(robot.seen) == 2)
        before = dict(robot.ticks)
        robot.scheduler.pause("a")
        robot.scheduler.resume("a")
        robot.scheduler.set_node_rate("a", 500)
        time.sleep(0.05)
        assert robot.ticks == before
        send(estop.order_to_release("t"))
        until(lambda: robot.ticks["a"] > before["a"])
        assert robot.ticks["b"] == before["b"]
        robot.scheduler.resume("b")
        until(lambda: robot.ticks["b"] > before["b"])


def test_a_raising_safe_state_keeps_nobody_from_theirs(until, capfd):
    """What raises in enter_safe_state() is logged, and not called a safe state; the others enter theirs."""
    robot = Robot("z")

    def fail():
        raise OSError("motor does not answer")

    robot.scheduler.add(Node("a", tick=lambda: None, rate=100, order=1, enter_safe_state=fail))
    with robot:
        until(lambda: robot.ticks["z"])
        send(estop.order_to_stop("test", "t"))
        until(lambda: robot.seen)
        nodes = robot.scheduler.safety_stats()["nodes"]
        assert nodes["a"]["safe_state"] is False
        until(lambda: robot.scheduler.safety_stats()["nodes"]["z"]["safe_state"])
    assert "enter_safe_state() failed" in capfd.readouterr().err


def test_by_hand(until):
    """A scheduler that is ticked by hand obeys it, too, also between two ticks."""
    robot = Robot("a", "b")
    robot.scheduler.tick_once()
    try:
        send(estop.order_to_stop("test", "t"))
        until(lambda: len(robot.seen) == 2)
        robot.scheduler.tick_once()
        assert robot.ticks == {"a": 1, "b": 1}
        send(estop.order_to_release("t"))
        until(lambda: not robot.scheduler.safety_stats()["estop"]["engaged"])
        robot.scheduler.tick_once()
        assert robot.ticks == {"a": 2, "b": 2}
    finally:
        robot.scheduler.stop()


# spec: F16
def test_a_broken_stderr_does_not_keep_it_from_latching(program, until):
    """With a stderr that nobody reads any more, and is full, the order is published and obeyed."""
    source = """
import os, sys
import horus
from horus_core.control import estop

read, write = os.pipe()
os.dup2(write, 2)
os.set_blocking(read, True)
import fcntl
fcntl.fcntl(write, 1031, 4096)
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 512)
except BlockingIOError:
    os.set_blocking(2, True)  # the next byte blocks for ever

node = horus.Node("n", tick=lambda node: node.emergency_stop("test"), rate=100,
                  enter_safe_state=lambda: print("safe", flush=True))
horus.run(node)
"""
    one = program(source)
    one.wait_for("safe")
    with estop.open_topic("test") as topic:
        until(lambda: (order := topic.latest()) is not None and order.engaged)
    one.kill()


def test_an_idle_node_cannot():
    """Outside a run emergency_stop() is an error that names the command."""
    node = Node("n", tick=lambda: None)
    with pytest.raises(NodeError, match="horus estop"):
        node.emergency_stop("test")
    with pytest.raises(NodeError):
        Scheduler().emergency_stop("test")


def test_what_is_too_long_is_cut():
    """A reason is cut at its bytes, and never in the middle of a character."""
    order = estop.order_to_stop("ä" * 50, "n" * 40)
    assert order.reason == "ä" * 31
    assert order.source == "n" * 31


# spec: F16
def test_nodes_of_every_class_obey(until):
    """Nodes on a pool, on messages, in an event loop, on a thread of their own: one safe state each, and no tick."""
    import asyncio

    safe, ticks = [], dict.fromkeys(("plain", "rt", "pool", "event", "async"), 0)

    def tick(node):
        ticks[node.name] += 1

    async def tick_async(node):
        ticks[node.name] += 1
        await asyncio.sleep(0)

    async def safe_async(node):
        await asyncio.sleep(0)
        safe.append(node.name)

    def enter(node):
        safe.append(node.name)

    scheduler = Scheduler()
    scheduler.add(Node("plain", tick=tick, rate=100, enter_safe_state=enter))
    scheduler.add(Node("rt", tick=tick, rate=100, rt=True, enter_safe_state=enter))
    scheduler.add(Node("pool", tick=tick, rate=100, compute=True, enter_safe_state=enter))
    scheduler.add(Node("event", tick=tick, on="go", enter_safe_state=enter))
    scheduler.add(Node("async", tick=tick_async, rate=100, enter_safe_state=safe_async))
    scheduler.start()
    with Topic("go") as go:
        try:

            def all_tick():
                go.send({"n": 1})
                return all(ticks.values())

            until(all_tick)
            for round_ in (1, 2):
                send(estop.order_to_stop("test", "t"))
                until(lambda n=round_: len(safe) == 5 * n)
                until(lambda: all(one["state"] == "paused" for one in _nodes(scheduler)))
                before = dict(ticks)
                go.send({"n": 2})
                time.sleep(0.1)
                assert ticks == before
                until(lambda: all(one["safe_state"] for one in _nodes(scheduler)))
                send(estop.order_to_release("t"))
                until(lambda: all(one["state"] == "running" for one in _nodes(scheduler)))
                ticks.update(dict.fromkeys(ticks, 0))
                until(all_tick)
        finally:
            scheduler.stop()
            assert scheduler.join(20)
    assert sorted(safe) == sorted(2 * list(ticks))


def _nodes(scheduler):
    return scheduler.safety_stats()["nodes"].values()


# spec: F16
def test_in_a_deterministic_run(until):
    """The node that engages it is the last to tick, in every run alike."""
    for _ in range(2):
        seen = []

        def tick(node, seen=seen):
            seen.append(node.name)
            if len(seen) == 5:
                node.emergency_stop("test")

        scheduler = Scheduler(deterministic=True)
        for name in ("a", "b"):
            scheduler.add(
                Node(
                    name,
                    tick=tick,
                    rate=10,
                    enter_safe_state=lambda node, seen=seen: seen.append(f"safe {node.name}"),
                )
            )
        scheduler.run(duration=2)
        assert seen == ["a", "b", "a", "b", "a", "safe b", "safe a"]
        send(estop.order_to_release("t"))
