"""What processes write down of their own, for accounts that need no counter of HORUS.

A publisher writes each send before it is made and what came of it afterwards, straight to a file: that stays when
it is killed. A subscriber writes lines of JSON: what it received, as runs of numbers, and what its counters say.
"""

from __future__ import annotations

import json
import os
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BEGIN, ACCEPTED, REFUSED = 0, 1, 2
_RECORD = struct.Struct("<QIIHHI8x")  # time in ns, publisher, number, topic, what, zero
# 32 bytes: a kill may cut a write at the end of a page, and no record lies across one.
RECORD = np.dtype(
    [("ns", "<u8"), ("publisher", "<u4"), ("number", "<u4"), ("topic", "<u2"), ("what", "<u2"), ("_", "<V12")]
)
SENDS, EVENTS = ".sends", ".events"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class SendJournal:
    """The sends of one process, and of the children that it forks."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, _FLAGS, 0o600)

    def write(self, what: int, topic: int, publisher: int, number: int) -> None:
        """Write one step of a send down, with the time."""
        os.write(self._file, _RECORD.pack(time.monotonic_ns(), publisher, number, topic, what, 0))


class EventJournal:
    """The lines of one process, and of the children that it forks, each in one write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, _FLAGS, 0o600)

    def write(self, *events: dict[str, Any]) -> None:
        """Write lines down."""
        if events:
            # A kill may cut it anywhere: whoever writes next begins a new line.
            os.write(self._file, b"\n" + b"".join(json.dumps(event).encode() + b"\n" for event in events))


def read_sends(folder: Path) -> NDArray[Any]:
    """All records of all publishers; half a record at the end of a file is of a send that was not made."""
    parts = [np.zeros(0, RECORD)]
    for path in sorted(folder.glob(f"*{SENDS}")):
        raw = path.read_bytes()
        parts.append(np.frombuffer(raw[: len(raw) // RECORD.itemsize * RECORD.itemsize], RECORD))
    return np.concatenate(parts)


def read_events(folder: Path) -> list[dict[str, Any]]:
    """All lines of all processes, each with the name of its file as `file`."""
    found = []
    for path in sorted(folder.glob(f"*{EVENTS}")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            with suppress(json.JSONDecodeError):  # an empty line, or one that a kill cut short
                found.append({**json.loads(line), "file": path.stem})
    return found
