"""What the tests of control share: a namespace of their own, and a scheduler that runs on another thread."""

from __future__ import annotations

import threading

import pytest

from horus_core.scheduler.scheduler import Scheduler


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def gate():
    """What ticks hang on, until the end of the test."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.fixture
def running(gate, until):
    """`running(*nodes, **scheduler's)`: a scheduler on a thread of its own whose nodes have started."""
    started = []

    def run(*nodes, **options):
        scheduler = Scheduler(**options)
        for node in nodes:
            scheduler.add(node)
        scheduler.start()
        started.append(scheduler)
        until(lambda: scheduler.started_ns is not None)
        return scheduler

    yield run
    gate.set()
    for scheduler in started:
        scheduler.stop()
        scheduler.join()
