"""run(): start, stop, failures on the way, and what other threads may do meanwhile."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest

from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler


def recorder(seen, name, **options):
    """A node that notes its callbacks in `seen`."""
    return Node(
        name,
        init=lambda: seen.append(f"init {name}"),
        tick=options.pop("tick", lambda: seen.append(f"tick {name}")),
        shutdown=options.pop("shutdown", lambda: seen.append(f"shutdown {name}")),
        **options,
    )


# spec: F28
def test_duration_zero_ticks_each_once():
    """duration=0 starts all, ticks each once in order, shuts down in reverse order, and returns."""
    seen = []
    run(recorder(seen, "b", order=2), recorder(seen, "a", order=1), duration=0)
    assert seen == ["init a", "init b", "tick a", "tick b", "shutdown b", "shutdown a"]


# spec: A5
def test_run_blocks_for_the_duration():
    """run() returns after the duration, and ticks happened meanwhile at the rate."""
    for duration in (0.2, 5.0):  # a machine that is busy for all of the first may come to no tick in it
        seen = []
        started = time.monotonic()
        run(recorder(seen, "a", rate=100), duration=duration)
        assert time.monotonic() - started >= duration
        assert seen.count("tick a") <= 100 * duration
        if "tick a" in seen:
            break
    assert "tick a" in seen


def test_request_stop_from_a_tick():
    """request_stop() ends the run; the nodes due in the same pass still tick."""
    seen = []
    stopper = recorder(seen, "a", tick=lambda node: node.request_stop())
    run(stopper, recorder(seen, "b"))
    assert seen == ["init a", "init b", "tick b", "shutdown b", "shutdown a"]


def test_request_stop_from_a_thread_wakes_the_sleep(until):
    """A stop from another thread ends a sleep of 1000 s at once."""
    seen = []
    scheduler = Scheduler().add(recorder(seen, "a", rate=0.001))
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    until(lambda: "tick a" in seen)
    assert scheduler.is_running()
    scheduler.request_stop()
    runner.join(20)
    assert not runner.is_alive()
    assert not scheduler.is_running()
    assert seen[-1] == "shutdown a"


def test_stop_before_run_is_kept():
    """A stop that comes before run() has begun is not lost, and does not reach the run after."""
    seen = []
    scheduler = Scheduler().add(recorder(seen, "a"))
    scheduler.request_stop()
    scheduler.run()
    assert seen == []
    scheduler.run(duration=0)
    assert seen == ["init a", "tick a", "shutdown a"]


def test_run_again():
    """The same nodes can run a second time."""
    seen = []
    node = recorder(seen, "a")
    run(node, duration=0)
    run(node, duration=0)
    assert seen == ["init a", "tick a", "shutdown a"] * 2


def test_init_failure_shuts_down_those_that_started():
    """When init raises, the nodes that had started shut down in reverse, and the exception propagates."""
    seen = []

    def fail():
        raise OSError("no such camera")

    bad = Node("bad", init=fail, tick=lambda: None, shutdown=lambda: seen.append("shutdown bad"), order=3)
    nodes = [recorder(seen, "a", order=1), recorder(seen, "b", order=2), bad, recorder(seen, "c", order=4)]
    with pytest.raises(OSError, match="no such camera"):
        run(*nodes)
    assert seen == ["init a", "init b", "shutdown b", "shutdown a"]
    assert bad._horus.info.state() is NodeState.CRASHED


# spec: E9, F13
def test_fatal_tick_raises_the_original():
    """A tick that raises without on_error crashes its node; all shut down, run() raises the original."""
    seen = []
    error = ValueError("bad reading")

    def fail():
        raise error

    bad = recorder(seen, "bad", tick=fail, order=1)
    good = recorder(seen, "good", order=2)
    with pytest.raises(ValueError) as caught:
        run(bad, good)
    assert caught.value is error
    assert error.__context__ is None
    assert caught.traceback[-1].name == "fail"
    assert seen == ["init bad", "init good", "shutdown good", "shutdown bad"]
    assert bad._horus.info.state() is NodeState.CRASHED
    assert good._horus.info.state() is NodeState.STOPPED


def test_shutdown_exceptions_are_logged(capfd):
    """A shutdown that raises is logged with its traceback; the others still run, and run() returns."""
    seen = []

    def fail():
        raise RuntimeError("motor does not answer")

    run(recorder(seen, "a", order=1), recorder(seen, "b", order=2, shutdown=fail), duration=0)
    assert seen[-1] == "shutdown a"
    err = capfd.readouterr().err
    assert "ERROR b: shutdown() failed" in err
    assert "motor does not answer" in err


def test_sys_exit_in_a_tick_shuts_down():
    """sys.exit() in a tick ends the run with that exit, after all nodes were shut down."""
    seen = []

    def leave():
        raise SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        run(recorder(seen, "a", tick=leave))
    assert caught.value.code == 3
    assert seen == ["init a", "shutdown a"]


def test_tick_that_returns_a_coroutine_is_refused():
    """A tick whose result would have to be awaited raises instead of never running."""

    async def work():
        pass

    with pytest.raises(TypeError, match="coroutine"):
        run(Node("a", tick=lambda node: work()), duration=0)


# spec: B3
def test_states_on_the_way():
    """A node is INITIALIZING in init, RUNNING in tick, STOPPING in shutdown, STOPPED after."""
    states = []

    def note(node):
        states.append(node.info.state())

    node = Node("a", init=note, tick=note, shutdown=note)
    assert node._horus.info.state() is NodeState.UNINITIALIZED
    run(node, duration=0)
    assert states == [NodeState.INITIALIZING, NodeState.RUNNING, NodeState.STOPPING]
    assert node._horus.info.state() is NodeState.STOPPED


# spec: D22
def test_stats_from_another_thread(until):
    """Figures can be read while the scheduler runs, are JSON-ready, and zero before the first tick."""
    scheduler = Scheduler().add(Node("a", tick=lambda: None, rate=500))
    before = scheduler.get_node_stats("a")
    assert before["total_ticks"] == before["errors_count"] == before["avg_tick_duration_ms"] == 0
    assert before["state"] == "uninitialized"
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    try:
        until(lambda: scheduler.get_node_stats("a")["total_ticks"] > 3)
        during = json.loads(json.dumps(scheduler.get_node_stats("a")))
        assert during["state"] == "running"
        assert during["rate"] == 500
    finally:
        scheduler.stop()
        runner.join(20)
    assert scheduler.get_node_stats("a")["state"] == "stopped"


def test_unknown_name_in_stats():
    """Stats of a node that does not exist are an error that lists those that do."""
    scheduler = Scheduler().add(Node("camera", tick=lambda: None))
    with pytest.raises(NodeError, match="camera"):
        scheduler.get_node_stats("camra")


def test_tick_once_and_context_manager():
    """tick_once() starts the nodes at its first call and ticks each; leaving the `with` shuts them down."""
    seen = []
    with Scheduler() as scheduler:
        scheduler.add(recorder(seen, "a")).add(recorder(seen, "b"))
        assert scheduler.get_node_names() == ["a", "b"]
        assert scheduler.has_node("a")
        assert not scheduler.has_node("c")
        scheduler.tick_once()
        scheduler.tick_once()
    assert seen == ["init a", "init b", *["tick a", "tick b"] * 2, "shutdown b", "shutdown a"]


def test_other_threads_keep_their_hands_off_signals():
    """run() outside the main thread changes no signal handler."""
    handlers = []
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    node = Node(
        "a", tick=lambda: handlers.extend(signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM))
    )
    runner = threading.Thread(target=run, args=(node,), kwargs={"duration": 0})
    runner.start()
    runner.join(20)
    assert handlers == before


def test_run_inside_a_tick_is_refused():
    """Running a second scheduler inside a callback is an error, not a deadlock."""
    inner = Node("inner", tick=lambda: None)
    with pytest.raises(NodeError, match="inside of another's callback"):
        run(Node("outer", tick=lambda: run(inner, duration=0)), duration=0)
    run(inner, duration=0)


def test_timer_slack_is_for_the_run_only():
    """While it runs, a scheduler's thread is woken as exactly as the kernel can; afterwards as before."""
    from horus_core import _native

    seen = []

    def tick():
        seen.append(_native.set_timer_slack(1))

    before = _native.set_timer_slack(60_000)
    try:
        run(Node("a", tick=tick), duration=0)
        assert seen == [1]
        assert _native.set_timer_slack(60_000) == 60_000
    finally:
        _native.set_timer_slack(before)


