"""Nodes added and removed, by callbacks and by other threads, while a scheduler is ticked by hand."""

from __future__ import annotations

import threading

import pytest

from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler


# spec: B12, D33
@pytest.mark.parametrize("deterministic", [False, True])
def test_callbacks_steer_a_scheduler_that_is_ticked_by_hand(deterministic):
    """What a tick adds and removes is so from the next tick_once() on; what goes wrong there is logged."""
    seen = []
    scheduler = Scheduler(deterministic=deterministic)

    def tick():
        seen.append("a")
        if seen == ["a"]:
            scheduler.remove_node("b")
            scheduler.add(Node("c", tick=lambda: seen.append("c"), order=3))

    scheduler.add(Node("a", tick=tick, order=1)).add(Node("b", tick=lambda: seen.append("b"), order=2))
    with scheduler:
        scheduler.tick_once()
        assert scheduler.get_node_names() == ["a", "c"]
        scheduler.tick_once()
        scheduler.tick_once()
    assert seen == ["a", "b", "a", "c", "a", "c"]


def test_other_threads_wait_for_no_next_tick_once(log):
    """Between two of them add() and remove_node() return at once, and are done when the next begins."""
    scheduler = Scheduler().add(log.node("a"))
    with scheduler:
        scheduler.tick_once()

        def steer():
            scheduler.add(log.node("b"))
            scheduler.remove_node("a")

        thread = threading.Thread(target=steer, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert log.seen == ["init a"]
        scheduler.tick_once()
        assert log.seen == ["init a", "init b", "shutdown a"]
        assert log.ticks == {"a": 1, "b": 1}


def test_one_that_ticks_for_a_while_is_waited_for(log, until):
    """During tick_for() what another thread asks for is done between two ticks, and raised where it was asked for."""
    scheduler = Scheduler().add(log.node("a"))
    raised = []

    def fail():
        raise OSError("no motor")

    def steer():
        until(lambda: log.ticks.get("a"))
        scheduler.add(log.node("b"))
        raised.append(log.seen[-1])
        try:
            scheduler.add(log.node("c", init=fail))
        except OSError as error:
            raised.append(str(error))
        scheduler.request_stop()

    thread = threading.Thread(target=steer)
    with scheduler:
        thread.start()
        scheduler.tick_for(30)
        thread.join()
    assert raised == ["init b", "no motor"]
