"""horus.testing.run_ticks."""

from __future__ import annotations

import horus
from horus.testing import run_ticks


# spec: F31
def test_run_ticks_ticks_every_node_so_often(horus_namespace):
    """All nodes, in order, and they stay started until stop()."""
    seen = []
    with horus.Scheduler() as scheduler:
        for name in "ab":
            scheduler.add(
                horus.Node(
                    name, tick=lambda name=name: seen.append(name), shutdown=lambda: seen.append("end")
                )
            )
        assert run_ticks(scheduler, 2) == 2
        assert seen == ["a", "b", "a", "b"]
    assert seen[-2:] == ["end", "end"]


def test_run_ticks_ends_when_a_node_asks_for_it(horus_namespace):
    """request_stop() in the second of five."""
    with horus.Scheduler(deterministic=True) as scheduler:
        scheduler.add(horus.Node("n", tick=lambda node: node.request_stop() if horus.tick() == 1 else None))
        assert run_ticks(scheduler, 5) == 2
