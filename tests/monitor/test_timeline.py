"""What `horus blackbox` makes of a record."""

from __future__ import annotations

import horus
from horus_plugins.monitor import blackbox, timeline


def test_a_node_that_messages_wake_has_no_rate(horus_namespace, until):
    """Its column says so; a node that ticks by time has its own."""
    scheduler = horus.Scheduler(name="robot")
    scheduler.add(horus.Node("ear", tick=lambda: None, on="words"))
    scheduler.add(horus.Node("clock", tick=lambda: None, rate=20))
    scheduler.start()
    try:
        until(lambda: scheduler.get_node_stats("clock")["total_ticks"])
        report = blackbox.Reader(blackbox.named(horus_namespace, "robot"), ()).report(1.0)
        rates = {line.split()[0]: line.split()[3] for line in timeline.table(report.nodes)}
    finally:
        scheduler.stop()
        assert scheduler.join(20)
    assert (rates["ear"], rates["clock"]) == ("-", "20")
