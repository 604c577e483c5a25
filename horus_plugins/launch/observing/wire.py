"""What a launcher tells the process of its observers: one JSON object a line."""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct):
    """A hook that is to be called."""

    hook: str
    arguments: dict[str, Any]


def encode(event: Event) -> bytes:
    """The line."""
    return msgspec.json.encode(event) + b"\n"


def decode(line: bytes) -> Event:
    """What a line says."""
    return msgspec.json.decode(line, type=Event)
