"""compute="process": a node whose callbacks run in a process of their own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import horus
from horus_core.control import estop
from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler import patience
from horus_core.scheduler.run import run

sys.path.insert(0, str(Path(__file__).parent))
import far_callbacks


def gone(pid):
    """Whether no such process is there any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def topic():
    """Opens topics of dicts, before anybody sends."""
    opened = []

    def make(name):
        opened.append(horus.Topic(name, dict, capacity=256))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


# spec: B9, B17, D16, F27
def test_its_callbacks_run_in_one_other_process(running, until, topic):
    """init, ticks and shutdown run in a process of their own, with their own time; figures are here."""
    pids, lives = topic("pids"), topic("lives")
    node = Node("far", init=far_callbacks.count_init, tick=far_callbacks.pid_tick,
                shutdown=far_callbacks.tell_shutdown, rate=200, compute="process")  # fmt: skip
    scheduler = running(node)
    until(lambda: scheduler.get_node_stats("far")["total_ticks"] >= 5)
    stats = scheduler.get_node_stats("far")
    scheduler.stop()
    scheduler.join(30)
    seen = pids.recv_all()
    assert len({one["pid"] for one in seen}) == 1
    pid = seen[0]["pid"]
    assert pid != os.getpid()
    assert [one["tick"] for one in seen] == list(range(len(seen)))
    assert all(one["dt"] > 0 and one["inits"] == 1 and one["name"] == "far" for one in seen)
    assert all(one["elapsed"] >= 0 for one in seen)
    assert [one["what"] for one in lives.recv_all()] == ["init", "shutdown"]
    assert far_callbacks.state == {"inits": 0}
    assert stats["class"] == "compute_process"
    assert stats["errors_count"] == 0
    until(lambda: gone(pid))


def test_same_topics(running, until, topic):
    """It receives and sends on the topics of its parent's namespace."""
    answers = topic("answers")
    running(
        Node("far", tick=far_callbacks.double, subs="questions", pubs="answers", rate=200, compute="process")
    )
    questions = topic("questions")
    for n in range(5):
        questions.send({"n": n})
        assert answers.wait(20)
        assert answers.recv() == {"n": 2 * n}
    assert "far" in questions.subscribers


# spec: A40, A42
def test_a_gil_of_its_own(running, until, topic):
    """While it holds its interpreter in C code, nodes of this process go on."""
    gil = topic("gil")
    seen = []
    running(
        Node("far", tick=far_callbacks.hold_gil, rate=100, compute="process"),
        Node("near", tick=lambda: seen.append(1), rate=200),
    )
    assert gil.wait(20)
    assert gil.recv()["what"] == "before"
    before = len(seen)
    assert gil.wait(20)
    assert len(seen) >= before + 5


# spec: F13
def test_what_a_tick_raises_comes_out_of_run():
    """The original's type and text, with the other process's traceback as its cause."""
    with pytest.raises(OSError, match="no GPU") as caught:
        run(Node("far", tick=far_callbacks.fail, compute="process"))
    assert caught.value.errno == 5
    assert "far_callbacks.py" in str(caught.value.__cause__)


def test_exceptions_that_cannot_be_sent():
    """One that cannot travel arrives as its text."""
    with pytest.raises(RuntimeError, match="OddError: odd"):
        run(Node("far", tick=far_callbacks.fail_oddly, compute="process"))


# spec: F12
def test_on_error_is_told_there(running, until, topic):
    """on_error runs in the same process, and the node goes on."""
    told = topic("told")
    scheduler = running(
        Node("far", tick=far_callbacks.fail, on_error=far_callbacks.told, rate=100, compute="process")
    )
    until(lambda: scheduler.get_node_stats("far")["errors_count"] >= 3)
    assert told.recv() == {"type": "OSError", "text": "[Errno 5] no GPU"}


# spec: F13, A40, A42
def test_a_crash_is_contained_and_reported():
    """A segmentation fault there is an error here: the node is CRASHED, and all others shut down in order."""
    down = []
    node = Node("far", tick=far_callbacks.crash, compute="process")
    with pytest.raises(NodeError, match="process of node 'far' crashed.*SIGSEGV"):
        run(node, Node("near", tick=lambda: None, shutdown=lambda: down.append("near")))
    assert node._horus.info.state() is horus.NodeState.CRASHED
    assert down == ["near"]


def idle(scheduler, pids, until):
    """The pid of a worker that has just ended a tick."""
    ticks = scheduler.get_node_stats("far")["total_ticks"]
    until(lambda: scheduler.get_node_stats("far")["total_ticks"] > ticks)
    return pids.recv()["pid"]


# spec: F13
def test_its_end_between_two_ticks_is_a_crash(running, until, topic):
    """A worker that somebody kills while it waits is a failed tick, and then replaced by one that was initialised."""
    pids = topic("pids")
    node = Node("far", init=far_callbacks.count_init, tick=far_callbacks.pid_tick, rate=10, compute="process",
                failure_policy="ignore")  # fmt: skip
    scheduler = running(node)
    first = idle(scheduler, pids, until)
    os.kill(first, signal.SIGKILL)
    until(lambda: any(one["pid"] != first and one["inits"] == 1 for one in pids.recv_all()))
    assert scheduler.get_node_stats("far")["failed_ticks"] == 1


