"""Flights: the record of each scheduler in shared memory, for `get_node_stats` of other processes and blackboxes.

`/dev/shm/horus_{ns}/schedulers/{name}.flight` (layout: horus/flight.h). That of a run which was killed, or had
trouble, stays until a scheduler of that name starts, `horus clean`, or 24 h.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.backends import registry as backends
from horus_core.errors import HorusError
from horus_core.shm import namespace, process

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Flight, Member

SUFFIX = ".flight"
ASKED = {"SCHED_FIFO": 16, "locked memory": 32, "core": 64}
"""The flags of a row for what its thread asked the kernel for and got (enum horus_row_flag)."""
REFUSED = 4
"""So many bits further up stands what it was refused."""
_FOLDER = "schedulers"
_SPARE_ROWS = 64
_log = logging.getLogger("horus")

# What this process holds: a name is free again once its Record has ended.
_held: set[Path] = set()


class Record:
    """The flight of one scheduler, open for writing."""

    def __init__(self, flight: Flight, path: Path | None) -> None:
        self.flight = flight
        self.path = path
        """None: private memory, which nobody else sees."""

    @property
    def name(self) -> str | None:
        """What the scheduler is called in its namespace, unique among those that run; None where nobody sees it."""
        return None if self.path is None else self.path.name.removesuffix(SUFFIX)

    def touch(self) -> None:
        """Tell the file system that it is being written: the age of a record counts from then."""
        if self.path is not None:
            with suppress(OSError):
                os.utime(self.path)

    def end(self, *, keep: bool) -> None:
        """The run is over; without `keep` the file goes."""
        self.flight.end()
        if self.path is None:
            return
        _held.discard(self.path)
        if keep:
            self.touch()
        else:
            self.path.unlink(missing_ok=True)


def private(name: str = "", nodes: int = 0) -> Record:
    """A record that no other process sees."""
    return Record(_native.Flight(name=name, rows=_rows_for(nodes)), None)


def create(name: str, nodes: int) -> Record:
    """A record for a scheduler with so many nodes; `name-{pid}` when a living scheduler has that name.

    A run that shows itself to nobody (HORUS_BACKEND=local) has a private one.

    A machine that has no room for it gets a private one, and a warning: nodes matter more than their record.
    """
    if not backends.shows_runs():
        return private(name, nodes)
    rows = _rows_for(nodes)
    here = namespace.current()
    try:
        member = process.member(here)
        with namespace.locked(here):
            path = _free_path(here, name, member)
            flight = _make(path, rows, member)
            _held.add(path)
    except (HorusError, OSError) as error:
        _log.warning("The scheduler %r has no record in shared memory: %s", name, error)
        return private(name, nodes)
    return Record(flight, path)


def folder(namespace_name: str) -> Path:
    """Where a namespace's records are, or would be."""
    return namespace.path(namespace_name) / _FOLDER


def listed(namespace_name: str) -> list[Path]:
    """The records of a namespace, by name."""
    return sorted(path for path in folder(namespace_name).glob(f"*{SUFFIX}") if not path.name.startswith("."))


def is_alive(header: dict[str, Any], member: Member) -> bool:
    """Whether the process that writes the record lives and has not ended it."""
    ident = header["ident"]
    return not header["ended_ns"] and member.alive(ident) and member.pid(ident) == header["pid"]


def _rows_for(nodes: int) -> int:
    return -(-nodes // _SPARE_ROWS) * _SPARE_ROWS + _SPARE_ROWS


def _free_path(here: str, name: str, member: Member) -> Path:
    where = namespace.directory(here) / _FOLDER
    where.mkdir(mode=0o700, exist_ok=True)
    candidates = [name, f"{name}-{os.getpid()}"]
    while True:
        path = where / f"{candidates[0]}{SUFFIX}"
        if not _is_taken(path, member):
            return path
        candidates = [*candidates[1:], f"{name}-{os.getpid()}-{len(_held)}"]


def _is_taken(path: Path, member: Member) -> bool:
    try:
        header = _native.FlightReader(path).header()
    except (OSError, HorusError):
        return False
    if header["ident"] == member.ident and header["pid"] == os.getpid():
        return path in _held
    return is_alive(header, member)


def _make(path: Path, rows: int, member: Member) -> Flight:
    """Made under another name, so that nobody meets half a record."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(fd, 0, _native.flight_size(rows=rows))
        flight = _native.Flight(fd, name=path.name.removesuffix(SUFFIX), ident=member.ident, rows=rows)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return flight
