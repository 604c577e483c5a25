"""compute="process": the emergency stop and the safe state reach the other process, and come from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import horus
from horus_core.nodes.node import Node

sys.path.insert(0, str(Path(__file__).parent))
import far_callbacks


@pytest.fixture
def lives():
    topic = horus.Topic("lives", dict, capacity=256)
    yield topic
    topic.close()


def pid_and(seen, what):
    return {one["pid"] for one in seen if one["what"] == what}


def node_stats(scheduler, name):
    return scheduler.safety_stats()["nodes"][name]


# spec: F16
def test_its_emergency_stop_stops_all(running, until, lives):
    """node.emergency_stop() there stops the nodes here; the safe state of each is entered where it lives."""
    near = []
    scheduler = running(
        Node(
            "far", tick=far_callbacks.stop_the_robot, enter_safe_state=far_callbacks.safe, compute="process"
        ),
        Node("near", tick=lambda: None, enter_safe_state=lambda: near.append(os.getpid())),
    )
    until(lambda: all(node_stats(scheduler, name)["safe_state"] for name in ("far", "near")))
    until(lambda: scheduler.get_node_stats("far")["state"] == "paused")
    stats = scheduler.safety_stats()["estop"]
    assert (stats["engaged"], stats["reason"], stats["source"]) == (True, "from afar", "far")
    seen = lives.recv_all()
    assert pid_and(seen, "safe") == pid_and(seen, "told") != {os.getpid()}
    assert near == [os.getpid()]
    ticks = scheduler.get_node_stats("far")["total_ticks"]  # until the order was heard here
    assert [one["what"] for one in seen] == ["told"] * ticks + ["safe"]


# spec: F16
def test_an_emergency_stop_from_here_reaches_it(running, until, lives):
    """Its safe state is entered in its process; one that raises is not called entered."""
    scheduler = running(
        Node(
            "far", tick=far_callbacks.double, enter_safe_state=far_callbacks.safe, rate=200, compute="process"
        ),
        Node("broken", tick=far_callbacks.double, enter_safe_state=far_callbacks.unsafe, compute="process"),
    )
    assert node_stats(scheduler, "far")["safe_state"] is False
    scheduler.emergency_stop("a test")
    until(lambda: node_stats(scheduler, "far")["safe_state"])
    until(lambda: scheduler.get_node_stats("broken")["state"] == "error")
    assert node_stats(scheduler, "broken")["safe_state"] is False
    assert len(pid_and(lives.recv_all(), "safe") - {os.getpid()}) == 1


# spec: F15
def test_a_far_node_that_hangs_is_seen(running, until, lives):
    """The watchdog here sees a tick there that does not end; it is never said to be in its safe state."""
    scheduler = running(
        Node(
            "far",
            tick=far_callbacks.stop_and_sleep,
            enter_safe_state=far_callbacks.safe,
            watchdog=0.02,
            critical=True,
            compute="process",
            failure_policy="ignore",
        )
    )
    until(lambda: scheduler.get_node_stats("far")["state"] == "hung")
    until(lambda: scheduler.safety_stats()["estop"]["engaged"])
    assert node_stats(scheduler, "far") | {"missed": 0, "missed_in_row": 0} == {
        "health": "hung", "state": "hung", "critical": True, "missed": 0, "missed_in_row": 0, "hangs": 1,
        "safe_state": False,
    }  # fmt: skip
    os.kill(until(lives.recv)["pid"], 9)


@pytest.mark.parametrize(
    ("tick", "what"),
    [(far_callbacks.Planner.class_tick, "Planner"), (far_callbacks.Planner.static_tick, "static")],
)
def test_methods_without_an_object(running, until, lives, tick, what):
    """Class methods and static methods of an importable class are functions that another process can import."""
    running(Node("far", tick=tick, rate=100, compute="process"))
    until(lambda: (one := lives.recv()) and one["what"] == what and one["pid"] != os.getpid())
