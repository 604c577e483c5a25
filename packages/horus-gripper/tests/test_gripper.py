"""The messages: from one process to another, by name, and read where the package is not installed."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys

import pytest
from horus_gripper import GripperCommand, GripperState, GripStatus

import horus


def horus_command(*words):
    """What a `horus` command prints."""
    command = [sys.executable, "-m", "horus_cli", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_from_node_to_node(horus_namespace):
    """A gripper obeys commands and tells its state; both arrive as they were sent."""
    told = []

    def drive(node):
        command = node.recv("gripper_cmd")
        if command is not None:
            node.send("gripper_state", GripperState(width=command.width, status=GripStatus.HOLDING))

    def decide(node):
        node.send("gripper_cmd", GripperCommand(width=0.04, max_force=20.0))
        told.extend(node.recv_all("gripper_state"))

    with horus.Scheduler(deterministic=True) as scheduler:
        scheduler.add(horus.Node("arm", tick=decide, pubs=[GripperCommand], subs=[GripperState], rate=50))
        scheduler.add(horus.Node("gripper", tick=drive, subs=[GripperCommand], pubs=[GripperState], rate=50))
        scheduler.tick_for(0.1)
    assert told[0] == GripperState(width=0.04, status=GripStatus.HOLDING)
    assert told[0].holds
    assert math.isnan(told[0].force)


@pytest.mark.parametrize(
    ("message", "valid"),
    [
        (GripperCommand(), True),
        (GripperCommand(width=-0.01), False),
        (GripperCommand(width=math.nan), False),
        (GripperCommand(max_speed=0.0), False),
        (GripperState(width=0.08, speed=-0.1), True),
        (GripperState(width=math.inf), False),
    ],
)
def test_what_a_gripper_can_do(message, valid):
    """is_valid() says so; pickle and dicts keep it."""
    assert message.is_valid() is valid
    assert pickle.loads(pickle.dumps(message)) == message
    assert type(message).from_dict(message.to_dict()) == message


def test_it_is_found_by_name():
    """The entry points are those that `horus msg` asks, with units and text."""
    shown = json.loads(horus_command("msg", "show", "GripperState", "--json"))
    fields = {field["name"]: field for field in shown["fields"]}
    assert fields["width"]["unit"] == "m"
    assert fields["force"]["unit"] == "N"
    assert "GripperCommand" in horus_command("msg", "list")


READER = """
import sys
import horus
sys.modules["horus_gripper"] = None  # as if it were not installed
topic = horus.Topic("gripper_state")
print("ready", flush=True)
assert topic.wait(30.0)
state = topic.recv()
print(type(state).__name__, state.width, int(state.status))
"""


def test_who_has_not_the_package_reads_it(horus_namespace):
    """The layout travels with the topic: another process makes the class from it."""
    command = [sys.executable, "-c", READER]
    environment = {"HORUS_NAMESPACE": horus_namespace, "HORUS_PLUGINS": "", "PATH": "/usr/bin:/bin"}
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as reader,
        horus.Topic(GripperState) as topic,
    ):
        assert reader.stdout.readline() == "ready\n"
        topic.send(GripperState(width=0.05, status=GripStatus.HOLDING))
        assert reader.communicate(timeout=60)[0] == "GripperState 0.05 3\n"
    assert reader.returncode == 0