def test_a_node_that_was_never_made_ready_is_refused():
    """A subclass that forgot super().__init__() is told so."""

    class Driver(Node):
        def __init__(self):
            self.port = 3

        def tick(self):
            pass

    with pytest.raises(NodeError, match=r"super\(\)\.__init__"):
        run(Driver())


def test_two_schedulers_in_two_threads(until):
    """Two schedulers run side by side in two threads of a process."""
    seen = []
    schedulers = [Scheduler().add(recorder(seen, name, rate=200)) for name in ("a", "b")]
    threads = [threading.Thread(target=s.run) for s in schedulers]
    for thread in threads:
        thread.start()
    until(lambda: seen.count("tick a") > 2 and seen.count("tick b") > 2)
    for scheduler in schedulers:
        scheduler.stop()
    for thread in threads:
        thread.join(20)
    assert seen.count("shutdown a") == seen.count("shutdown b") == 1


def test_bad_use_is_refused():
    """No node, twice the same name, not a node, unknown and unavailable keywords, bad durations."""
    node = Node("a", tick=lambda: None)
    with pytest.raises(ConfigError, match="at least one node"):
        run()
    with pytest.raises(NodeError, match="second 'a'"):
        run(node, Node("a", tick=lambda: None))
    with pytest.raises(NodeError, match="expected a Node"):
        run(lambda: None)
    with pytest.raises(NodeError, match="one by one"):
        run([node])
    with pytest.raises(ConfigError, match="did you mean 'tick_rate'"):
        run(node, tick_rat=3)
    for bad in (-1, float("nan"), float("inf"), "1", True):
        with pytest.raises(ConfigError, match="duration"):
            run(node, duration=bad)


