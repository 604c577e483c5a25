"""pyzmq: 16 raw bytes over a PAIR of sockets, inproc in one thread, a Unix socket between processes."""

from __future__ import annotations

from typing import Any

import loops
import protocol
import zmq

MESSAGE = bytes(16)
CONTEXT = zmq.Context()
SOCKETS: list[Any] = []


def attach(address: str, bind: bool) -> None:
    socket = CONTEXT.socket(zmq.PAIR)
    socket.linger = 0
    (socket.bind if bind else socket.connect)(address)
    SOCKETS.append(socket)


def poll() -> bytes | None:
    try:
        message: bytes = SOCKETS[0].recv(zmq.NOBLOCK)
    except zmq.Again:
        return None
    return message


def pair(count: int, burst: int) -> dict[str, Any]:
    with CONTEXT.socket(zmq.PAIR) as left, CONTEXT.socket(zmq.PAIR) as right:
        left.bind("inproc://pair")
        right.connect("inproc://pair")
        answer = loops.pair(left.send, right.recv, MESSAGE, count, burst)
        left.unbind("inproc://pair")
        return answer


def ping(count: int, burst: int) -> dict[str, Any]:
    return loops.ping(SOCKETS[0].send, poll, MESSAGE, count, burst)


def pong(count: int, burst: int) -> None:
    loops.pong(SOCKETS[0].send, poll, MESSAGE, count, burst)


def sleepy_ping(count: int) -> dict[str, Any]:
    return loops.sleepy_ping(SOCKETS[0].send, SOCKETS[0].recv, MESSAGE, count)


def sleepy_pong(count: int) -> None:
    loops.sleepy_pong(SOCKETS[0].send, SOCKETS[0].recv, MESSAGE, count)


protocol.serve(
    attach=attach, pair=pair, ping=ping, pong=pong, sleepy_ping=sleepy_ping, sleepy_pong=sleepy_pong
)
