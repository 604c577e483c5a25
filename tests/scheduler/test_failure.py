"""What follows a tick that raises: on_error and the failure policies."""

from __future__ import annotations

import itertools
import json

import pytest

from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Restart, Skip
from horus_core.nodes.state import NodeState
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace as namespaces


class BoomError(Exception):
    """What the ticks of these tests raise."""


def run(clock, *nodes, duration):
    scheduler = Scheduler(clock=clock)
    for node in nodes:
        scheduler.add(node)
    scheduler.run(duration)
    return scheduler


def fail(*_):
    raise BoomError("bad reading")


# spec: E4, E10
def test_on_error_gets_the_exception_and_the_node_goes_on(clock):
    """on_error(node, exception) is called with the exception; the tick counts as failed; ticks go on."""
    seen = []
    node = Node(
        "n", tick=fail, rate=10, on_error=lambda node, error: seen.append((node, type(error), str(error)))
    )
    stats = run(clock, node, duration=1).get_node_stats("n")
    assert seen == [(node, BoomError, "bad reading")] * 10
    assert stats["failed_ticks"] == stats["errors_count"] == stats["total_ticks"] == 10
    assert stats["successful_ticks"] == 0


# spec: E11, F12
def test_more_than_ten_failures_in_a_row_are_an_error_state(clock):
    """The eleventh failure in a row brings ERROR; the node keeps ticking; clear_error() leaves it."""
    states = []

    def tick(node):
        states.append(node.info.state())
        if len(states) == 15:
            node.info.clear_error()
            assert node.info.state() is NodeState.RUNNING
        raise BoomError

    run(clock, Node("n", tick=tick, rate=10, on_error=lambda: None), duration=3)
    running, error = NodeState.RUNNING, NodeState.ERROR
    # clear_error() counts from zero: the failure of tick 15 is the first of the next row.
    assert states == [running] * 11 + [error] * 4 + [running] * 10 + [error] * 5


def test_ten_failures_in_a_row_are_not(clock):
    """Failures that a good tick interrupts never bring ERROR."""
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) % 11:
            raise BoomError

    scheduler = Scheduler(clock=clock).add(Node("n", tick=tick, rate=100, on_error=lambda: None))
    for _ in range(200):
        scheduler.tick_once()
    assert scheduler.get_node_stats("n")["state"] == "running"
    assert scheduler.get_node_stats("n")["failed_ticks"] == 200 - 18
    scheduler.stop()


# spec: E6
def test_transition_to_error(clock, capfd):
    """A node can enter the ERROR state itself; the reason is logged; ticks go on."""
    states = []

    def tick(node):
        states.append(node.info.state())
        node.info.transition_to_error("sensor unplugged")

    run(clock, Node("n", tick=tick, rate=10), duration=0.3)
    assert states == [NodeState.RUNNING, NodeState.ERROR, NodeState.ERROR]
    assert "ERROR n: entered the ERROR state: sensor unplugged" in capfd.readouterr().err


# spec: E12, F12
def test_on_error_that_raises_is_logged_with_both(clock, capfd):
    """An exception inside on_error is logged with both tracebacks; the original counts, the node goes on."""

    def worse(error):
        raise KeyError("no such handler")

    stats = run(clock, Node("n", tick=fail, rate=10, on_error=worse), duration=1).get_node_stats("n")
    err = capfd.readouterr().err
    assert "BoomError: bad reading" in err
    assert "During handling of the above exception" in err
    assert "no such handler" in err
    assert stats["errors_count"] == 10


def test_ignore(clock, capfd):
    """`ignore` logs and counts, and nothing else."""
    stats = run(clock, Node("n", tick=fail, rate=10, failure_policy="ignore"), duration=1).get_node_stats("n")
    assert stats["failed_ticks"] == 10
    assert "ERROR n: tick() failed" in capfd.readouterr().err


def test_skip_rests_and_comes_back(clock):
    """`skip`: after 5 failures in a row the node rests 30 s, then ticks again on its grid."""
    at = []

    def tick():
        at.append(clock.ms)
        raise BoomError

    run(clock, Node("n", tick=tick, rate=10, failure_policy="skip"), duration=60)
    first, second = at[:5], at[5:10]
    assert first == [0, 100, 200, 300, 400]
    assert second == [30400, 30500, 30600, 30700, 30800]
    assert len(at) == 10


def test_skip_numbers_are_settable(clock):
    """Skip(max_failures, cooldown) are the numbers that count."""
    at = []

    def tick():
        at.append(clock.ms)
        raise BoomError

    run(clock, Node("n", tick=tick, rate=10, failure_policy=Skip(max_failures=2, cooldown=1)), duration=2)
    assert at == [0, 100, 1100, 1200]


