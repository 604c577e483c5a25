"""Execution classes by a clock that is not the machine's."""

from __future__ import annotations

import asyncio

import pytest

from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_core.testing.mock_clock import MockClock

GRID = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0]


def looker(seen, clock, name, **options):
    """A node that notes the clock's time in each tick."""

    def tick(node):
        seen.setdefault(name, []).append(clock.now())

    async def awaiting(node):
        await asyncio.sleep(0.001)
        tick(node)

    return Node(name, tick=awaiting if name == "async_io" else tick, rate=5, **options)


def test_each_class_ticks_at_its_releases():
    """advance() goes from release to release, and waits for the ticks of every class with a rate, async ones too."""
    seen, clock = {}, MockClock()
    scheduler = Scheduler(clock=clock)
    for name, options in (
        ("best_effort", {}),
        ("rt", {"rt": True}),
        ("compute", {"compute": True}),
        ("async_io", {}),
    ):
        scheduler.add(looker(seen, clock, name, **options))
    scheduler.start()
    clock.wait_for_sleepers(4)
    clock.advance(1.0)
    assert seen == dict.fromkeys(seen, GRID)
    assert len(seen) == 4
    scheduler.stop()
    assert scheduler.join(20)
    assert {scheduler.get_node_stats(name)["state"] for name in seen} == {"stopped"}


def test_event_nodes_wake_in_real_time(until):
    """A message wakes them whatever the clock says, and all are seen; the clock stands still meanwhile."""
    got, clock = [], MockClock()
    scheduler = Scheduler(clock=clock)
    scheduler.add(Node("speaks", tick=lambda node: node.send("go", {"n": 1}), rate=10))
    scheduler.add(Node("hears", tick=lambda node: got.extend(node.recv_all("go")), on="go"))
    scheduler.start()
    clock.wait_for_sleepers()
    until(lambda: len(got) == 1)
    clock.advance(0.5)
    until(lambda: len(got) == 6)
    assert clock.now() == 1.5
    scheduler.stop()
    assert scheduler.join(20)


@pytest.mark.parametrize("options", [{"rt": True}, {"compute": True}, {"on": "go"}, {"name": "async_io"}])
def test_a_clock_that_its_sleepers_move_has_one_thread(options):
    """With autojump a node with a thread of its own is refused before any init(); ticked by hand it is not."""
    inits, seen = [], {}
    clock = MockClock(autojump=True)
    node = looker(seen, clock, **{"name": "n", **options, "init": lambda: inits.append(1)})
    scheduler = Scheduler(clock=clock).add(node)
    with pytest.raises(ConfigError, match=r"the clock is moved by who sleeps on it, got one of class"):
        scheduler.run(1.0)
    assert inits == []
    with Scheduler(clock=clock) as by_hand:
        by_hand.add(node).tick_for(0.5)
    assert [round(at - seen[node.name][0], 6) for at in seen[node.name]] == [0.0, 0.2, 0.4]
