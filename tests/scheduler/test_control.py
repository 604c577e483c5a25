"""Nodes added, removed, paused and re-timed while they run, from other threads and from callbacks; start and join."""

from __future__ import annotations

import json
import threading

import pytest

from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler

BOTH = pytest.mark.parametrize("rt", [False, True], ids=["best_effort", "rt"])


@pytest.fixture
def running(log, until):
    """A scheduler that runs in the background with a node `base`; it ends with the test."""
    scheduler = Scheduler(name="control").add(log.node("base"))
    scheduler.start()
    log.moves("base", until)
    yield scheduler
    scheduler.stop()
    assert scheduler.join(20)


def state(scheduler, name):
    return scheduler.get_node_stats(name)["state"]


# spec: F28
@BOTH
def test_add_while_running(running, log, until, rt):
    """A node added from another thread is initialised when add() returns, ticks, and is shut down with the rest."""
    assert running.add(log.node("late", rt=rt)) is running
    assert "init late" in log.seen
    log.moves("late", until)
    assert f"late: {'rt' if rt else 'best_effort'}" in repr(running)
    json.dumps(running.get_node_stats("late"))
    running.stop()
    running.join()
    assert log.seen == ["init base", "init late", "shutdown late", "shutdown base"]


def test_add_whose_init_fails(running, log, until):
    """add() raises what init() raised; the node is not in the scheduler, and the others go on."""

    def fail():
        raise OSError("no such motor")

    with pytest.raises(OSError, match="no such motor"):
        running.add(Node("bad", init=fail, tick=lambda: None))
    assert running.get_node_names() == ["base"]
    log.moves("base", until)
    with pytest.raises(NodeError, match="second 'base'"):
        running.add(log.node("base"))


# spec: F28
@BOTH
def test_remove_while_running(running, log, until, rt):
    """remove_node() returns when the node was shut down; it never ticks again, and its name is free."""
    running.add(log.node("late", rt=rt))
    log.moves("late", until)
    running.remove_node("late")
    assert log.seen[-1] == "shutdown late"
    assert not running.has_node("late")
    before = log.ticks["late"]
    log.moves("base", until, 10)
    assert log.ticks["late"] == before
    with pytest.raises(NodeError, match="No node 'late'"):
        running.remove_node("late")
    running.add(log.node("late", rt=not rt))
    log.moves("late", until)


def test_removing_the_last_node_ends_the_run(running, log):
    """A run without nodes is over."""
    running.remove_node("base")
    assert running.join(20)
    assert log.seen == ["init base", "shutdown base"]


# spec: F28
@BOTH
def test_add_and_remove_from_callbacks(log, until, rt):
    """A callback may add and remove nodes, itself too: it happens soon after it, and nothing waits for itself."""
    scheduler = Scheduler(name="callbacks")

    def spawn(node):
        if node.info.tick_count() == 3:
            scheduler.add(log.node("child", rt=rt))
        if "child" in log.ticks:
            scheduler.remove_node("parent")

    scheduler.add(log.node("parent", tick=spawn, rt=rt)).add(log.node("base"))
    scheduler.start()
    until(lambda: "shutdown parent" in log.seen)
    log.moves("child", until)
    assert scheduler.get_node_names() == ["base", "child"]
    scheduler.stop()
    scheduler.join()
    assert log.seen[-2:] == ["shutdown child", "shutdown base"]


def test_what_a_callback_asks_for_in_vain_is_logged(log, until, capfd):
    """A node that a callback adds and whose init() raises is out again, with the traceback in the log."""
    scheduler = Scheduler(name="vain")

    def fail():
        raise OSError("no such motor")

    def spawn(node):
        if node.info.tick_count() == 0:
            scheduler.add(Node("bad", init=fail, tick=lambda: None))
        else:
            log.ticks["parent"] = log.ticks.get("parent", 0) + 1

    scheduler.add(log.node("parent", tick=spawn))
    scheduler.start()
    until(lambda: not scheduler.has_node("bad"))
    log.moves("parent", until)
    scheduler.stop()
    scheduler.join()
    err = capfd.readouterr().err
    assert "what a callback asked for failed" in err
    assert "OSError: no such motor" in err


def test_add_in_init_starts_once(log, until):
    """A node that another's init() adds starts after it, once, though the run was only beginning."""
    scheduler = Scheduler(name="nested")
    scheduler.add(log.node("a", init=lambda: scheduler.add(log.node("b"))))
    scheduler.start()
    log.moves("b", until)
    scheduler.stop()
    scheduler.join()
    assert log.seen.count("init b") == log.seen.count("shutdown b") == 1


def test_add_while_it_stops_waits_for_the_next_run(log):
    """A node added in a shutdown() is not started any more; the next run has it, and nothing hangs."""
    scheduler = Scheduler(name="stopping")
    late = log.node("late")

    def shutdown():
        if not scheduler.has_node("late"):
            scheduler.add(late)

    scheduler.add(log.node("a", shutdown=shutdown))
    scheduler.run(0)
    assert log.seen == ["init a"]
    assert scheduler.get_node_names() == ["a", "late"]
    scheduler.run(0)
    assert log.seen == ["init a", "init a", "init late", "shutdown late"]


