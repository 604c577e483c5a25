"""Ticks that hang when their run is to stop: for how long they are waited for, and what is said of them."""

from __future__ import annotations

import threading

import pytest

from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler import patience
from horus_core.scheduler.scheduler import Scheduler
from horus_core.topics.topic import Topic


@pytest.fixture
def gate():
    """What ticks hang on, until the end of the test."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.fixture
def impatient(monkeypatch):
    """The patience of these tests."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.15)


def hung(name, gate, **options):
    """A node whose tick hangs until the gate opens; `.ticks` tells when it does."""
    ticks = threading.Event()

    def tick():
        ticks.set()
        gate.wait(30)

    node = Node(name, tick=tick, **options)
    node.ticks = ticks
    return node


def ended(node):
    return node._horus.left_behind is False


CLASSES = [{"rt": True}, {"compute": True}, {"on": "go"}]


# spec: F17
def test_nothing_is_forced_before_5_s():
    """The time that a tick has when its node is to stop."""
    assert patience.PATIENCE_S == 5.0


# spec: F17
@pytest.mark.parametrize("options", CLASSES, ids=str)
def test_a_hung_tick_holds_up_no_stop(impatient, gate, until, capfd, options):
    """stop() and join() return; who hangs and what was left is said; it counts as hung, until its tick ends."""
    shut_down = []
    node = hung("stuck", gate, **options, shutdown=lambda node: shut_down.append(node.name))
    other = Node(
        "well", tick=lambda n: n.send("go", {"n": 1}), shutdown=lambda node: shut_down.append(node.name)
    )
    scheduler = Scheduler().add(node).add(other)
    scheduler.start()
    assert node.ticks.wait(20)
    scheduler.stop()
    assert scheduler.join()
    assert shut_down == ["well", "stuck"]
    assert scheduler.get_node_stats("well")["state"] == "stopped"
    assert scheduler.get_node_stats("stuck")["state"] == "hung"
    assert scheduler.safety_stats()["nodes"]["stuck"]["health"] == "hung"
    err = capfd.readouterr().err
    assert "its tick does not end; waited for 0.15 s. It is left behind: its thread, topics and name" in err
    assert "stuck" in err
    gate.set()
    until(lambda: ended(node))
    until(lambda: scheduler.get_node_stats("stuck")["state"] == "stopped")
    assert "the tick that was left behind has ended" in capfd.readouterr().err


# spec: F17
@pytest.mark.parametrize("options", CLASSES, ids=str)
def test_a_tick_that_ends_in_time_is_waited_for(gate, until, capfd, options):
    """Within the patience a tick ends by itself: nothing is said, nothing left, and the node has stopped."""
    node = hung("slow", gate, **options)
    scheduler = Scheduler().add(node).add(Node("other", tick=lambda n: n.send("go", {"n": 1})))
    scheduler.start()
    assert node.ticks.wait(20)
    scheduler.stop()
    assert not scheduler.join(0.05)
    gate.set()
    assert scheduler.join(20)
    assert scheduler.get_node_stats("slow")["state"] == "stopped"
    assert capfd.readouterr().err == ""


# spec: F17
def test_several_share_one_patience(impatient, gate):
    """Four hung nodes, whose shutdown() hangs, too, are waited for together."""
    nodes = [hung(f"n{k}", gate, rt=True, shutdown=lambda: gate.wait(30)) for k in range(4)]
    scheduler = Scheduler()
    for node in nodes:
        scheduler.add(node)
    scheduler.start()
    assert all(node.ticks.wait(20) for node in nodes)
    scheduler.stop()
    assert scheduler.join(5)
    assert {scheduler.get_node_stats(node.name)["state"] for node in nodes} <= {"hung", "stopping"}


# spec: F17
def test_a_duration_ends_all_the_same(impatient, gate):
    """run(duration) returns although an Rt tick hangs."""
    node = hung("stuck", gate, rt=True)
    for duration in (0.05, 1.0, 20.0):  # a busy machine may have no time for its thread in the first of these
        Scheduler().add(node).run(duration)
        if node.ticks.is_set():
            break
    assert node._horus.info.state() is NodeState.HUNG


def test_its_name_is_taken_until_its_tick_ends(impatient, gate, until):
    """The node that was left behind starts in no scheduler, nor does another of its name; then it does."""
    node = hung("stuck", gate, rt=True)
    scheduler = Scheduler().add(node)
    scheduler.start()
    assert node.ticks.wait(20)
    scheduler.stop()
    assert scheduler.join()
    for again in (scheduler, Scheduler().add(node)):
        with pytest.raises(NodeError, match="expected its last tick to have ended"):
            again.run(0)
    with pytest.raises(NodeError, match="expected a free name"):
        Scheduler().add(Node("stuck", tick=lambda: None)).run(0)
    gate.set()
    until(lambda: ended(node))
    scheduler.run(0)
    Scheduler().add(Node("stuck", tick=lambda: None)).run(0)


