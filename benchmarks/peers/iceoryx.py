"""iceoryx2: a ctypes structure of 16 bytes, frames as slices of bytes, and events to sleep on."""

from __future__ import annotations

import ctypes
from typing import Any

import iceoryx2 as iox
import iceoryx_node
import loops
import protocol


class CmdVel(ctypes.Structure):
    _fields_ = (("timestamp_ns", ctypes.c_uint64), ("linear", ctypes.c_float), ("angular", ctypes.c_float))

    @staticmethod
    def type_name() -> str:
        return "CmdVel"


MESSAGE = CmdVel(0, 1.0, 0.5)
PORTS: dict[str, Any] = {}
NODE = iceoryx_node.make()


def typed(name: str) -> Any:
    builder = NODE.service_builder(iox.ServiceName.new(name)).publish_subscribe(CmdVel)
    return builder.subscriber_max_buffer_size(1024).open_or_create()


def attach(out: str, into: str) -> None:
    PORTS["out"] = typed(out).publisher_builder().create()
    PORTS["into"] = typed(into).subscriber_builder().create()
    PORTS["notifier"] = event(out).notifier_builder().create()
    PORTS["listener"] = event(into).listener_builder().create()


def event(name: str) -> Any:
    return NODE.service_builder(iox.ServiceName.new(f"{name}.event")).event().open_or_create()


def receive() -> Any:
    """A received message, read as far as the structure: what a user has to do to see it."""
    sample = PORTS["into"].receive()
    return None if sample is None else sample.payload().contents


def pair(count: int, burst: int) -> dict[str, Any]:
    service = typed("pair")
    publisher = service.publisher_builder().create()
    subscriber = service.subscriber_builder().create()
    answer = loops.pair(
        publisher.send_copy, lambda: subscriber.receive().payload().contents, MESSAGE, count, burst
    )
    publisher.delete()
    subscriber.delete()
    return answer


def ping(count: int, burst: int) -> dict[str, Any]:
    return loops.ping(PORTS["out"].send_copy, receive, MESSAGE, count, burst)


def pong(count: int, burst: int) -> None:
    loops.pong(PORTS["out"].send_copy, receive, MESSAGE, count, burst)


def notify(message: CmdVel) -> None:
    PORTS["out"].send_copy(message)
    PORTS["notifier"].notify()


def sleep() -> Any:
    """Sleeps until an event says that there is a message."""
    while (message := receive()) is None:
        PORTS["listener"].blocking_wait()
    return message


def sleepy_ping(count: int) -> dict[str, Any]:
    return loops.sleepy_ping(notify, sleep, MESSAGE, count)


def sleepy_pong(count: int) -> None:
    loops.sleepy_pong(notify, sleep, MESSAGE, count)


def publish(seconds: float) -> dict[str, Any]:
    return {"sent": loops.publish(PORTS["out"].send_copy, MESSAGE, seconds)}


def subscribe() -> dict[str, Any]:
    return loops.drain(receive)


protocol.serve(
    attach=attach,
    pair=pair,
    ping=ping,
    pong=pong,
    sleepy_ping=sleepy_ping,
    sleepy_pong=sleepy_pong,
    publish=publish,
    subscribe=subscribe,
)
