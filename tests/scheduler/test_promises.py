"""What Scheduler, run and the figures promise by name, each looked at in both of its states."""

from __future__ import annotations

import inspect
import json
import platform
import threading

import pytest

import horus
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import KEYWORDS, Scheduler


def plain(node):
    pass


async def awaiting(node):
    pass


CLASSES = {
    "best_effort": {},
    "rt": {"rt": True},
    "compute": {"compute": True},
    "compute_process": {"compute": "process", "tick": platform.node},  # which the other process can import
    "event": {"on": "go"},
    "async_io": {"tick": awaiting},
}


# spec: F28
def test_every_name_is_there():
    """The signature of the issue, word by word; run() takes the same keywords and its duration."""
    keywords = "name tick_rate rt deterministic seed watchdog blackbox ladder"
    parameters = inspect.signature(Scheduler).parameters
    assert set(keywords.split()) <= set(KEYWORDS) <= set(parameters)
    # What is given by position, or is unknown, is told how to say it.
    assert all(parameters[name].kind == inspect.Parameter.KEYWORD_ONLY for name in KEYWORDS)
    assert {*parameters} - {*KEYWORDS} == {"given", "unknown"}
    defaults = {
        "name": None,
        "tick_rate": None,
        "rt": False,
        "deterministic": False,
        "seed": 0,
        "watchdog": None,
    }
    assert {key: parameters[key].default for key in defaults} == defaults
    assert parameters["blackbox"].default is True
    methods = (
        "add remove_node run start stop join is_running tick_once tick_for pause resume set_node_rate "
        "set_tick_budget get_node_stats get_all_nodes get_node_names has_node safety_stats capabilities "
        "degradations current_tick"
    )
    assert [name for name in methods.split() if not callable(getattr(Scheduler, name, None))] == []
    assert inspect.signature(run).parameters["duration"].default is None


# spec: F29
def test_every_state_and_every_accessor_is_there():
    """NodeState has nine states, which compare with what info.state() returns; NodeInfo has its accessors."""
    states = "UNINITIALIZED INITIALIZING RUNNING PAUSED ERROR HUNG CRASHED STOPPING STOPPED"
    assert [state.name for state in horus.NodeState] == states.split()
    seen = {}

    def tick(node):
        info = node.info
        seen["now"] = (info.name, info.state(), info.tick_count(), info.error_count(), info.failed_ticks())
        seen["good"] = (info.successful_ticks(), info.avg_tick_duration_ms() >= 0, info.get_uptime() >= 0)
        seen["metrics"] = info.get_metrics()
        info.transition_to_error("because")
        seen["error"] = info.state()
        info.clear_error()
        seen["cleared"] = info.state()

    node = Node("n", tick=tick)
    run(node, duration=0)
    running = horus.NodeState.RUNNING
    assert seen["now"] == ("n", running, 0, 0, 0)
    assert seen["good"] == (0, True, True)
    assert set(seen["metrics"].values()) == {0}
    assert (seen["error"], seen["cleared"]) == (horus.NodeState.ERROR, running)
    assert node.info is None


# spec: F28
@pytest.mark.parametrize("name", CLASSES)
def test_figures_before_the_first_tick_and_after(name):
    """All that is told is JSON; before the first tick all counts are 0, then duration=0 makes each 1."""
    node = Node("n", **{"tick": plain, **CLASSES[name]})
    scheduler = Scheduler().add(node)
    before = json.loads(json.dumps(scheduler.get_node_stats("n")))
    assert (before["class"], before["state"], scheduler.current_tick()) == ("", "uninitialized", 0)
    counted = {key for key, value in before.items() if isinstance(value, (int, float))} - {"rate", "order"}
    assert {before[key] for key in counted} == {0}
    assert scheduler.safety_stats() is None
    assert not scheduler.is_running()
    scheduler.run(duration=0)
    after = json.loads(json.dumps(scheduler.get_node_stats("n")))
    assert (after["class"], after["state"], after["total_ticks"]) == (name, "stopped", 1)
    assert scheduler.current_tick() == 1
    json.dumps([scheduler.safety_stats(), scheduler.capabilities(), scheduler.degradations()])


