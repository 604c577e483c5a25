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


def first_message(program):
    for line in program.process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise AssertionError(program.process.stderr.read())


def first_message_after_up(program):
    program.wait_for("up")
    return first_message(program)


# spec: A1, A6, A8, A10, A16, A20
@pytest.mark.parametrize("sensor_first", [True, False])
def test_start_order_is_free(script, sensor_first):
    """Two programs that share nothing but a topic's name exchange equal data, whichever starts first."""
    if sensor_first:
        sensor = script(SENSOR)
        sensor.wait_for("up")
    controller = script(CONTROLLER)
    controller.wait_for("up")
    if not sensor_first:
        sensor = script(SENSOR)
    got = first_message(controller)
    assert (got["mode"], got["battery"]) == ("autonomous", 85.0)
    second = first_message(controller)
    assert second["n"] > got["n"]
    for program in (sensor, controller):
        program.signal(signal.SIGTERM)
        code, _, err = program.finish()
        assert (code, err) == (0, "")


# spec: A45, A46
def test_a_killed_publisher_is_missed_by_nobody_and_comes_back(script):
    """When a publisher is killed, its subscriber runs on; when it starts again, data flows again."""
    sensor, controller = script(SENSOR), script(CONTROLLER)
    first_message_after_up(controller)
    sensor.signal(signal.SIGKILL)
    sensor.finish()
    assert controller.process.poll() is None
    again = script(SENSOR)
    while first_message(controller)["n"] != 0:  # the count starts anew with the new process
        pass
    for program in (again, controller):
        program.signal(signal.SIGINT)
        assert program.finish()[0] == 0


# spec: A43, E17
def test_one_process_or_two_needs_no_change(script, tmp_path):
    """The very files that run as two processes run as one when a third imports them."""
    (tmp_path / "sensor.py").write_text(SENSOR)
    (tmp_path / "controller.py").write_text(CONTROLLER)
    program = script("import controller, sensor\ncontroller.run(sensor.node, controller.node)\n")
    got = first_message_after_up(program)
    assert (got["mode"], got["battery"]) == ("autonomous", 85.0)
    program.signal(signal.SIGINT)
    assert program.finish()[0] == 0


# spec: F1
def test_waiting_for_a_topic_of_another_namespace_says_so_once(script, namespace, monkeypatch):
    """A node whose topic lives in another namespace of the user says so after 2 s, with the variable."""
    sensor = script(SENSOR)
    sensor.wait_for("up")
    monkeypatch.setenv("HORUS_NAMESPACE", f"{namespace}x")
    done = subprocess.run(
        [sys.executable, "-c", CONTROLLER.replace("run(node)", "run(node, duration=2.5)")],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.count("waits for topic 'sensor.data'") == 1
    assert f"HORUS_NAMESPACE={namespace}." in done.stderr
    assert sensor.process.poll() is None


# spec: F1
def test_no_hint_where_none_is_due(namespace):
    """A topic that exists nowhere is simply not there yet: nothing is said."""
    done = subprocess.run(
        [sys.executable, "-c", CONTROLLER.replace("run(node)", "run(node, duration=2.1)")],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""


# spec: A47
def test_run_cleans_what_a_killed_process_left(script, namespace, until):
    """What a killed process left in /dev/shm is gone after the next run() of anybody."""
    from horus_core.nodes.node import Node
    from horus_core.scheduler.run import run
    from horus_core.shm import namespace as namespaces

    sensor = script(SENSOR)
    sensor.wait_for("up")
    with_topic = namespaces.SHM / namespaces.topic_region(namespace, "sensor.data")
    until(with_topic.exists)
    sensor.signal(signal.SIGKILL)
    sensor.finish()
    assert with_topic.exists()
    run(Node("n", tick=lambda: None), duration=0)
    assert not with_topic.exists()
