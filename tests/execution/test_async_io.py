"""AsyncIo: nodes whose ticks are coroutines."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import threading
import time

import pytest

import horus
from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler import patience
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler


# spec: F10
def test_all_callbacks_may_be_async():
    """init, tick, on_error, enter_safe_state and shutdown are awaited in one loop, in the usual order."""
    seen, loops = [], set()

    def note(what):
        seen.append(what)
        loops.add(asyncio.get_running_loop())

    class Api(Node):
        async def init(self):
            await asyncio.sleep(0)
            note("init")

        async def tick(self):
            await asyncio.sleep(0)
            note("tick")
            raise OSError("no route")

        async def on_error(self, error):
            await asyncio.sleep(0)
            note(str(error))
            self.request_stop()

        async def shutdown(self):
            await asyncio.sleep(0)
            note("shutdown")

    run(Api("api"))
    assert seen == ["init", "tick", "no route", "shutdown"]
    assert len(loops) == 1


def test_plain_ones_beside_an_async_tick():
    """Init and shutdown may stay plain functions; they run on the scheduler's own thread."""
    seen = []

    async def tick(node):
        seen.append("tick")
        node.request_stop()

    run(
        Node(
            "n",
            init=lambda: seen.append(threading.get_ident()),
            tick=tick,
            on_error=lambda error: None,
            shutdown=lambda: seen.append(threading.get_ident()),
        )
    )
    assert seen == [threading.get_ident(), "tick", threading.get_ident()]


# spec: F29
def test_time_inside_belongs_to_the_task(running, until):
    """After an await, in which others ran, horus.tick, dt and node.info are still the node's own."""
    seen = {"a": [], "b": []}

    async def tick(node):
        mine = horus.tick()
        await asyncio.sleep(0.002)
        seen[node.name].append((mine, horus.tick(), horus.dt() > 0, node.info.name, horus.now() > 0))

    running(Node("a", tick=tick, rate=100), Node("b", tick=tick, rate=70))
    until(lambda: len(seen["a"]) >= 5 and len(seen["b"]) >= 5)
    for name, growing in seen.items():
        rows = list(growing)
        assert [(one[0], one[1]) for one in rows] == [(n, n) for n in range(len(rows))]
        assert all(after and now and who == name for _, _, after, who, now in rows)


# spec: F14
def test_no_tick_overlaps_itself(running, until):
    """A tick that awaits for longer than its period skips releases, and is never twice under way."""
    inside, most = [], []

    async def tick():
        inside.append(1)
        most.append(len(inside))
        await asyncio.sleep(0.02)
        inside.pop()

    scheduler = running(Node("n", tick=tick, rate=500))
    until(lambda: scheduler.get_node_stats("n")["total_ticks"] >= 4)
    assert max(most) == 1
    stats = scheduler.get_node_stats("n")
    assert stats["skipped_releases"] >= 3
    assert stats["min_tick_duration_ms"] >= 19
    assert stats["class"] == "async_io"


# spec: F6
def test_topics(running, until):
    """Send and recv, and awaiting a topic, work as everywhere; the data is fresh."""
    seen = []

    async def listen(node):
        message = node.recv("count")
        if message:
            seen.append(message["n"])

    async def speak(node):
        node.send("count", {"n": horus.tick()})

    running(Node("listener", subs="count", tick=listen, rate=100), Node("speaker", tick=speak, rate=100))
    until(lambda: len(seen) >= 5)
    assert seen == sorted(seen)


# spec: F13
def test_failure_ends_the_run_with_the_original():
    """What an async tick raises comes out of run(), and so does what an async init raises."""
    error = OSError("no route")

    async def fail():
        await asyncio.sleep(0)
        raise error

    async def idle():
        pass

    for node in (Node("n", tick=fail), Node("n", init=fail, tick=idle)):
        with pytest.raises(OSError) as caught:
            run(node)
        assert caught.value is error


# spec: F12, F13
def test_policies_apply(running, until):
    """A node that restarts is initialised again; an isolated one stops alone, in its safe state."""
    inits, safe = [], []

    async def fail():
        raise ValueError("bad")

    async def init():
        inits.append(1)

    async def enter_safe_state():
        safe.append(1)

    scheduler = running(
        Node("again", init=init, tick=fail, failure_policy=horus.Restart(max_retries=1000, backoff=0.001)),
        Node("alone", tick=fail, enter_safe_state=enter_safe_state, failure_policy="isolate"),
    )
    until(lambda: len(inits) > 2)
    until(lambda: scheduler.get_node_stats("alone")["state"] == "crashed")
    assert safe == [1]


# spec: F17
def test_a_tick_that_ends_soon_ends():
    """At stop the current tick finishes."""
    seen = []

    async def tick(node):
        node.request_stop()
        await asyncio.sleep(0.05)
        seen.append("tick")

    run(Node("n", tick=tick, shutdown=lambda: seen.append("shutdown")))
    assert seen == ["tick", "shutdown"]