# spec: F8
def test_an_unknown_keyword_of_run_names_the_nearest():
    """`duration` is among what run() knows."""
    with pytest.raises(ConfigError, match=r"horus\.run.*'duraton' \(did you mean 'duration'\?\)"):
        run(Node("n", tick=print), duraton=1)


# spec: F28
def test_tick_for_keeps_rates_on_the_wall_clock():
    """Nodes tick at their rates for so long, go on where they were, and shut down at stop()."""
    seen = []
    node = Node("n", tick=lambda: seen.append("tick"), shutdown=lambda: seen.append("end"), rate=100)
    before = time.monotonic()
    with Scheduler() as scheduler:
        scheduler.add(node)
        scheduler.tick_for(0.1)
        assert time.monotonic() - before >= 0.1
        while len(seen) < 2:  # more than once where a busy machine comes to no tick in that time
            scheduler.tick_for(0.1)
        assert scheduler.is_running()
        assert "end" not in seen
        stats = scheduler.get_node_stats("n")
        assert 2 <= stats["total_ticks"] + stats["skipped_releases"] <= 100 * (time.monotonic() - before) + 1
    assert seen[-1] == "end"


def test_tick_for_takes_what_threads_ask_for(clock):
    """add() and remove_node() of other threads are done while it ticks, and request_stop() ends it."""
    seen = []

    def tick(node):
        if not seen:
            worker = threading.Thread(
                target=lambda: scheduler.add(Node("late", tick=lambda: seen.append("late")))
            )
            worker.start()
            seen.append(worker)
        if "late" in seen:
            node.request_stop()

    with Scheduler() as scheduler:
        scheduler.add(Node("n", tick=tick, rate=1000))
        scheduler.tick_for(60)
        seen[0].join()
        assert scheduler.is_stopping()


def test_tick_for_raises_what_a_tick_raises():
    """After all nodes were shut down; in a callback it is refused; a bad time is, too."""
    seen = []

    def tick():
        with pytest.raises(NodeError, match="expected an idle"):
            scheduler.tick_for(1)
        raise OSError("gone")

    scheduler = Scheduler().add(Node("n", tick=tick, shutdown=lambda: seen.append("end")))
    with pytest.raises(OSError, match="gone"):
        scheduler.tick_for(1)
    assert seen == ["end"]
    assert not scheduler.is_running()
    with pytest.raises(ConfigError):
        scheduler.tick_for(-1)
    with pytest.raises(ConfigError):
        scheduler.tick_for(None)
