"""Who has obeyed an emergency stop, as another process sees it: only what is over counts."""

from __future__ import annotations

import threading

import pytest

import horus
from horus_plugins.monitor import estop


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """How long nodes may take to obey, of which a busy machine takes its share."""
    monkeypatch.setattr(estop, "_PATIENCE_S", 20.0)


@pytest.fixture
def robot(until):
    """Runs one node in the background until the end of the test."""
    schedulers = []

    def start(state="running", **callbacks):
        callbacks.setdefault("tick", lambda: None)
        scheduler = horus.Scheduler(name="robot").add(horus.Node("arm", rate=100, **callbacks))
        schedulers.append(scheduler)
        scheduler.start()
        until(lambda: scheduler.get_node_stats("arm")["state"] == state)
        return scheduler

    yield start
    for scheduler in schedulers:
        scheduler.stop()
        assert scheduler.join(20)


def states(found):
    return [(node.state, node.held, node.safe_state) for node in found.nodes]


@pytest.fixture
def no_patience(monkeypatch):
    """What has not happened by now is told as it is."""
    monkeypatch.setattr(estop, "_PATIENCE_S", 0.1)


# spec: F16
@pytest.mark.parametrize("callbacks", [{"enter_safe_state": lambda: None}, {}])
@pytest.mark.parametrize("paused", [True, False])
def test_a_node_that_is_held_has_obeyed(robot, callbacks, paused):
    """Paused before or not, with or without an enter_safe_state(): no tick, and what there was has returned."""
    scheduler = robot(**callbacks)
    if paused:
        scheduler.pause()
    assert [(state, held) for state, held, _ in states(estop.status())] == [
        ("paused" if paused else "running", False)
    ]
    found = estop.engage("test")
    assert found.is_safe
    assert states(found) == [("paused", True, bool(callbacks))]
    estop.release()


# spec: F16
@pytest.mark.parametrize("paused", [True, False])
def test_one_on_its_way_has_not(robot, until, no_patience, paused):
    """While enter_safe_state() runs the node is not safe, paused or not; nor does another thread say so for it."""
    proceed, inside = threading.Event(), threading.Event()

    def safe():
        inside.set()
        proceed.wait(20)

    scheduler = robot(enter_safe_state=safe)
    if paused:
        scheduler.pause()
    try:
        found = estop.engage("test")
        assert inside.wait(20)
        assert not found.is_safe
        assert [node.name for node in found.moving] == ["arm"]
    finally:
        proceed.set()
    until(lambda: estop.status().is_safe)
    estop.release()
    until(lambda: states(estop.status())[0][1] is False)


# spec: F16
@pytest.mark.parametrize("paused", [True, False])
def test_one_whose_safe_state_failed_has_not(robot, until, no_patience, paused):
    """An enter_safe_state() that raised is no safe state, also of a node that was paused before."""

    def safe():
        raise OSError("motor does not answer")

    scheduler = robot(enter_safe_state=safe)
    if paused:
        scheduler.pause()
    assert not estop.engage("test").is_safe
    until(lambda: states(estop.status()) == [("error", False, False)])
    assert "NOT SAFE: arm" in "\n".join(estop.told(estop.status()))
    estop.release()


# spec: F16
def test_one_in_its_init_has_not(robot, until, no_patience):
    """init() may move whatever it likes; when it has ended the node is held."""
    proceed = threading.Event()
    robot("initializing", init=lambda: proceed.wait(20))
    try:
        found = estop.engage("test")
        assert [(node.name, node.state) for node in found.moving] == [("arm", "initializing")]
    finally:
        proceed.set()
    until(lambda: estop.status().is_safe)
    estop.release()


# spec: F16
def test_one_that_has_ended_moves_nothing(robot, until):
    """A node that its failure policy isolated, or that waits for its restart, was shut down: it moves nothing."""

    def fail():
        raise OSError

    scheduler = robot("stopped", tick=fail, failure_policy=horus.Restart(backoff=30))
    scheduler.add(horus.Node("gone", tick=fail, failure_policy="isolate"))
    until(lambda: scheduler.get_node_stats("gone")["state"] == "crashed")
    assert estop.engage("test").is_safe
    estop.release()
