"""Compute: nodes on a pool of threads."""

from __future__ import annotations

import threading
import time

import pytest

import horus
from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler
from horus_plugins.execution import compute


# spec: B9, B17, D16, F27
def test_ticks_of_two_nodes_overlap(until):
    """Two Compute nodes are inside their ticks at the same time, on threads that are not the scheduler's."""
    barrier = threading.Barrier(2, timeout=20)
    threads = set()

    def tick(node):
        threads.add(threading.get_ident())
        barrier.wait()
        node.request_stop()

    scheduler = Scheduler()
    for name in ("planner", "detector"):
        scheduler.add(Node(name, tick=tick, compute=True))
    try:
        scheduler.run()
    except threading.BrokenBarrierError:
        pytest.fail("the ticks did not overlap")
    assert len(threads) == 2
    assert threading.get_ident() not in threads


# spec: D16
def test_a_long_tick_holds_up_nobody_else(running, until):
    """While a Compute node thinks, an ordinary node keeps ticking."""
    think = threading.Event()
    thinking = threading.Event()

    def plan():
        thinking.set()
        think.wait(20)

    quick = Node("quick", tick=lambda: None, rate=100)
    scheduler = running(Node("planner", tick=plan, compute=True), quick)
    assert thinking.wait(20)
    ticks = quick._horus.info.tick_count()
    until(lambda: quick._horus.info.tick_count() >= ticks + 5)
    assert scheduler.get_node_stats("planner")["total_ticks"] == 0
    think.set()
    until(lambda: scheduler.get_node_stats("planner")["total_ticks"] >= 1)
    assert scheduler.get_node_stats("planner")["class"] == "compute"


# spec: F14
def test_no_tick_overlaps_itself(running, until):
    """A node whose tick takes longer than its period skips releases, which are counted, and never runs twice."""
    inside = threading.Lock()
    twice = []

    def tick():
        if not inside.acquire(blocking=False):
            twice.append(1)
        time.sleep(0.005)
        inside.release()

    scheduler = running(Node("slow", tick=tick, rate=1000, compute=True))
    until(lambda: scheduler.get_node_stats("slow")["total_ticks"] >= 10)
    assert scheduler.get_node_stats("slow")["skipped_releases"] >= 9
    assert twice == []


def test_order_among_those_that_are_due_together(monkeypatch):
    """With one thread, nodes that come due together tick by order; none that is always due starves another."""
    monkeypatch.setattr(compute, "MOST_THREADS", 1)
    seen = []

    def tick(node):
        seen.append(node.name)
        time.sleep(0.001)
        if min(map(seen.count, "abc")) >= 8:
            node.request_stop()

    nodes = [Node(name, tick=tick, rate=1e6, order=order, compute=True) for name, order in
             (("c", 3), ("a", 1), ("b", 2))]  # fmt: skip
    run(*nodes)
    first = seen.index("a", max(map(seen.index, "abc")))  # the pool begins before all were added
    assert seen[first : first + 12] == ["a", "b", "c"] * 4


# spec: F29
def test_time_inside(until):
    """horus.now, dt and tick are the node's own there."""
    seen = []

    def tick(node):
        seen.append((horus.tick(), horus.dt(), horus.elapsed() >= 0, node.info.state()))
        if len(seen) == 5:
            node.request_stop()

    run(Node("n", tick=tick, rate=200, compute=True))
    assert [one[0] for one in seen] == list(range(len(seen)))
    assert all(dt > 0 and after and state is NodeState.RUNNING for _, dt, after, state in seen)


# spec: F13
def test_failure_ends_the_run_with_the_original():
    """What a Compute tick raises comes out of run(), after all nodes were shut down."""
    down = []
    error = OSError("no GPU")

    def fail():
        raise error

    with pytest.raises(OSError) as caught:
        run(
            Node("a", tick=fail, compute=True),
            Node("b", tick=lambda: None, shutdown=lambda: down.append("b")),
        )
    assert caught.value is error
    assert down == ["b"]


# spec: F12, F13
def test_policies_apply(running, until):
    """on_error is told; a node that restarts is initialised again; an isolated one stops alone."""
    told, inits = [], []

    def fail():
        raise ValueError("bad")

    scheduler = running(
        Node("told", tick=fail, on_error=told.append, rate=200, compute=True),
        Node("again", init=lambda: inits.append(1), tick=fail, rate=200, compute=True,
             failure_policy=horus.Restart(max_retries=1000, backoff=0.001)),
        Node("alone", tick=fail, compute=True, failure_policy="isolate"),
    )  # fmt: skip
    until(lambda: len(told) > 2 and len(inits) > 2)
    until(lambda: scheduler.get_node_stats("alone")["state"] == "crashed")


def test_pause_resume_rate_and_removal_while_it_runs(running, until):
    """What the scheduler offers while running reaches a node of the pool."""
    scheduler = running(
        Node("n", tick=lambda: None, rate=0.001, compute=True), Node("keep", tick=lambda: None)
    )

    def ticks():
        return scheduler.get_node_stats("n")["total_ticks"]

    until(lambda: ticks() == 1)
    scheduler.set_node_rate("n", 500)
    until(lambda: ticks() > 5)
    scheduler.pause("n")
    until(lambda: scheduler.get_node_stats("n")["state"] == "paused")
    scheduler.resume("n")
    before = ticks()
    until(lambda: ticks() > before)
    scheduler.remove_node("n")
    assert not scheduler.has_node("n")
    scheduler.add(Node("n", tick=lambda: None, rate=100, compute=True))
    until(lambda: ticks() > 2)


def test_more_nodes_than_threads(running, until):
    """A hundred nodes share the pool, which is as large as there are cores, and all tick."""
    before = threading.active_count()
    nodes = [Node(f"n{i}", tick=lambda: None, rate=50, compute=True) for i in range(100)]
    scheduler = running(*nodes)
    until(lambda: all(scheduler.get_node_stats(node.name)["total_ticks"] > 1 for node in nodes))
    assert threading.active_count() - before <= 1 + compute.MOST_THREADS


def test_stop_waits_for_the_tick():
    """shutdown() comes after the tick that was under way has ended."""
    seen = []

    def tick(node):
        node.request_stop()
        time.sleep(0.05)
        seen.append("tick")

    run(Node("n", tick=tick, shutdown=lambda: seen.append("shutdown"), compute=True))
    assert seen == ["tick", "shutdown"]


def test_one_way_to_run():
    """compute= with on= or a priority is refused, naming both."""
    with pytest.raises(ConfigError, match="priority=.*compute=True"):
        Node("n", tick=lambda: None, compute=True, priority=10)
