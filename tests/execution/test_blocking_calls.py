"""Calls that would wait for the very tick that makes them: they raise, or take effect soon after it; none hangs."""

from __future__ import annotations

import pytest

from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler.clock import Rate
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler

CLASSES = ("best_effort", "rt", "compute", "event", "async_io")
REFUSED = {
    "run": lambda scheduler: scheduler.run(0),
    "start": lambda scheduler: scheduler.start(),
    "join": lambda scheduler: scheduler.join(),
    "tick_once": lambda scheduler: scheduler.tick_once(),
    "tick_for": lambda scheduler: scheduler.tick_for(1),
    "another's run": lambda _: Scheduler().add(Node("o", tick=lambda: None)).run(0),
    "horus.run": lambda _: run(Node("o", tick=lambda: None), duration=0),
    "Rate.sleep": lambda _: Rate(10).sleep(),
}


def in_a_tick(cls, deal):
    """Call `deal(scheduler)` in the first tick of a node of that class; what came of it, when the run has ended."""
    came = []

    def tick(node):
        if not came:
            try:
                came.append(deal(scheduler))
            except NodeError as error:
                came.append(error)
        node.request_stop()

    async def awaiting(node):
        tick(node)

    options = {"rt": {"rt": True}, "compute": {"compute": True}, "event": {"on": "go"}}.get(cls, {})
    node = Node("n", tick=awaiting if cls == "async_io" else tick, **options)
    scheduler = Scheduler().add(node).add(Node("other", tick=lambda n: n.send("go", {"n": 1}), rate=200))
    scheduler.run(20)
    assert scheduler.get_node_stats("n")["class"] == cls if scheduler.has_node("n") else True
    return came[0]


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_would_wait_for_its_own_tick_is_refused(cls, what):
    """Each raises NodeError at once, which says what was expected; the run goes on and ends as ever."""
    error = in_a_tick(cls, REFUSED[what])
    assert isinstance(error, NodeError)
    assert "expected" in str(error)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_tick_may_remove_its_own_node_and_stop(cls):
    """remove_node() of itself, add(), pause() and stop() return at once, and take effect after the tick."""

    def deal(scheduler):
        scheduler.add(Node("late", tick=lambda: None))
        scheduler.pause("other")
        scheduler.resume("other")
        scheduler.remove_node("n")
        scheduler.stop()
        return "returned"

    assert in_a_tick(cls, deal) == "returned"
