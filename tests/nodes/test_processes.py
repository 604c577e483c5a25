"""Nodes in several processes: they find each other by topic names alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

SENSOR = """
import itertools
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

count = itertools.count()

def tick(node):
    node.send("sensor.data", {"n": next(count), "mode": "autonomous", "battery": 85.0})

node = Node("sensor", pubs=["sensor.data"], tick=tick, rate=100, init=lambda: print("up", flush=True))
if __name__ == "__main__":
    run(node)
"""

CONTROLLER = """
import json
from horus_core.messages.fields import f32
from horus_core.messages.message import Message
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

class Twist(Message, topic="twist"):
    linear: f32 = 0.0

def tick(node):
    data = node.recv("sensor.data")
    if data:
        node.send("cmd_vel", Twist(linear=data["battery"]))
        print(json.dumps(data), flush=True)

node = Node(
    "controller",
    subs=["sensor.data"],
    pubs=[Twist],
    tick=tick,
    rate=200,
    init=lambda: print("up", flush=True),
)
if __name__ == "__main__":
    run(node)
"""


def next_message(controller):
    while not (line := controller.line()).startswith("{"):
        pass
    return json.loads(line)


# spec: A1, A6, A8, A10, A16, A20
@pytest.mark.parametrize("sensor_first", [True, False])
def test_start_order_is_free(program, sensor_first):
    """Two programs that share nothing but a topic's name exchange equal data, whichever starts first."""
    if sensor_first:
        sensor = program(SENSOR)
        sensor.wait_for("up")
    controller = program(CONTROLLER)
    controller.wait_for("up")
    if not sensor_first:
        sensor = program(SENSOR)
    got = next_message(controller)
    assert (got["mode"], got["battery"]) == ("autonomous", 85.0)
    second = next_message(controller)
    assert second["n"] > got["n"]
    for one in (sensor, controller):
        one.process.send_signal(signal.SIGTERM)
        assert one.finish()[1] == ""


# spec: A40, A42, A45, A46
def test_a_killed_publisher_is_missed_by_nobody_and_comes_back(program):
    """When a publisher is killed, its subscriber runs on; when it starts again, data flows again."""
    sensor, controller = program(SENSOR), program(CONTROLLER)
    next_message(controller)
    sensor.kill()
    assert controller.process.poll() is None
    again = program(SENSOR.replace("85.0", "84.0"))
    while next_message(controller)["battery"] != 84.0:
        pass
    for one in (again, controller):
        one.process.send_signal(signal.SIGINT)
        one.finish()


# spec: A43, E17
def test_one_process_or_two_needs_no_change(program, tmp_path):
    """The very files that run as two processes run as one when a third imports them."""
    (tmp_path / "sensor.py").write_text(SENSOR)
    (tmp_path / "controller.py").write_text(CONTROLLER)
    both = program("import controller, sensor\ncontroller.run(sensor.node, controller.node)\n")
    got = next_message(both)
    assert (got["mode"], got["battery"]) == ("autonomous", 85.0)
    both.process.send_signal(signal.SIGINT)
    both.finish()


# spec: F1
def test_waiting_for_a_topic_of_another_namespace_says_so_once(
    program, namespace, other_namespace, monkeypatch
):
    """A node whose topic lives in another namespace of the user says so after 2 s, with the variable."""
    sensor = program(SENSOR)
    sensor.wait_for("up")
    monkeypatch.setenv("HORUS_NAMESPACE", other_namespace)
    controller = program(CONTROLLER)
    said = controller.process.stderr.readline()
    controller.process.send_signal(signal.SIGINT)
    assert "waits for topic 'sensor.data'" in said
    assert f"HORUS_NAMESPACE={namespace}." in said
    assert controller.finish()[1] == ""
    assert sensor.process.poll() is None


# spec: F1
def test_no_hint_where_none_is_due(namespace):
    """A topic that exists nowhere is simply not there yet: nothing is said."""
    nowhere = CONTROLLER.replace("sensor.data", f"nowhere.{namespace}")  # others test on this machine, too
    done = subprocess.run(
        [sys.executable, "-c", nowhere.replace("run(node)", "run(node, duration=2.1)")],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""


def test_a_misspelt_topic_is_noticed_once(program):
    """A node whose topic nobody publishes is told of one of nearly the same name, but not of a numbered sibling."""
    sensor = program(SENSOR)
    sensor.wait_for("up")
    hints = {"Sensor.data": 1, "sensor.dta": 1, "sensor.data2": 0, "scan": 0}
    controllers = {}
    for wanted, hint in hints.items():
        source = CONTROLLER if hint else CONTROLLER.replace("run(node)", "run(node, duration=2.5)")
        renamed = source.replace("sensor.data", wanted).replace('"controller"', f"{wanted!r}")
        controllers[wanted] = program(renamed)
    for wanted, controller in controllers.items():
        said = ""
        if hints[wanted]:
            said = controller.process.stderr.readline()
            controller.process.send_signal(signal.SIGINT)
        said += controller.finish()[1]
        assert said.count("there is 'sensor.data'") == hints[wanted], wanted
        assert said.count("\n") == hints[wanted], wanted


# spec: A47
def test_run_cleans_what_a_killed_process_left(program, namespace, until):
    """What a killed process left in /dev/shm is gone after the next run() of anybody."""
    from horus_core.nodes.node import Node
    from horus_core.scheduler.run import run
    from horus_core.shm import namespace as namespaces

    sensor = program(SENSOR)
    sensor.wait_for("up")
    with_topic = namespaces.SHM / namespaces.topic_region(namespace, "sensor.data")
    until(with_topic.exists)
    sensor.kill()
    assert with_topic.exists()
    run(Node("n", tick=lambda: None), duration=0)
    assert not with_topic.exists()
