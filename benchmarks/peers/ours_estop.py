"""HORUS: an emergency stop raised in one process, and the safe states of the nodes of others."""

from __future__ import annotations

import time
from time import perf_counter_ns
from typing import Any

import protocol

import horus
from horus_core.control import estop

STANDS_S = 0.06  # then it is released
PAUSE_S = 0.03  # until the next: all is quiet again


class Robot(horus.Node):
    """A node at 100 Hz that notes when its safe state was entered."""

    def __init__(self, name: str) -> None:
        super().__init__(name, rate=100)
        self.entered: list[int] = []

    def tick(self) -> None:
        """Nothing: it is there to be stopped."""

    def enter_safe_state(self) -> None:
        """What is measured."""
        self.entered.append(perf_counter_ns())


scheduler = horus.Scheduler()
robots: list[Robot] = []


def start(name: str) -> None:
    """Its node ticks from now on."""
    robots.append(Robot(name))
    scheduler.add(robots[0])
    scheduler.start()
    while not scheduler.safety_stats()["estop"]["listening"]:
        time.sleep(0.001)


def entered() -> dict[str, Any]:
    """When the safe state was entered, each time since the last question."""
    times, robots[0].entered = robots[0].entered, []
    return {"times": times}


def stop() -> None:
    """The node is shut down."""
    scheduler.stop()
    scheduler.join()


def raise_stops(count: int) -> dict[str, Any]:
    """Engages and releases it so often, by a node of this process; when each was raised."""
    raised = []
    with estop.open_topic("bench") as topic:
        for number in range(count):
            time.sleep(PAUSE_S)
            raised.append(perf_counter_ns())
            robots[0].emergency_stop(f"number {number}")
            time.sleep(STANDS_S)
            topic.send(estop.order_to_release("bench"))
        time.sleep(PAUSE_S)
    return {"times": raised, "stood_ns": STANDS_S * 1e9}


protocol.serve(start=start, entered=entered, stop=stop, raise_stops=raise_stops)
