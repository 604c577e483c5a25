"""The emergency stop meets nodes that are in trouble already: late, isolated, failing, restarting."""

from __future__ import annotations

import threading
import time

import pytest

from horus_core.control import estop
from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Ladder, Restart
from horus_core.scheduler.scheduler import Scheduler


def send(order):
    """As a process without a scheduler does."""
    with estop.open_topic("test") as topic:
        assert topic.send(order)


@pytest.fixture
def running(until):
    """Runs nodes in the background until the end of the test."""
    schedulers = []

    def start(*nodes):
        scheduler = Scheduler()
        schedulers.append(scheduler)
        for node in nodes:
            scheduler.add(node)
        scheduler.start()
        until(lambda: scheduler.started_ns is not None)
        return scheduler

    yield start
    for scheduler in schedulers:
        scheduler.stop()
        assert scheduler.join(20)


class Wheels:
    """A node that is late as long as it is told to be, and notes what is called."""

    def __init__(self):
        self.log = []
        self.late = threading.Event()
        self.late.set()
        self.on_time = threading.Event()

    def tick(self):
        self.log.append("tick")
        if self.late.is_set():
            self.on_time.wait(0.12)

    def safe(self):
        self.log.append("safe")

    def node(self, **options):
        return Node("wheels", tick=self.tick, enter_safe_state=self.safe, rate=100, deadline=0.1, **options)


def stats(scheduler, name="wheels"):
    return scheduler.safety_stats()["nodes"][name]


# spec: F14, F16
@pytest.mark.parametrize("options", [{"on_miss": "safe_mode", "ladder": None}, {"ladder": Ladder(1, 1, 1)}])
def test_a_node_that_ticked_since_its_safe_state_enters_it_anew(running, until, options):
    """Safe mode and isolation call enter_safe_state() once, and the node ticks on: a stop calls it again, once."""
    wheels = Wheels()
    scheduler = running(wheels.node(**options))
    until(lambda: "safe" in wheels.log)
    wheels.late.clear()
    until(lambda: wheels.log[-1] == "tick")
    assert stats(scheduler)["safe_state"] is False, "it has ticked since"
    send(estop.order_to_stop("test", "t"))
    until(lambda: wheels.log.count("safe") == 2)
    until(lambda: stats(scheduler)["safe_state"])
    until(lambda: stats(scheduler)["state"] == "paused")
    assert wheels.log[-1] == "safe"
    send(estop.order_to_release("t"))
    until(lambda: wheels.log[-1] == "tick")
    assert stats(scheduler)["safe_state"] is False
    send(estop.order_to_stop("test", "t"))
    until(lambda: wheels.log.count("safe") == 3)


# spec: F14, F16
def test_one_that_did_not_tick_since_is_left_alone(running, until):
    """Whose miss engaged the stop, and was taken to its safe state by it, is there: once is enough."""
    wheels = Wheels()
    scheduler = running(wheels.node(ladder=Ladder(1, 1, 1), critical=True))
    until(lambda: stats(scheduler)["safe_state"])
    until(lambda: stats(scheduler)["state"] == "paused")
    assert wheels.log.count("safe") == 1
    assert wheels.log[-1] == "safe"


# spec: F13, F16
@pytest.mark.parametrize("options", [{}, {"rt": True}, {"compute": True}, {"on": "go"}])
def test_a_restart_that_was_pending_follows_the_release(running, until, options):
    """Stopped in its back-off, a node is initialised before it ticks again, and shuts down at the end."""
    log = []

    def tick(node):
        node.recv_all("go")
        log.append("tick")
        if log.count("tick") == 1:
            raise OSError("no answer")

    node = Node(
        "arm",
        init=lambda: log.append("init"),
        tick=tick,
        shutdown=lambda: log.append("shutdown"),
        failure_policy=Restart(backoff=0.5),
        **options,
    )
    scheduler = running(node, Node("other", tick=lambda node: node.send("go", {}), rate=50))
    until(lambda: stats(scheduler, "arm")["state"] == "stopped")
    scheduler.emergency_stop("test")
    assert stats(scheduler, "arm")["state"] == "stopped", "the back-off has not ended yet"
    until(lambda: stats(scheduler, "other")["state"] == "paused")
    time.sleep(0.6)
    assert log == ["init", "tick", "shutdown"]
    send(estop.order_to_release("t"))
    until(lambda: log.count("tick") > 3)
    assert log[3:6] == ["init", "tick", "tick"]
    assert stats(scheduler, "arm")["state"] == "running"
    scheduler.stop()
    assert scheduler.join(20)
    assert log[-1] == "shutdown"


# spec: F15, F16
@pytest.mark.parametrize("late", [False, True])
def test_a_critical_node_whose_init_raises_engages_it(running, until, late):
    """Whether the run begins with it or takes it in later: the robot does not go on without it."""

    def fail():
        raise OSError("no motor")

    seen = []
    eye = Node("eye", tick=lambda: None, enter_safe_state=lambda: seen.append("safe"))
    arm = Node("arm", tick=lambda: None, init=fail, critical=True, watchdog=1.0)
    scheduler = running(eye) if late else Scheduler().add(eye).add(arm)
    with estop.open_topic("test") as topic:
        with pytest.raises(OSError, match="no motor"):
            scheduler.add(arm) if late else scheduler.run(1)
        order = until(topic.latest)
    assert (order.engaged, order.source, order.reason) == (True, "arm", "critical node crashed: OSError")
    if late:
        until(lambda: seen)


def test_one_that_is_not_critical_does_not(running, until):
    """Nor does a critical one that finds its name taken: that would stop the robot which runs already."""

    def fail():
        raise OSError("no camera")

    scheduler = running(Node("arm", tick=lambda: None, critical=True, watchdog=1.0))
    with pytest.raises(OSError, match="no camera"):
        scheduler.add(Node("eye", tick=lambda: None, init=fail))
    with pytest.raises(NodeError, match="arm"):
        Scheduler().add(Node("arm", tick=lambda: None, critical=True, watchdog=1.0)).run(1)
    assert scheduler.safety_stats()["estop"]["engaged"] is False
