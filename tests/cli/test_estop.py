"""`horus estop`: stopping a robot from a terminal, and being told whether it worked."""

from __future__ import annotations

import json

ROBOT = """
import horus

ticks = []

def tick(node):
    ticks.append(1)
    if len(ticks) == 5:
        print("ticks", flush=True)
    if ticks[0] == 0:
        print("again", flush=True)
        ticks[0] = 1

def safe():
    ticks[0] = 0
    print("safe", flush=True)

horus.run(horus.Node("arm", tick=tick, rate=100, enter_safe_state=safe), horus.Node("eye", tick=lambda: None))
"""
STUCK = """
import time
import horus

def tick():
    print("stuck", flush=True)
    time.sleep(60)

horus.run(horus.Node("slow", tick=tick, enter_safe_state=lambda: None))
"""


def answer(command):
    assert command.wait() == 0, command.stderr
    return json.loads(command.stdout)


# spec: F16
def test_stop_status_release(horus, script):
    """It stops the nodes of a running scheduler and says which are safe; the status shows it; a release ends it."""
    robot = horus("run", script("robot.py", ROBOT))
    robot.shows("ticks")
    stop = horus("estop", "pulled by hand")
    assert stop.wait() == 0, stop.stderr + stop.stdout
    robot.shows("safe")
    assert "ENGAGED" in stop.stdout
    assert "pulled by hand" in stop.stdout
    assert "Held: 2 of 2 nodes of 1 scheduler, 1 of them by their own enter_safe_state()." in stop.stdout
    found = answer(horus("estop", "--status", "--json"))
    assert found["engaged"] is True
    assert found["reason"] == "pulled by hand"
    assert [(node["name"], node["state"], node["safe_state"]) for node in found["nodes"]] == [
        ("arm", "paused", True),
        ("eye", "paused", False),
    ]
    assert answer(horus("estop", "--release", "--json"))["engaged"] is False
    robot.shows("again")
    assert "Not engaged" in _text(horus("estop", "--status"))


# spec: F16, F3
def test_one_that_reaches_nobody_says_so_and_stands_for_those_who_come(horus, script, ns):
    """Without a scheduler it exits with 1; it survives every cleaning, and a scheduler that starts then obeys it."""
    stop = horus("estop")
    assert stop.wait() == 1
    assert "No scheduler heard it" in stop.stdout
    assert horus("clean").wait() == 0
    assert answer(horus("estop", "--status", "--json"))["engaged"] is True
    robot = horus("run", script("robot.py", ROBOT.replace("ticks = []", "ticks = [1]")))
    robot.shows("safe")
    assert "ticks" not in robot.stdout
    assert _text(horus("estop", "--release")) == f"Released in namespace '{ns}': nodes tick again.\n"
    robot.shows("again")


# spec: F15
def test_a_node_that_does_not_stop_is_named(horus, script):
    """A node that is in the middle of a long tick is never called safe: exit code 1, and its name."""
    robot = horus("run", script("robot.py", STUCK))
    robot.shows("stuck")
    stop = horus("estop")
    assert stop.wait() == 1
    assert "NOT SAFE: slow" in stop.stdout
    status = horus("estop", "--status")
    assert status.wait() == 1
    assert "NOT SAFE: slow" in status.stdout
    robot.process.kill()


def test_where_nothing_is_nothing_is_engaged(horus):
    """--status of an empty namespace makes nothing; a released one is cleaned like any topic."""
    assert "Not engaged" in _text(horus("estop", "--status"))
    assert horus("estop", "--release").wait() == 0
    assert answer(horus("topic", "list", "--all", "--json"))["topics"] == []


def test_one_thing_at_a_time(horus):
    """A reason and --release contradict each other."""
    command = horus("estop", "stop", "--release")
    assert command.wait() == 2


def _text(command):
    assert command.wait() == 0, command.stderr
    return command.stdout


# spec: F16
def test_it_stops_the_robot_whatever_its_own_backend(horus, script, ns, monkeypatch):
    """In a terminal with HORUS_BACKEND=local, or a misspelt one, tools see a robot in shared memory all the same."""
    robot = horus("run", script("robot.py", ROBOT))
    robot.shows("ticks")
    monkeypatch.setenv("HORUS_BACKEND", "local")
    stop = horus("estop", "pulled")
    assert stop.wait() == 0, stop.stdout + stop.stderr
    robot.shows("safe")
    topics = answer(horus("topic", "list", "--all", "--json"))["topics"]
    assert "_horus.estop" in [topic["name"] for topic in topics]
    assert "arm" in _text(horus("blackbox"))
    assert "EmergencyStop" in _text(horus("msg", "show", "topic:_horus.estop"))
    assert horus("clean").wait() == 0
    monkeypatch.setenv("HORUS_BACKEND", "nobodys")
    assert answer(horus("estop", "--status", "--json"))["engaged"] is True
    assert horus("estop", "--release").wait() == 0
    robot.shows("again")


def test_a_robot_that_it_cannot_reach(horus, ns, monkeypatch):
    """Runs with HORUS_BACKEND=local hear nobody; where none heard the order, and that is set, it is said."""
    monkeypatch.setenv("HORUS_BACKEND", "local")
    stop = horus("estop", "pulled")
    assert stop.wait() == 1
    assert "HORUS_BACKEND=local hears its own process only" in stop.stdout
    assert "ENGAGED" in _text(horus("estop", "--status"))