# spec: F13, F15, F16
def test_its_end_between_two_ticks_stops_the_robot(topic, until):
    """Of a critical node: the crash engages the emergency stop, and with policy "fatal" ends the run."""
    pids, orders = topic("pids"), []
    node = Node("far", tick=far_callbacks.pid_tick, rate=10, critical=True, compute="process")
    scheduler = horus.Scheduler().add(node)
    scheduler.start()
    os.kill(idle(scheduler, pids, until), signal.SIGKILL)
    with pytest.raises(NodeError, match="process of node 'far' crashed.*SIGKILL"):
        scheduler.join(30)
    with estop.open_topic("test") as topic_:
        orders.extend(topic_.recv_all())
    assert node._horus.info.state() is horus.NodeState.CRASHED
    assert [one.engaged for one in orders] == [True]


# spec: F16
def test_a_lost_process_enters_its_safe_state(running, until, topic):
    """After the worker's end another one enters the safe state, and the end counts at the next tick."""
    pids, lives = topic("pids"), topic("lives")
    node = Node("far", tick=far_callbacks.pid_tick, enter_safe_state=far_callbacks.safe, rate=2, compute="process",
                failure_policy="ignore")  # fmt: skip
    scheduler = running(node)
    first = idle(scheduler, pids, until)
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first))
    scheduler.emergency_stop("a test")
    assert lives.wait(20)
    assert lives.recv()["pid"] != first
    with estop.open_topic("test") as order:
        order.send(estop.order_to_release("test"))
    until(lambda: scheduler.get_node_stats("far")["failed_ticks"] == 1)
    assert pids.wait(20)


# spec: F13
def test_a_crash_says_no_more_than_it_knows():
    """Its report has none of the connection's own exceptions in it."""
    with pytest.raises(NodeError) as caught:
        run(Node("far", tick=far_callbacks.crash, compute="process"))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


# spec: F13
def test_a_crash_with_a_restart(running, until, topic):
    """failure_policy="restart" starts another process, which is initialised."""
    pids, lives = topic("pids"), topic("lives")
    scheduler = running(
        Node("far", init=far_callbacks.count_init, tick=far_callbacks.crash_once, rate=200, compute="process",
             failure_policy=horus.Restart(max_retries=50, backoff=0.001))
    )  # fmt: skip
    seen = set()
    until(lambda: (seen.update(one["pid"] for one in pids.recv_all()), len(seen) >= 2)[1])
    assert scheduler.get_node_stats("far")["restarts"] >= 1
    until(lambda: lives.recv() is not None)
    assert lives.recv() is not None


# spec: F16
def test_an_emergency_stop_reaches_it(running, until, topic):
    """Its safe state is entered in its own process, once; it ticks no more until the release."""
    lives, pids = topic("lives"), topic("pids")
    node = Node(
        "far", tick=far_callbacks.pid_tick, enter_safe_state=far_callbacks.safe, rate=100, compute="process"
    )
    scheduler = running(node)
    assert pids.wait(20)
    scheduler.emergency_stop("pressed")
    assert lives.wait(20)
    assert lives.recv() == {"what": "safe", "pid": pids.recv()["pid"]}
    until(lambda: scheduler.get_node_stats("far")["state"] == "paused")
    assert scheduler.safety_stats()["nodes"]["far"]["safe_state"] is True
    ticks = scheduler.get_node_stats("far")["total_ticks"]
    with estop.open_topic("test") as order:
        order.send(estop.order_to_release("test"))
    until(lambda: scheduler.get_node_stats("far")["total_ticks"] > ticks)
    assert lives.recv() is None


def test_request_stop_there_ends_the_run_here():
    """node.request_stop() reaches the scheduler."""
    run(Node("far", tick=far_callbacks.stop, compute="process"))


