"""Ticks that hang when their run is to stop, in an event loop and in a process of their own."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

import horus
from horus_core.nodes.node import Node
from horus_core.scheduler import patience
from horus_core.scheduler.scheduler import Scheduler

sys.path.insert(0, str(Path(__file__).parent))
import far_callbacks


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The patience of these tests."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.4)


@pytest.fixture
def gate():
    """What ticks hang on, until the end of the test."""
    opened = threading.Event()
    yield opened
    opened.set()


# spec: F17
def test_who_blocks_the_event_loop_is_named(gate, until, capfd):
    """Stop returns although a tick blocks the loop of all; the log says whose, and nobody is said to have stopped."""
    ticks, down = threading.Event(), []

    async def block():
        ticks.set()
        gate.wait(30)

    async def good():
        await asyncio.sleep(0)

    async def shutdown(node):
        down.append(node.name)

    scheduler = Scheduler()
    scheduler.add(Node("good", tick=good, rate=100, shutdown=shutdown))
    scheduler.add(Node("blocks", tick=block, shutdown=shutdown))
    scheduler.start()
    assert ticks.wait(20)
    scheduler.stop()
    assert scheduler.join()
    assert [scheduler.get_node_stats(name)["state"] for name in ("good", "blocks")] != ["stopped", "stopped"]
    assert scheduler.get_node_stats("blocks")["state"] != "stopped"
    err = capfd.readouterr().err
    assert "its event loop is blocked by node 'blocks', which awaits nothing" in err
    assert "the event loop of the async nodes does not end; its thread is left behind" in err
    assert down == []
    gate.set()
    until(lambda: not any(node._horus.left_behind for node in scheduler.get_all_nodes()))


# spec: F17
def test_a_tick_that_does_not_heed_its_cancellation(until, capfd):
    """It is cancelled, and left behind when that does not help; the node beside it stops as ever."""
    again = []

    async def stubborn(node):
        node.request_stop()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                again.append(1)

    async def good():
        await asyncio.sleep(0)

    scheduler = Scheduler().add(Node("stubborn", tick=stubborn)).add(Node("good", tick=good))
    scheduler.run()
    assert scheduler.get_node_stats("good")["state"] == "stopped"
    until(lambda: scheduler.get_node_stats("stubborn")["state"] == "stopped")
    assert again == [1, 1]
    err = capfd.readouterr().err
    assert "did not end within 0.4 s, and is cancelled" in err
    assert "is left behind" in err
    assert "node 'stubborn' goes on although it was cancelled; its loop ends without it" in err


# spec: F17
def test_processes_that_heed_nothing_are_killed(running, until, capfd):
    """A process whose tick hangs and which ignores SIGTERM is killed, and its shutdown() is said not to be called."""
    lives = horus.Topic("lives", dict)
    nodes = [Node(name, tick=far_callbacks.ignore_all, shutdown=far_callbacks.tell_shutdown, compute="process")
             for name in ("a", "b")]  # fmt: skip
    scheduler = running(*nodes)
    pids = set()
    until(lambda: (pids.update(one["pid"] for one in lives.recv_all()), len(pids) == 2)[1])
    scheduler.stop()
    assert scheduler.join()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    err = capfd.readouterr().err
    assert err.count("its process is ended") == 2
    assert err.count("its shutdown() was not called") == 2
    lives.close()
