"""What the tests of the execution classes share: a namespace of their own, and a scheduler in the background."""

from __future__ import annotations

import pytest

from horus_core.scheduler.scheduler import Scheduler


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def running(until):
    """Runs nodes in a background thread until the end of the test, which raises what the run raised."""
    schedulers = []

    def start(*nodes, **options):
        scheduler = Scheduler(**options)
        for node in nodes:
            scheduler.add(node)
        schedulers.append(scheduler)
        scheduler.start()
        waiting = {"uninitialized", "initializing"}
        for node in nodes:
            until(lambda: scheduler.get_node_stats(node.name)["state"].lower() not in waiting)  # noqa: B023
        return scheduler

    yield start
    for scheduler in schedulers:
        scheduler.stop()
        assert scheduler.join(30)
