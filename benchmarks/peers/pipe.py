"""multiprocessing.Pipe: 16 raw bytes through one end of a pipe that the harness made."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

import loops
import protocol

MESSAGE = bytes(16)
END: list[Connection] = []


def attach(fd: int) -> None:
    END.append(Connection(fd))


def poll() -> bytes | None:
    return END[0].recv_bytes() if END[0].poll() else None


def pair(count: int, burst: int) -> dict[str, Any]:
    from multiprocessing import Pipe

    left, right = Pipe()
    with left, right:
        return loops.pair(left.send_bytes, right.recv_bytes, MESSAGE, count, burst)


def ping(count: int, burst: int) -> dict[str, Any]:
    return loops.ping(END[0].send_bytes, poll, MESSAGE, count, burst)


def pong(count: int, burst: int) -> None:
    loops.pong(END[0].send_bytes, poll, MESSAGE, count, burst)


def sleepy_ping(count: int) -> dict[str, Any]:
    return loops.sleepy_ping(END[0].send_bytes, END[0].recv_bytes, MESSAGE, count)


def sleepy_pong(count: int) -> None:
    loops.sleepy_pong(END[0].send_bytes, END[0].recv_bytes, MESSAGE, count)


def publish(seconds: float) -> dict[str, Any]:
    return {"sent": loops.publish(END[0].send_bytes, MESSAGE, seconds)}


def subscribe() -> dict[str, Any]:
    return loops.drain(poll)


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
