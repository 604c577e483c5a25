"""Rows of the record: nodes come and go, and each has one; who has none is told."""

from __future__ import annotations

import pytest

from horus_core.control import flights
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_plugins.monitor import blackbox

ROWS = 128  # of a record that was made for one node


@pytest.fixture
def scheduler():
    with Scheduler(name="robot") as one:
        one.add(Node("first", tick=lambda: None)).tick_once()
        yield one


def rows(namespace):
    from horus_core import _native

    (path,) = flights.listed(namespace)
    return {row["row"]: row["name"] for row in _native.FlightReader(path).rows()}


# spec: F15
def test_rows_of_removed_nodes_are_used_again(scheduler, namespace):
    """However many nodes were there before, one that is added late has its watchdog, and stands in the record."""
    for n in range(ROWS + 10):
        scheduler.add(Node(f"n{n}", tick=lambda: None))
        scheduler.remove_node(f"n{n}")
    late = Node("late", tick=lambda: None, watchdog=0.1)
    scheduler.add(late)
    assert late._horus_row > 0
    assert "late" in rows(namespace).values()
    assert scheduler.degradations() == []


def test_a_removed_node_stays_in_the_record_while_there_is_room(scheduler, namespace):
    """Its figures can be read afterwards; one of its name takes its row."""
    scheduler.add(Node("short", tick=lambda: None))
    scheduler.remove_node("short")
    assert list(rows(namespace).values()) == ["first", "short"]
    scheduler.add(Node("other", tick=lambda: None)).add(Node("short", tick=lambda: None))
    assert list(rows(namespace).values()) == ["first", "short", "other"]


def test_what_happened_to_a_removed_node_is_not_said_of_the_next(scheduler, namespace):
    """Events and ticks that were recorded before a node took its row are not its own."""
    for n in range(ROWS + 5):
        scheduler.add(Node(f"n{n}", tick=lambda: None))
        scheduler.tick_once()
        scheduler.remove_node(f"n{n}")
    report = blackbox.Reader(blackbox.named(namespace, "robot")).report(None)
    last = f"n{ROWS + 4}"
    assert [event.state for event in report.events if event.node == last] == [
        "initializing", "running", "stopping", "stopped",
    ]  # fmt: skip
    assert sum(tick.node == last for tick in report.ticks) == 1
    assert sum(tick.node == "first" for tick in report.ticks) == ROWS + 6


# spec: F15
def test_who_finds_no_row_is_told(scheduler):
    """A node whose watchdog cannot see it, or that tools cannot, stands in degradations()."""
    for n in range(1, ROWS):
        scheduler.add(Node(f"n{n}", tick=lambda: None))
    assert scheduler.degradations() == []
    scheduler.add(Node("plain", tick=lambda: None)).add(Node("watched", tick=lambda: None, watchdog=0.1))
    told = [(one["node"], one["asked"]) for one in scheduler.degradations()]
    assert told == [("plain", "a place in the record"), ("watched", "watchdog=0.1")]
