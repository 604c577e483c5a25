"""The ladder is the same for every class whose nodes tick by time: warned, slow, isolated, and one probe a second."""

from __future__ import annotations

import itertools

import pytest

import horus
from horus.testing import MockClock


# spec: F15, B15
@pytest.mark.parametrize("options", [{"rt": True}, {"compute": True}])
def test_on_threads_of_their_own_too(options):
    """After ten misses in a row one tick a simulated second, and the safe state was entered once; others tick on."""
    clock = MockClock()
    at, safe, other = [], [], []

    def tick():
        at.append(clock.now())
        if len(at) > 1:
            clock.advance(0.009)

    scheduler = horus.Scheduler(clock=clock)
    scheduler.add(
        horus.Node(
            "n", tick=tick, **options, rate=100, deadline=0.005, enter_safe_state=lambda: safe.append(1)
        )
    )
    scheduler.add(horus.Node("other", tick=lambda: other.append(1), rate=100))
    scheduler.start()
    clock.wait_for_sleepers(2)
    clock.advance(4.5)
    stats = scheduler.safety_stats()["nodes"]["n"]
    scheduler.stop()
    clock.advance(0.1)
    assert scheduler.join(20)
    assert (stats["health"], stats["safe_state"]) == ("isolated", False), "it has ticked since"
    assert safe == [1]
    probes = [when for when in at if when >= 2.0]  # the clock began at 1
    assert [round(b - a, 6) for a, b in itertools.pairwise(probes)] == [1.0] * (len(probes) - 1)
    assert len(probes) >= 3
    assert len(other) > 300