@pytest.mark.parametrize("options", CLASSES, ids=str)
def test_what_it_raises_after_all_ends_nothing(impatient, gate, until, capfd, options):
    """A tick that was left behind and fails in the end is logged; the scheduler's next run does not hear of it."""
    ticks = threading.Event()

    def tick():
        ticks.set()
        gate.wait(30)
        raise ValueError("too late")

    node = Node("stuck", tick=tick, **options)
    other = Node("well", tick=lambda n: n.send("go", {"n": 1}))
    scheduler = Scheduler().add(node).add(other)
    scheduler.start()
    assert ticks.wait(20)
    scheduler.stop()
    scheduler.join()
    scheduler.remove_node("stuck")
    scheduler.start()
    gate.set()
    until(lambda: ended(node))
    assert scheduler.is_running()
    assert not scheduler.is_stopping()
    scheduler.stop()
    scheduler.join()
    assert "the tick that was left behind has failed" in capfd.readouterr().err


def test_its_topics_stay_open_until_it_ends(impatient, gate, until):
    """A tick that goes on may still receive; what it does then does no harm."""
    got, ticks = [], threading.Event()

    def tick(node):
        ticks.set()
        gate.wait(30)
        got.append(node.recv("late"))

    topic = Topic("late", dict)
    node = Node("stuck", tick=tick, subs="late", rt=True)
    scheduler = Scheduler().add(node)
    scheduler.start()
    assert ticks.wait(20)
    scheduler.stop()
    scheduler.join()
    assert list(node._horus.wiring.topics) == ["late"]
    topic.send({"n": 1})
    gate.set()
    until(lambda: ended(node))
    assert got == [{"n": 1}]
    assert not node._horus.wiring.topics
    topic.close()


def test_a_removed_node_that_hangs(impatient, gate, until):
    """remove_node() of a node that hangs returns, too; the others tick on."""
    ticks = []
    node = hung("stuck", gate, rt=True)
    scheduler = Scheduler().add(node).add(Node("well", tick=lambda: ticks.append(1), rate=200))
    with scheduler:
        scheduler.start()
        assert node.ticks.wait(20)
        scheduler.remove_node("stuck")
        assert scheduler.get_node_names() == ["well"]
        assert node._horus.info.state() is NodeState.HUNG
        before = len(ticks)
        until(lambda: len(ticks) > before + 3)


# spec: F17
def test_a_hung_tick_on_the_runs_own_thread(impatient, gate, capfd):
    """Its thread would shut all nodes down: join() returns False, and who was not shut down is said."""
    down = []
    node = hung("stuck", gate, order=1)
    scheduler = Scheduler().add(node)
    for name in ("a", "b"):
        scheduler.add(Node(name, tick=lambda: None, shutdown=lambda node: down.append(node.name)))
    scheduler.start()
    assert node.ticks.wait(20)
    assert not scheduler.join(0.01)
    assert "not waited for" not in capfd.readouterr().err
    scheduler.stop()
    assert scheduler.join() is False
    assert scheduler.is_running()
    err = capfd.readouterr().err
    assert "the tick of node 'stuck' has not ended within 0.15 s" in err
    assert "Not shut down: 'b', 'a', 'stuck'" in err
    assert down == []
    gate.set()
    assert scheduler.join(20)
    assert down == ["b", "a"]


EXITS = """
import threading
from horus_core.nodes.node import Node
from horus_core.scheduler import patience
from horus_core.scheduler.scheduler import Scheduler

patience.PATIENCE_S = 0.1
ticks = threading.Event()

def hang(node):
    ticks.set()
    threading.Event().wait()

scheduler = Scheduler().add(Node("stuck", tick=hang, {keyword}))
scheduler.start()
ticks.wait()
"""


# spec: F17
@pytest.mark.parametrize("keyword", ["", "rt=True", "compute=True"])
def test_a_program_ends_although_a_tick_hangs(program, ended, keyword):
    """A script that comes to its end stops its scheduler, says who hangs, and ends with 0."""
    code, _, err = ended(program(EXITS.replace("{keyword}", keyword)))
    assert code == 0
    assert "stuck" in err
    assert "Traceback" not in err
