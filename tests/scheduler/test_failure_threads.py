"""Failure policies of nodes on threads of their own: the same to the letter, and raised where run() was called."""

from __future__ import annotations

import threading

import pytest

from horus_core.control import estop
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Skip
from horus_core.scheduler.scheduler import Scheduler


class BoomError(Exception):
    """What the ticks of these tests raise."""


def fail(*_):
    raise BoomError("bad reading")


# spec: E9, F13
def test_fatal_on_a_thread_of_its_own_ends_the_run(namespace):
    """The original exception is raised by run(), after all nodes were shut down in reverse order of start."""
    ended = []
    scheduler = Scheduler()
    for name, order in (("a", 1), ("b", 2), ("c", 3)):
        scheduler.add(
            Node(name, tick=lambda: None, order=order, shutdown=lambda node: ended.append(node.name))
        )
    scheduler.add(Node("rt", tick=fail, rt=True, order=4, shutdown=lambda node: ended.append(node.name)))
    with pytest.raises(BoomError, match="bad reading") as caught:
        scheduler.run()
    assert ended == ["rt", "c", "b", "a"]
    assert caught.traceback[-1].name == "fail"
    assert scheduler.get_node_stats("rt")["state"] == "crashed"
    assert scheduler.get_node_stats("a")["state"] == "stopped"


# spec: F13, B15
def test_isolate_on_a_thread_of_its_own(until):
    """That node alone stops, on its own thread; the others go on, and the run ends well."""
    seen = []
    other = []
    scheduler = Scheduler().add(Node("other", tick=lambda: other.append(1), rate=100))
    scheduler.add(
        Node(
            "rt",
            tick=fail,
            rt=True,
            failure_policy="isolate",
            enter_safe_state=lambda: seen.append(threading.current_thread().name),
            shutdown=lambda: seen.append("shutdown"),
        )
    )
    scheduler.start()
    until(lambda: len(seen) == 2)
    before = len(other)
    until(lambda: len(other) > before + 5)
    scheduler.stop()
    assert scheduler.join(20)
    assert seen == ["horus rt", "shutdown"]
    assert scheduler.safety_stats()["nodes"]["rt"]["health"] == "crashed"
    assert scheduler.safety_stats()["nodes"]["rt"]["safe_state"] is True


# spec: F12, F13
@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ({"failure_policy": "ignore"}, "ignore"),
        ({"on_error": lambda: None}, "on_error"),
        ({"failure_policy": Skip(max_failures=1000, cooldown=30)}, "skip"),
    ],
)
def test_it_ticks_on_where_the_policy_says_so(until, options, policy):
    """`ignore`, `skip` below its number, and on_error: counted, and the thread goes on."""
    node = Node("rt", tick=fail, rate=500, rt=True, **options)
    scheduler = Scheduler().add(node)
    scheduler.start()
    until(lambda: scheduler.get_node_stats("rt")["failed_ticks"] > 20)
    assert scheduler.get_node_stats("rt")["state"] == ("error" if policy == "on_error" else "running")
    scheduler.stop()
    assert scheduler.join(20)


# spec: F13
def test_restart_on_a_thread_of_its_own(until):
    """shutdown() and init() are called on the node's thread, and it ticks again."""
    inits = []
    ticks = []

    def tick():
        if len(inits) == 1:
            raise BoomError
        ticks.append(1)

    node = Node("rt", tick=tick, rate=500, rt=True, init=lambda: inits.append(1), failure_policy="restart")
    scheduler = Scheduler().add(node)
    scheduler.start()
    until(lambda: ticks)
    assert scheduler.get_node_stats("rt")["restarts"] == 1
    scheduler.stop()
    assert scheduler.join(20)


# spec: F16
@pytest.mark.parametrize("critical", [True, False])
def test_a_critical_node_that_crashes_stops_the_robot(critical):
    """Its last act is the emergency stop, which stands; another node's crash is its own affair."""
    with pytest.raises(BoomError):
        Scheduler().add(Node("n", tick=fail, watchdog=1.0, critical=critical)).run()
    with estop.open_topic("test") as topic:
        order = topic.latest()
    assert (order is not None and order.engaged) is critical
    if critical:
        assert order.reason == "critical node crashed: BoomError"