def test_add_from_a_thread_while_it_stops(log):
    """A thread that adds a node while nodes shut down gets its turn, and never waits for good."""
    scheduler = Scheduler(name="stopping")
    thread = threading.Thread(target=lambda: scheduler.add(log.node("late")))

    scheduler.add(log.node("a", shutdown=thread.start))
    scheduler.run(0)
    thread.join(20)
    assert not thread.is_alive()
    assert "init late" not in log.seen
    assert scheduler.has_node("late")


# spec: F28
@BOTH
def test_pause_and_resume(running, log, until, rt):
    """A paused node does not tick and keeps its figures; a resumed one goes on, without a burst."""
    running.add(log.node("late", rt=rt))
    log.moves("late", until)
    running.pause("late")
    assert state(running, "late") == "paused"
    log.moves("base", until, 10)
    before = running.get_node_stats("late")["total_ticks"]
    log.moves("base", until, 20)
    # One may have been under way on its own thread: nobody waited for its end.
    assert running.get_node_stats("late")["total_ticks"] <= before + 1
    running.resume("late")
    assert state(running, "late") == "running"
    log.moves("late", until)
    assert "shutdown late" not in log.seen


def test_a_rate_set_while_paused_leaves_it_paused(running, log, until):
    """set_node_rate() on a paused node is for when it goes on."""
    running.pause("base")
    running.set_node_rate("base", 400)
    assert state(running, "base") == "paused"
    running.add(log.node("late"))
    before = log.ticks["base"]
    log.moves("late", until, 10)
    assert log.ticks["base"] == before
    running.resume()
    log.moves("base", until)
    assert running.get_node_stats("base")["rate"] == 400


def test_pause_all_and_stop(running, log, until):
    """Without a name all nodes are meant; a paused run can be stopped, and shuts its nodes down."""
    running.add(log.node("late", rt=True))
    running.pause()
    assert {state(running, name) for name in ("base", "late")} == {"paused"}
    running.stop()
    assert running.join(20)
    assert log.seen[-2:] == ["shutdown late", "shutdown base"]


@BOTH
def test_a_node_may_pause_itself(log, until, rt):
    """pause() in a node's own tick: this one ends, no other begins."""
    scheduler = Scheduler(name="own")
    ticks = []

    def tick():
        ticks.append(1)
        scheduler.pause("n")

    scheduler.add(log.node("n", tick=tick, rt=rt)).add(log.node("base"))
    scheduler.start()
    until(lambda: state(scheduler, "n") == "paused")
    log.moves("base", until, 10)
    assert len(ticks) == 1
    scheduler.resume("n")
    until(lambda: len(ticks) == 2)
    scheduler.stop()
    scheduler.join()


# spec: F28
@BOTH
def test_set_node_rate_wakes_a_long_sleep(running, log, until, rt):
    """A node that slept for 1000 s ticks at once when its rate is raised, from any thread."""
    running.add(log.node("slow", rt=rt, rate=0.001))
    until(lambda: "slow" in log.ticks)
    running.set_node_rate("slow", 200)
    assert running.get_node_stats("slow")["rate"] == 200
    log.moves("slow", until, 5)
    with pytest.raises(ConfigError, match="Bad rate"):
        running.set_node_rate("slow", 0)
    with pytest.raises(NodeError, match="No node 'slwo'"):
        running.set_node_rate("slwo", 1)


def test_set_node_rate_from_a_callback(clock):
    """A tick may change its own rate: the next release is on the new grid."""
    starts = []
    scheduler = Scheduler(clock=clock)

    def tick():
        starts.append(clock.ms)
        if len(starts) == 5:
            scheduler.set_node_rate("n", 10)

    scheduler.add(Node("n", tick=tick, rate=100)).run(1)
    assert starts == [0, 10, 20, 30, 40, *range(100, 1000, 100)]


# spec: F28
def test_tick_rate_caps_a_rate_that_is_set():
    """tick_rate is the most that any node gets, whenever it is asked for."""
    scheduler = Scheduler(tick_rate=50).add(Node("n", tick=lambda: None, rate=10))
    scheduler.set_node_rate("n", 400)
    assert scheduler.get_node_stats("n")["rate"] == 50
    scheduler.set_node_rate("n", 40)
    assert scheduler.get_node_stats("n")["rate"] == 40


