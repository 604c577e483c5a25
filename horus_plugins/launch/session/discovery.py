"""Which schedulers run in which of a session's processes, read from their records without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from horus_core import _native
from horus_core.control import flights
from horus_core.control.commands import topic_of
from horus_core.errors import HorusError
from horus_core.text import plain_name
from horus_plugins.launch.manifest import LaunchedScheduler

if TYPE_CHECKING:
    from collections.abc import Collection

    from horus_core._native import Member

_NOT_READY = ("uninitialized", "initializing")
_CORE = b"/_native."
_DEEPEST = 64


class Found(NamedTuple):
    """A living scheduler."""

    row: LaunchedScheduler
    ready: bool
    """Whether it runs nodes, and all of them have started."""


def look(namespace: str, member: Member, processes: Collection[int]) -> dict[int, list[Found]]:
    """The living schedulers of these processes and their descendants, by process."""
    found: dict[int, list[Found]] = {}
    for path in flights.listed(namespace):
        scheduler = _living(path, member)
        if scheduler is not None:
            owner = owner_of(scheduler.row.pid, processes)
            if owner:
                found.setdefault(owner, []).append(scheduler)
    return found


def owner_of(pid: int, processes: Collection[int]) -> int:
    """Which of the processes that one is or descends from; 0: none of them."""
    for _ in range(_DEEPEST):
        if pid in processes or pid <= 1:
            break
        parent, session = _relatives(pid)
        # Each process of a session leads a session of the kernel's: that stays when those between have ended.
        pid = session if session in processes else parent
    return pid if pid in processes else 0


def may_become_scheduler(pid: int) -> bool:
    """Whether the process has HORUS's core loaded: one that has no scheduler yet may still be importing."""
    try:
        return _CORE in Path("/proc", str(pid), "maps").read_bytes()
    except OSError:
        return False


def _living(path: Path, member: Member) -> Found | None:
    try:
        reader = _native.FlightReader(path)
        header = reader.header()
        if not flights.is_alive(header, member):
            return None
        rows = [row for row in reader.rows() if not row["gone"]]
    except (HorusError, OSError):  # it ends at this moment, or is nobody's
        return None
    name = path.name.removesuffix(flights.SUFFIX)
    nodes = [plain_name(row["name"]) for row in rows]
    row = LaunchedScheduler(plain_name(name), int(header["pid"]), topic_of(name), nodes)
    return Found(row, bool(rows) and all(row["state"] not in _NOT_READY for row in rows))


def _relatives(pid: int) -> tuple[int, int]:
    """Its parent and its session."""
    try:
        fields = Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[1]), int(fields[3])
    except (OSError, ValueError, IndexError):
        return 0, 0