# spec: F17
def test_a_tick_that_never_ends_is_ended(monkeypatch, running, until, topic, caplog):
    """At stop it has a time of grace; then its process gets SIGTERM."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.4)
    lives = topic("lives")
    scheduler = running(Node("far", tick=far_callbacks.stop_and_sleep, compute="process"))
    assert lives.wait(20)
    pid = lives.recv()["pid"]
    with caplog.at_level("WARNING"):
        scheduler.stop()
        scheduler.join(30)
    assert "its process is ended" in caplog.text
    until(lambda: gone(pid))


def selves(topic, seed, **options):
    """What a node there tells of itself in five ticks, and the states that its scheduler saw after them."""
    told, states = topic("selves"), []
    scheduler = horus.Scheduler(seed=seed)
    scheduler.add(Node("far", tick=far_callbacks.tell_itself, compute="process", **options))
    with scheduler:
        for _ in range(5):
            scheduler.tick_once()
            states.append(scheduler.get_node_stats("far")["state"])
            scheduler.set_tick_budget("far", 0.9)
    return told.recv_all(), states


# spec: B2, C5, F11
def test_it_knows_of_itself_what_a_node_here_knows(topic):
    """budget_remaining(), also after set_tick_budget(); its state, also as the scheduler sees it."""
    told, states = selves(topic, 1, budget=0.5)
    assert 0 < told[0]["left"] <= 0.5 < told[1]["left"] <= 0.9
    assert [one["state"] for one in told] == ["RUNNING", "RUNNING", "ERROR", "ERROR", "RUNNING"]
    assert states == ["running", "error", "error", "running", "running"]


# spec: D33
def test_its_random_numbers_are_the_schedulers(topic):
    """They follow the scheduler's seed as those of a node here do; with None each run has its own."""
    first, again, other, free, freely = (
        [one["random"] for one in selves(topic, seed)[0]] for seed in (1, 1, 2, None, None)
    )
    here = []
    scheduler = horus.Scheduler(seed=1)
    with scheduler.add(Node("far", tick=lambda: here.append(horus.rng_float()))):
        scheduler.tick_once()
    assert first == again
    assert first[0] == here[0]
    assert len({first[0], other[0], free[0], freely[0]}) == 4


PARENT = """
import horus, sys
sys.path.insert(0, {folder!r})
import far_callbacks

if __name__ == "__main__":
    horus.run(horus.Node("far", tick=far_callbacks.{tick}, rate=100, compute="process"))
"""


def test_it_dies_with_its_parent(program, until, topic):
    """SIGKILL of the scheduler's process takes the worker with it, even one that never looks up."""
    lives = topic("lives")
    parent = program(PARENT.format(folder=str(Path(__file__).parent), tick="stop_and_sleep"))
    assert lives.wait(20)
    pid = lives.recv()["pid"]
    assert not gone(pid)
    parent.process.send_signal(signal.SIGKILL)
    parent.process.wait()
    until(lambda: gone(pid))


def test_ctrl_c_is_the_parents(program, topic, until):
    """SIGINT to the whole group stops the run with exit code 0, and no traceback from the worker."""
    pids = topic("pids")
    parent = program(PARENT.format(folder=str(Path(__file__).parent), tick="pid_tick"))
    assert pids.wait(20)
    pid = pids.recv()["pid"]
    os.kill(pid, signal.SIGINT)
    parent.process.send_signal(signal.SIGINT)
    _, err = parent.process.communicate(timeout=30)
    assert parent.process.returncode == 0, err
    assert "Traceback" not in err
    until(lambda: gone(pid))


SCRIPT = """
import os
import horus

def tick(node):
    node.send("pids", {"pid": os.getpid()})
    node.request_stop()

"""


def test_functions_of_a_script(program, topic):
    """A script's own functions are found, when it keeps its run under __name__ == '__main__'."""
    pids = topic("pids")
    lines = 'if __name__ == "__main__":\n    horus.run(horus.Node("far", tick=tick, compute="process"))\n'
    parent = program(SCRIPT + lines)
    parent.finish()
    assert pids.recv()["pid"] != parent.process.pid


def test_a_script_that_runs_when_loaded(program):
    """One that does not is told so, and nothing runs twice."""
    parent = program(SCRIPT + 'horus.run(horus.Node("far", tick=tick, compute="process"))\n')
    _, err = parent.process.communicate(timeout=30)
    assert parent.process.returncode == 1
    assert "if __name__ == '__main__'" in err


class Far(Node):
    """A subclass, whose state another process does not have."""

    def tick(self):
        """Nothing."""


def _local():
    def inner(node):
        pass

    return inner


@pytest.mark.parametrize(
    "tick", [lambda node: None, _local(), far_callbacks.state.get, threading.Lock().acquire]
)
def test_what_cannot_be_imported_is_refused(tick):
    """A lambda, an inner function, a bound method: refused when the node is made, with what to do."""
    with pytest.raises(ConfigError, match="Bad tick: expected a function of a module"):
        Node("far", tick=tick, compute="process")


def test_a_subclass_is_refused():
    """Its object stays here: its methods cannot run there."""
    with pytest.raises(ConfigError, match="Bad tick: expected a function of a module"):
        Far("far", compute="process")


def test_types_that_cannot_be_imported_are_refused():
    """A message class that only this function knows is refused before anything starts."""

    class Local(horus.Message):
        x: horus.f64 = 0.0

    node = Node("far", tick=far_callbacks.double, pubs={"local": Local}, compute="process")
    with pytest.raises(ConfigError, match="another process can import"):
        run(node)


def test_not_by_name_alone():
    """execution="compute_process" needs compute="process": the callbacks are looked at when the node is made."""
    with pytest.raises(ConfigError, match="expected compute='process'"):
        run(Node("far", tick=far_callbacks.double, execution="compute_process"))
