"""Hints for the user are extras: they never harm the run that they are given in."""

from __future__ import annotations

import horus
from horus_core.shm import namespace as namespaces
from horus_core.shm import process


def test_a_topic_that_cannot_be_opened_does_not_end_the_run(clock, namespace):
    """Looking for topics that nobody publishes meets a region of random bytes; the node's ticks go on."""
    ticks = []

    def tick():
        if not ticks:
            (namespaces.SHM / namespaces.topic_region(namespace, "late")).write_bytes(b"x" * 8192)
            process.member().bump()
        ticks.append(clock.ms)

    node = horus.Node("n", tick=tick, subs="late", rate=10)
    horus.Scheduler(clock=clock).add(node).run(duration=3)
    assert len(ticks) == 30