# spec: F28
@BOTH
def test_set_tick_budget(log, until, rt):
    """A budget set while it runs counts for the ticks after it, and None takes it back; where it ticks stays."""
    scheduler = Scheduler(name="budget")
    wait = threading.Event()
    scheduler.add(log.node("n", tick=lambda: wait.wait(0.002), rt=rt))
    scheduler.start()
    until(lambda: scheduler.get_node_stats("n")["total_ticks"] > 5)
    assert scheduler.get_node_stats("n")["missed_deadlines"] == 0
    scheduler.set_tick_budget("n", 1e-6)
    until(lambda: scheduler.get_node_stats("n")["missed_deadlines"] > 3)
    scheduler.set_tick_budget("n", None)
    before = scheduler.get_node_stats("n")
    until(lambda: scheduler.get_node_stats("n")["total_ticks"] > before["total_ticks"] + 5)
    assert scheduler.get_node_stats("n")["missed_deadlines"] <= before["missed_deadlines"] + 1
    assert scheduler.get_node_stats("n")["class"] == ("rt" if rt else "best_effort")
    scheduler.stop()
    scheduler.join()


# spec: F28
def test_start_stop_at_once(log):
    """stop() right after start() is never lost; what it interrupts shuts down."""
    for _ in range(20):
        scheduler = Scheduler(name="quick").add(log.node("n"))
        scheduler.start()
        scheduler.stop()
        assert scheduler.join(20)
    assert log.seen.count("init n") == log.seen.count("shutdown n")
    assert not scheduler.is_running()


# spec: F28
def test_join(log, until):
    """join() says whether the run is over, raises what the run raised, once; without a run it returns at once."""
    scheduler = Scheduler(name="join").add(log.node("n"))
    assert scheduler.join()
    scheduler.start()
    assert scheduler.is_running()
    assert not scheduler.join(0.01)
    with pytest.raises(NodeError, match="runs already"):
        scheduler.start()
    scheduler.stop()
    assert scheduler.join(20)

    def fail():
        raise ValueError("bad reading")

    scheduler.add(log.node("bad", tick=fail, rt=True))
    scheduler.start()
    with pytest.raises(ValueError, match="bad reading"):
        scheduler.join(20)
    assert scheduler.join()


def test_start_raises_what_keeps_it_from_starting(log, until):
    """start() while run() has the scheduler is refused by start() itself; so are bad durations."""
    scheduler = Scheduler(name="busy").add(log.node("n"))
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    log.moves("n", until)
    with pytest.raises(NodeError, match="runs already"):
        scheduler.start()
    with pytest.raises(ConfigError, match="duration"):
        scheduler.start(-1)
    scheduler.stop()
    runner.join(20)
    scheduler.start(0.01)
    assert scheduler.join(20)


def test_a_failure_in_the_background_is_logged(log, until, capfd):
    """Whoever never joins still reads why the run ended; the scheduler can be started again."""
    fails = [True]

    def tick():
        if fails:
            raise ValueError("bad reading")
        log.ticks["n"] = log.ticks.get("n", 0) + 1

    scheduler = Scheduler(name="unjoined").add(log.node("n", tick=tick))
    scheduler.start()
    said = []
    until(lambda: said.append(capfd.readouterr().err) or "ended by ValueError: bad reading" in "".join(said))
    fails.clear()
    scheduler.start()
    log.moves("n", until)
    scheduler.stop()
    assert scheduler.join(20)


@BOTH
def test_join_in_a_callback_is_refused(log, rt):
    """join() inside a tick would wait for itself."""
    scheduler = Scheduler(name="own").add(log.node("n", tick=lambda: scheduler.join() and None, rt=rt))
    scheduler.start()
    with pytest.raises(NodeError, match="inside of a callback"):
        scheduler.join(20)


# spec: F28
@BOTH
def test_run_twice(log, rt):
    """A second run starts all nodes anew, with figures that go on."""
    scheduler = Scheduler(name="twice").add(log.node("n", rt=rt)).add(log.node("m", rt=rt))
    for _ in range(2):
        scheduler.run(0.05)
    assert log.seen == ["init n", "init m", "shutdown m", "shutdown n"] * 2
    assert scheduler.get_node_stats("n")["total_ticks"] == log.ticks.get("n", 0)


def test_the_end_of_the_program_stops_the_background(program, ended):
    """A program that ends without stop() shuts its nodes down all the same."""
    one = program(
        """
import threading
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler

ticked = threading.Event()
node = Node("n", tick=ticked.set, shutdown=lambda: print("shutdown", flush=True), rt=True)
Scheduler().add(node).start()
ticked.wait()
"""
    )
    code, out, err = ended(one)
    assert (code, out, err) == (0, ["shutdown"], "")


def test_many_threads_steer_at_once(running, log, until):
    """Threads that add, remove, pause, re-time and read at the same time neither fail nor hang."""
    failures = []

    def steer(number):
        name = f"n{number}"
        try:
            for _ in range(10):
                running.add(log.node(name, rt=number % 2 == 0))
                running.pause(name)
                running.set_node_rate(name, 300)
                running.resume(name)
                running.get_node_stats(name)
                running.capabilities(), running.degradations(), repr(running)
                running.remove_node(name)
        except (NodeError, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=steer, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
    log.moves("base", until)
    assert running.get_node_names() == ["base"]