# spec: F28
def test_current_tick_counts_the_fastest():
    """It is 0 without nodes, and goes with the node that ticks most."""
    assert Scheduler().current_tick() == 0
    seen = []
    scheduler = Scheduler(deterministic=True)
    scheduler.add(Node("fast", tick=lambda: seen.append(scheduler.current_tick()), rate=100))
    scheduler.add(Node("slow", tick=plain, rate=10))
    scheduler.run(0.5)
    assert seen == list(range(50))
    assert scheduler.current_tick() == 50


# spec: F28
def test_both_states_of_each_status(until):
    """is_running, is_stopping, has_node: false before, true meanwhile, false again."""
    seen, go = [], threading.Event()

    def tick(node):
        if not seen:
            seen.append((scheduler.is_running(), scheduler.is_stopping()))
        if go.is_set():
            node.request_stop()

    def shutdown():
        seen.append((scheduler.is_running(), scheduler.is_stopping()))

    scheduler = Scheduler()
    assert not scheduler.has_node("n")
    scheduler.add(Node("n", tick=tick, shutdown=shutdown, rate=100))
    assert scheduler.has_node("n")
    assert (scheduler.is_running(), scheduler.is_stopping()) == (False, False)
    scheduler.start()
    until(lambda: seen)
    go.set()
    scheduler.join()
    assert seen == [(True, False), (True, True)]
    assert (scheduler.is_running(), scheduler.is_stopping()) == (False, False)


# spec: F28
def test_what_safety_stats_says_in_both_states(until):
    """Watchdog and emergency stop: not running, not listening, not engaged; then each of them; then not again."""

    def look(stats):
        return stats["watchdog"]["running"], stats["estop"]["listening"], stats["estop"]["engaged"]

    scheduler = Scheduler().add(Node("n", tick=plain, watchdog=5.0, rate=200))
    scheduler.start()
    until(lambda: scheduler.get_node_stats("n")["total_ticks"])
    assert look(scheduler.safety_stats()) == (True, True, False)
    one = scheduler.safety_stats()["nodes"]["n"]
    assert (one["health"], one["critical"], one["safe_state"]) == ("healthy", False, False)
    scheduler.emergency_stop("a test")
    until(lambda: scheduler.get_node_stats("n")["state"] == "paused")
    assert look(scheduler.safety_stats()) == (True, True, True)
    scheduler.stop()
    scheduler.join()
    assert look(scheduler.safety_stats())[:2] == (False, False)


# spec: F27
def test_capacity_is_what_its_topics_keep():
    """Node(capacity=) sizes the topics that it creates; without it they have the default."""
    sizes = {}

    def tick(node):
        node.send(f"topic.{node.name}", {"n": 1})
        sizes[node.name] = node._horus.wiring.topics[f"topic.{node.name}"].capacity

    run(Node("small", tick=tick, capacity=4), Node("usual", tick=tick), duration=0)
    assert sizes["small"] == 4
    assert sizes["usual"] > 4


# spec: F28
def test_rates_of_nodes_and_of_the_scheduler():
    """tick_rate is for nodes without a rate, and the cap of those with one; rates go up to 1e6."""
    for tick_rate, rate, expected in (
        (None, None, 30),
        (50, None, 50),
        (50, 10, 10),
        (50, 400, 50),
        (1e6, 1e6, 1e6),
    ):
        options = {} if rate is None else {"rate": rate}
        scheduler = Scheduler(tick_rate=tick_rate).add(Node("n", tick=plain, **options))
        assert scheduler.get_node_stats("n")["rate"] == expected


# spec: F28
def test_the_context_manager_ends_what_runs(until):
    """Leaving `with` stops a run in the background, and nodes that were ticked by hand; idle ones it leaves alone."""
    down = []
    with Scheduler() as idle:
        idle.add(Node("idle", tick=plain, shutdown=lambda: down.append("idle")))
    with Scheduler() as stepped:
        stepped.add(Node("stepped", tick=plain, shutdown=lambda: down.append("stepped")))
        stepped.tick_once()
    with Scheduler() as background:
        background.add(Node("background", tick=plain, shutdown=lambda: down.append("background")))
        background.start()
        until(background.current_tick)
    assert down == ["stepped", "background"]
    assert not any(one.is_running() for one in (idle, stepped, background))