# spec: F17
def test_a_tick_that_never_ends_is_cancelled(monkeypatch, caplog):
    """After the time of grace it is cancelled where it awaits; its finally runs, then its shutdown()."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.4)
    seen = []

    async def tick(node):
        try:
            node.request_stop()
            await asyncio.sleep(3600)
        finally:
            seen.append("finally")

    async def shutdown():
        seen.append("shutdown")

    with caplog.at_level("WARNING"):
        run(Node("n", tick=tick, shutdown=shutdown))
    assert seen == ["finally", "shutdown"]
    assert "is cancelled" in caplog.text


def test_tasks_that_a_node_left_are_cancelled():
    """A background task of a node does not outlive the run."""
    seen = []

    async def background():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    tasks = []

    async def tick(node):
        tasks.append(asyncio.ensure_future(background()))
        await asyncio.sleep(0.01)
        node.request_stop()

    run(Node("n", tick=tick, rate=1))
    assert seen == ["cancelled"]


def test_what_it_awaits_was_cancelled(running, until):
    """A cancellation that is not ours is a failure of the tick, and not the end of the node."""
    told = []

    async def tick():
        task = asyncio.ensure_future(asyncio.sleep(3600))
        task.cancel()
        await task

    scheduler = running(Node("n", tick=tick, on_error=told.append, rate=100))
    until(lambda: len(told) >= 2)
    assert isinstance(told[0].__cause__, asyncio.CancelledError)
    assert scheduler.get_node_stats("n")["state"] == "running"


def test_pause_resume_rate_and_removal_while_it_runs(running, until):
    """What the scheduler offers while running reaches an async node."""

    async def tick():
        pass

    scheduler = running(Node("n", tick=tick, rate=0.001), Node("keep", tick=lambda: None))

    def ticks():
        return scheduler.get_node_stats("n")["total_ticks"]

    until(lambda: ticks() == 1)
    scheduler.set_node_rate("n", 500)
    until(lambda: ticks() > 5)
    scheduler.pause("n")
    assert scheduler.get_node_stats("n")["state"] == "paused"
    scheduler.resume("n")
    before = ticks()
    until(lambda: ticks() > before)
    scheduler.remove_node("n")
    scheduler.add(Node("n", tick=tick, rate=100))
    until(lambda: ticks() > 2)


def test_duration_zero_awaits_it():
    """By hand an async node ticks like any other, in order."""
    seen = []

    async def second():
        await asyncio.sleep(0.01)
        seen.append(2)

    run(
        Node("c", tick=lambda: seen.append(3), order=3),
        Node("b", tick=second, order=2),
        Node("a", tick=lambda: seen.append(1), order=1),
        duration=0,
    )
    assert seen == [1, 2, 3]


def test_thirty_nodes_in_one_thread(running, until):
    """Thirty nodes that await share one thread."""
    threads = set()

    async def tick():
        threads.add(threading.get_ident())
        await asyncio.sleep(0.01)

    nodes = [Node(f"n{i}", tick=tick, rate=20) for i in range(30)]
    scheduler = running(*nodes)
    until(lambda: all(scheduler.get_node_stats(node.name)["total_ticks"] > 1 for node in nodes))
    assert len(threads) == 1


def test_what_does_not_go_together():
    """Async beside compute= or a priority, and an async shutdown beside a plain tick, are refused."""

    async def coroutine():
        pass

    with pytest.raises(ConfigError, match="an async tick and compute=True"):
        Node("n", tick=coroutine, compute=True)
    with pytest.raises(ConfigError, match="priority=.*an async tick"):
        Node("n", tick=coroutine, priority=10)
    with pytest.raises(ConfigError, match="Bad shutdown.*async"):
        Node("n", tick=lambda: None, shutdown=coroutine)
    with pytest.raises(ConfigError, match="expected an async tick"):
        run(Node("n", tick=lambda: None, execution="async_io"))


def test_deadlines(running, until):
    """An async tick that ends too late has missed its deadline."""

    async def tick():
        await asyncio.sleep(0.03 if horus.tick() else 0)

    scheduler = running(Node("n", tick=tick, rate=20, deadline=0.01))
    until(lambda: scheduler.get_node_stats("n")["missed_deadlines"] >= 2)
    assert scheduler.get_node_stats("n")["state"] == NodeState.RUNNING.value
    assert isinstance(scheduler, Scheduler)
    assert time.monotonic() > 0


SECOND_SIGNAL = """
import asyncio
import horus


async def never():
    print("ticks", flush=True)
    try:
        await asyncio.sleep(3600)
    finally:
        print("finally", flush=True)


horus.run(horus.Node("n", tick=never))
print("over", flush=True)
"""


# spec: F17
def test_a_second_signal_cuts_the_grace_short(program):
    """The second SIGINT cancels at once the tick that the first waits for."""
    one = program(SECOND_SIGNAL)
    one.wait_for("ticks")
    one.interrupt()
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(0.3)
    one.process.send_signal(signal.SIGINT)
    out, err = one.process.communicate(timeout=30)
    assert one.process.returncode == 0, err
    assert "finally" in out
    assert out.endswith("over\n")
