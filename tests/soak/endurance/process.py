"""One process of the soak: what the supervisor starts, in the style of its role."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import time
from typing import Any

import horus

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main(text: str) -> None:
    """Live one life, as the supervisor's order says."""
    from endurance.actor import Actor, Order

    order = json.loads(text)
    die_with_parent(order.pop("parent"))
    faulthandler.register(signal.SIGUSR2)  # where a process stands that does not end
    actor = Actor(Order(**order))
    if actor.role.style == "node":
        _run_node(actor)
    else:
        _run_loop(actor)


def _run_node(actor: Any) -> None:
    before_ns = time.monotonic_ns()

    def init(node: horus.Node) -> None:
        actor.begin(actor.ports.through_node(node, actor.order.publisher, before_ns))

    def tick(node: horus.Node) -> None:
        actor.step()
        if actor.is_over():
            node.request_stop()

    horus.run(
        horus.Node(
            actor.role.name,
            init=init,
            tick=tick,
            shutdown=actor.finish,
            rate=actor.role.rate,
            **actor.ports.keywords(),
        )
    )


def _run_loop(actor: Any) -> None:
    from endurance.nursery import Nursery

    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stops.append(number))
    actor.begin(actor.ports.through_handles(actor.order.publisher))
    nursery = Nursery(actor) if actor.role.style == "nursery" else None
    pace = _Pace(actor)
    while not stops and not actor.is_over():
        actor.step()
        if nursery is not None:
            nursery.step()
        pace.sleep()
    if nursery is not None:
        nursery.reap(all_of_them=True)
    actor.finish()
    actor.ports.close()


class _Pace:
    """Between two steps: sleep until the next, or receive from one topic as soon as something comes."""

    def __init__(self, actor: Any) -> None:
        self._rate = horus.Rate(actor.role.rate)
        self._period_s = 1 / actor.role.rate
        self._ear = actor.ports.ears.get(actor.role.wait_on)
        self._handle = actor.ports.handles.get(actor.role.wait_on)

    def sleep(self) -> None:
        if self._handle is None:
            self._rate.sleep()
            return
        until = time.monotonic() + self._period_s
        while (left := until - time.monotonic()) > 0:
            if self._handle.wait(left):
                self._ear.listen(self._ear.how.most)
