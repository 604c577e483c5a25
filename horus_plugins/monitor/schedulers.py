"""The schedulers of a namespace, as their records tell: which live, which have ended, which were killed.

Alive is who holds the kernel's lock; of what stands in a record nothing is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.control import flights
from horus_core.errors import HorusError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process
from horus_core.text import plain, plain_name

if TYPE_CHECKING:
    from pathlib import Path

RUNNING, ENDED, KILLED = "running", "ended", "killed"
_MOST_TICKS, _MOST_EVENTS = 1 << 18, 1 << 14
_NS = 1_000_000_000
_QUIET_NS = 3 * _NS
_QUIET_PERIODS = 10
_MAY_NOT_TICK = ("event",)  # classes whose nodes wait for something else than time
_TICKING = ("running", "error")
_FINAL = ("stopped", "crashed", "uninitialized")


class SchedulerRecord:
    """The record of one scheduler, living or dead, with what the kernel says of its process."""

    def __init__(self, path: Path, member: _native.Member | None) -> None:
        """Open it; `member` is a look at its namespace, None when nobody lives there.

        Raises RegionError when the file is no record, OSError when it cannot be read.
        """
        self.path = path
        self._member = member
        self._reader = _native.FlightReader(path)
        self.header: dict[str, Any] = self._reader.header()
        self.name = plain_name(path.name.removesuffix(flights.SUFFIX))

    def look(self) -> str:
        """Read the header again: `running`, `ended`, or `killed` of a process that is gone without an end."""
        self.header = self._reader.header()
        if self._member is not None and flights.is_alive(self.header, self._member):
            return RUNNING
        # It may have ended since we read: then the process says so before it goes.
        self.header = self._reader.header()
        return ENDED if self.header["ended_ns"] else KILLED

    def rows(self) -> list[dict[str, Any]]:
        """The nodes, as the record has them."""
        return [
            row | {"name": plain_name(row["name"]), "class": plain_name(row["class"])}
            for row in self._reader.rows()
        ]

    def ticks(self, since: int = 0) -> list[tuple[int, int, str, int, int, int, int]]:
        """The last ticks, at most 262,144, by their start."""
        oldest = max(0, self._reader.header()["tick_head"] - _MOST_TICKS)
        return sorted(self._reader.ticks(max(since, oldest)), key=lambda tick: tick[3])

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """What happened last, at most 16,384 events, oldest first."""
        oldest = max(0, self._reader.header()["event_head"] - _MOST_EVENTS)
        return [event | {"text": plain(event["text"])} for event in self._reader.events(max(since, oldest))]

    def realtime_ns(self, monotonic_ns: int) -> int:
        """A time of the record as one of the calendar, by the clocks at the scheduler's start."""
        return int(self.header["created_realtime_ns"] + monotonic_ns - self.header["created_ns"])


def schedulers(namespace: str) -> tuple[list[SchedulerRecord], dict[str, str]]:
    """All records of a namespace by name, and of those that cannot be read why. Nothing is created."""
    paths = flights.listed(namespace)
    if not paths:
        return [], {}
    member = process.look(namespace)
    opened = {path: _open(path, member) for path in paths}
    found = [record for record in opened.values() if isinstance(record, SchedulerRecord)]
    unreadable = {
        path.name.removesuffix(flights.SUFFIX): why for path, why in opened.items() if isinstance(why, str)
    }
    return found, unreadable


def _open(path: Path, member: _native.Member | None) -> SchedulerRecord | str | None:
    """The record, why it cannot be read, or None when it was removed meanwhile."""
    try:
        return SchedulerRecord(path, member)
    except FileNotFoundError:
        return None
    except (HorusError, OSError) as error:
        return str(error)


def elsewhere(namespace: str) -> dict[str, int]:
    """How many records this user's other namespaces have; those without any are left out."""
    counts = {other: len(flights.listed(other)) for other in namespaces.mine() if other != namespace}
    return {other: count for other, count in counts.items() if count}


def running_elsewhere(namespace: str) -> dict[str, int]:
    """How many schedulers run in this user's other namespaces; those without any are left out."""
    counts = {
        other: sum(record.look() == RUNNING for record in schedulers(other)[0])
        for other in elsewhere(namespace)
    }
    return {other: count for other, count in counts.items() if count}


def shown_state(row: dict[str, Any], scheduler: str, last_tick_ns: int, now_ns: int) -> str:
    """The state of a node, checked: a killed process has crashed nodes, a silent node is stale.

    Stale: it is to tick, and has begun no tick for 3 s and 10 of its periods.
    """
    state = str(row["state"])
    if scheduler == KILLED:
        return state if state in _FINAL else "crashed"
    if scheduler == ENDED:
        return state if state in _FINAL else "stopped"
    by_time = row["period_ns"] and row["class"] not in _MAY_NOT_TICK
    if state in _TICKING and by_time and now_ns - last_tick_ns > quiet_ns(row):
        return "stale"
    return state


def quiet_ns(row: dict[str, Any]) -> int:
    """For how long a node that is to tick may be silent."""
    return int(max(_QUIET_NS, _QUIET_PERIODS * row["period_ns"]))


def last_ticks(
    record: SchedulerRecord, ticks: list[tuple[int, int, str, int, int, int, int]]
) -> dict[int, int]:
    """When each node began its last tick, by its row; where it is not known, the latest that it can have been.

    A node that was just started or resumed has had no time for one: then it is when that was.
    """
    begun = {tick[1]: tick[3] for tick in ticks}
    changed = state_changes(record)
    header = record.header
    bound = ticks[0][3] if ticks and header["tick_head"] > len(ticks) else header["created_ns"]
    return {
        row["row"]: max(begun.get(row["row"], bound), row["started_ns"], changed.get(row["row"], 0))
        for row in record.rows()
    }


def state_changes(record: SchedulerRecord) -> dict[int, int]:
    """When each node took on the state that it has, by its row; of those that the record still tells."""
    return {event["node"]: event["time_ns"] for event in record.events() if event["kind"] == "state"}


def last_sign_ns(record: SchedulerRecord, ticks: list[Any], events: list[dict[str, Any]], now_ns: int) -> int:
    """When a scheduler that is gone wrote last."""
    header = record.header
    if header["ended_ns"]:
        return int(min(header["ended_ns"], now_ns))
    signs = [header["created_ns"], *(tick[3] + tick[4] for tick in ticks)]
    signs += [event["time_ns"] for event in events]
    signs += [row["started_ns"] for row in record.rows()]
    return int(max((sign for sign in signs if sign <= now_ns), default=0))
