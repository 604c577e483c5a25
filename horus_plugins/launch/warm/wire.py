"""What the launcher and the warm process say to each other: a request with three descriptors, and a byte."""

from __future__ import annotations

import marshal
import socket
import struct
from typing import NamedTuple

READY = b"r"
"""From the warm process: it takes requests."""
GO = b"g"
"""To a program: its launcher knows it."""
PID = struct.Struct("=q")
"""From a program: it stands ready to run."""
_HEAD = struct.Struct("=q")
_DESCRIPTORS = 3


class Request(NamedTuple):
    """A program to start."""

    command: list[str]
    cwd: str
    environment: dict[str, str]


class Descriptors(NamedTuple):
    """What comes with a request."""

    out: int
    err: int
    line: int
    """A socket to the launcher, of this program alone."""


def send(control: socket.socket, request: Request, descriptors: Descriptors) -> None:
    """Raises OSError when nobody takes it, or not within the socket's time."""
    data = marshal.dumps(tuple(request))
    socket.send_fds(control, [_HEAD.pack(len(data))], list(descriptors))
    control.sendall(data)


def receive(control: socket.socket) -> tuple[Request, Descriptors] | None:
    """The next request; None when the launcher is gone."""
    head, found, _, _ = socket.recv_fds(control, _HEAD.size, _DESCRIPTORS)
    if len(head) != _HEAD.size or len(found) != _DESCRIPTORS:
        return None
    (left,) = _HEAD.unpack(head)
    data = bytearray()
    while len(data) < left:
        part = control.recv(left - len(data))
        if not part:
            return None
        data += part
    return Request(*marshal.loads(data)), Descriptors(*found)  # noqa: S302 - from our own launcher, by an inherited socket