def test_isolate_stops_that_node_alone(clock, namespace):
    """`isolate`: safe state, shutdown, no more ticks, a crash record; the others go on."""
    seen = []
    bad = Node(
        "bad",
        tick=fail,
        rate=10,
        failure_policy="isolate",
        enter_safe_state=lambda: seen.append("safe"),
        shutdown=lambda: seen.append("shutdown"),
    )
    good = Node("good", tick=lambda: None, rate=10)
    scheduler = run(clock, bad, good, duration=1)
    assert seen == ["safe", "shutdown"]
    assert scheduler.get_node_stats("bad")["total_ticks"] == 1
    assert scheduler.get_node_stats("bad")["state"] == "crashed"
    assert scheduler.get_node_stats("good")["total_ticks"] == 10
    record = json.loads((namespaces.directory(namespace) / "nodes" / "bad.json").read_text())
    assert record["crashed"] == "BoomError: bad reading"


def test_isolating_the_last_node_ends_the_run(clock):
    """When no node is left, run() raises what the last one raised instead of running nothing."""
    with pytest.raises(BoomError):
        run(clock, Node("n", tick=fail, failure_policy="isolate"), duration=None)


def test_restart_backs_off_and_gives_up(clock):
    """`restart`: shutdown, a pause that doubles from 0.1 s, init; fatal after 5 restarts."""
    seen = []
    node = Node(
        "n",
        rate=1000,
        init=lambda: seen.append(("init", clock.ms)),
        tick=fail,
        shutdown=lambda: seen.append(("shutdown", clock.ms)),
        failure_policy="restart",
    )
    with pytest.raises(BoomError):
        run(clock, node, duration=60)
    inits = [at for what, at in seen if what == "init"]
    pauses = [round(b - a) for a, b in itertools.pairwise(inits)]
    assert [what for what, _ in seen] == ["init", "shutdown"] * 6
    # The tick after each init comes with the next release, 1 ms later.
    assert pauses == [100, 201, 401, 801, 1601]


def test_restart_heals(clock):
    """A node that ticks again after a restart goes on; after 10 good seconds it has all its retries."""
    inits = []
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) % 200 == 0:  # every 20 s
            raise BoomError

    node = Node("n", rate=10, init=lambda: inits.append(1), tick=tick, failure_policy=Restart(max_retries=1))
    scheduler = run(clock, node, duration=200)
    assert len(inits) == 10
    assert scheduler.get_node_stats("n")["state"] == "stopped"


def test_failing_init_counts_as_a_failed_restart(clock):
    """An init that fails in a restart is tried again, without a shutdown in between."""
    seen = []

    def init():
        seen.append("init")
        if len(seen) in (3, 4):
            raise BoomError("still unplugged")

    def tick():
        if len(seen) == 1:
            raise BoomError

    node = Node(
        "n", rate=10, init=init, tick=tick, shutdown=lambda: seen.append("shutdown"), failure_policy="restart"
    )
    run(clock, node, duration=5)
    assert seen == ["init", "shutdown", "init", "init", "init", "shutdown"]


@pytest.mark.parametrize(
    "bad",
    [
        "fatall",
        None,
        3,
        lambda: Restart(max_retries=-1),
        lambda: Restart(backoff=float("nan")),
        lambda: Skip(max_failures=0),
    ],
)
def test_bad_policies_are_refused(bad):
    """Policies that do not exist, and numbers that make no sense, are refused at construction."""
    with pytest.raises(ConfigError):
        Node("n", tick=fail, failure_policy=bad() if callable(bad) else bad)


def test_reads_like_a_log_once_a_second(clock, capfd):
    """A node that fails at 1 kHz does not fill the log: its line comes once a second of real time."""
    run(clock, Node("n", tick=fail, rate=1000, failure_policy="ignore"), duration=0.5)
    assert capfd.readouterr().err.count("tick() failed") == 1


# spec: F13
@pytest.mark.parametrize("policy", ["ignore", "skip", "restart", "isolate"])
def test_the_first_init_is_fatal_whatever_the_policy(policy):
    """A node that never came up ends the run, and what it raised is raised; on_error is for ticks."""
    seen = []

    def init():
        raise OSError("no motor")

    other = Node("other", tick=lambda: None, order=1, shutdown=lambda: seen.append("shutdown"))
    bad = Node(
        "bad", init=init, tick=lambda: None, failure_policy=policy, on_error=lambda: seen.append("told")
    )
    with pytest.raises(OSError, match="no motor"):
        Scheduler().add(other).add(bad).run(1)
    assert seen == ["shutdown"]
