"""What a scheduler did last, read from its record: for people, for programs, and while it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from horus_core import _native
from horus_core.errors import HorusError
from horus_plugins.monitor import dates, nodes, schedulers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from horus_plugins.monitor.schedulers import SchedulerRecord

_T = TypeVar("_T")

LAST_S = 5.0
_NS = 1_000_000_000
_POLL_S = 0.1
_OVERLAP = 64  # records that are read once more


class Tick(msgspec.Struct):
    """One tick that has ended."""

    time: str
    """When it began, as ISO 8601 with the machine's time zone."""
    time_ns: int
    """The same by the machine's monotonic clock."""
    node: str
    kind: str
    """ok, or what was the matter: failed, missed (its deadline), hung (longer than its watchdog), or several."""
    duration_ms: float
    lateness_ms: float
    """How long after its release it began."""
    tid: int


class Event(msgspec.Struct):
    """Something that happened besides ticks."""

    time: str
    time_ns: int
    node: str | None
    """None: the scheduler itself."""
    kind: str
    text: str
    detail: int
    whole: bool
    """False: the end of the text, or its beginning, was overwritten."""
    state: str | None = None
    """Of kind `state`: the node's new one."""


class NodeReport(msgspec.Struct):
    """A node's figures; the keys of get_node_stats(), and more."""

    figures: dict[str, Any]
    in_tick_since: str | None = None
    """When the tick began that is under way, or was when the process was killed."""
    in_tick_ms: float | None = None
    """For how long: until now, or until the record's last sign of life."""


class Report(msgspec.Struct):
    """One scheduler: who, how it is, its nodes, and what happened last."""

    name: str
    state: str
    """running, ended, or killed: gone without an end."""
    pid: int
    since: str
    until: str | None
    """When it ended, or gave its last sign of life; None: it runs."""
    file: str
    nodes: list[NodeReport]
    events: list[Event]
    ticks: list[Tick]


class Blackboxes(msgspec.Struct):
    """What schedulers of a namespace did last."""

    namespace: str
    schedulers: list[Report]


class Followed(msgspec.Struct, omit_defaults=True):
    """What goes on in a scheduler, one thing at a time: first the report, then what happens, last how it ended."""

    report: Report | None = None
    event: Event | None = None
    tick: Tick | None = None
    state: str | None = None


class _Seen:
    """Which records were read. Threads write side by side: one may finish a record after the next one is there."""

    def __init__(self) -> None:
        self.since = 0
        self._numbers: set[int] = set()

    def new(self, records: list[_T], number: Callable[[_T], int]) -> list[_T]:
        """Those that come for the first time."""
        fresh = [record for record in records if number(record) not in self._numbers]
        last = max(map(number, records), default=self.since + _OVERLAP)
        self.since = max(self.since, last - _OVERLAP)
        self._numbers = {one for one in (*self._numbers, *map(number, fresh)) if one > self.since}
        return fresh


class Reader:
    """Reads one record, again and again: what is new since the last time."""

    def __init__(self, record: SchedulerRecord, only: Collection[str] = ()) -> None:
        """`only`: leave out the ticks and events of other nodes."""
        self._record = record
        self._only = only
        self._ticks_seen = _Seen()
        self._events_seen = _Seen()
        self._names: dict[int, list[tuple[int, str]]] = {}
        """Of each row: since when it was which node's."""

    def report(self, last_s: float | None) -> Report:
        """All of it, with the ticks and events of the last seconds (None: all that the record holds).

        Counted from now, of one that does not run any more from its last sign of life.
        """
        record = self._record
        state, now_ns = record.look(), _native.now_ns()
        rows, ticks, events = record.rows(), record.ticks(), record.events()
        until_ns = (
            now_ns if state == schedulers.RUNNING else schedulers.last_sign_ns(record, ticks, events, now_ns)
        )
        since_ns = 0 if last_s is None else until_ns - int(last_s * _NS)
        begun = schedulers.last_ticks(record, ticks)
        self._learn(rows)
        self._ticks_seen.new(ticks, lambda tick: tick[0])
        self._events_seen.new(events, lambda event: event["seq"])
        return Report(
            name=record.name,
            state=state,
            pid=record.header["pid"],
            since=self._date(record.header["created_ns"]),
            until=None if state == schedulers.RUNNING else self._date(until_ns),
            file=str(record.path),
            nodes=[
                self._node(row, state, begun.get(row["row"], now_ns), until_ns)
                for row in sorted(rows, key=lambda row: (row["order"], row["row"]))
                if self._wanted(row["name"])
            ],
            events=self._events(events, since_ns),
            ticks=self._ticks(ticks, since_ns),
        )

    def news(self) -> tuple[list[Event], list[Tick]]:
        """What was written since the last call of this or of report()."""
        record = self._record
        rows = record.rows()
        ticks = self._ticks_seen.new(record.ticks(self._ticks_seen.since), lambda tick: tick[0])
        events = record.events(self._events_seen.since)
        if events and not events[-1]["whole"] and _native.now_ns() - events[-1]["time_ns"] < _NS:
            events.pop()  # it is being written
        events = self._events_seen.new(events, lambda event: event["seq"])
        self._learn(rows)
        return self._events(events, 0), self._ticks(ticks, 0)

    def recent(self) -> list[Event]:
        """All events that the record holds, oldest first."""
        self._learn(self._record.rows())
        return self._events(self._record.events(), 0)

    def _node(self, row: dict[str, Any], scheduler: str, begun_ns: int, until_ns: int) -> NodeReport:
        report = NodeReport(nodes.figures(row, schedulers.shown_state(row, scheduler, begun_ns, until_ns)))
        if row["started_ns"] and scheduler != schedulers.ENDED:
            report.in_tick_since = self._date(row["started_ns"])
            report.in_tick_ms = max(0, until_ns - row["started_ns"]) / 1e6
        return report

    def _ticks(self, ticks: list[tuple[int, int, str, int, int, int, int]], since_ns: int) -> list[Tick]:
        return [
            Tick(self._date(start), start, name, kind, duration / 1e6, lateness / 1e6, tid)
            for _, row, kind, start, duration, lateness, tid in ticks
            if start + duration >= since_ns and self._wanted(name := self._name(row, start))
        ]

    def _events(self, events: list[dict[str, Any]], since_ns: int) -> list[Event]:
        return [
            Event(
                time=self._date(event["time_ns"]),
                time_ns=event["time_ns"],
                node=None if event["node"] < 0 else self._name(event["node"], event["time_ns"]),
                kind=event["kind"],
                text=event["text"],
                detail=event["detail"],
                whole=event["whole"],
                state=event.get("state"),
            )
            for event in events
            if event["time_ns"] >= since_ns
            and (event["node"] < 0 or self._wanted(self._name(event["node"], event["time_ns"])))
        ]

    def _learn(self, rows: list[dict[str, Any]]) -> None:
        """A row goes to another node when its node was removed and no other row is left."""
        for row in rows:
            known = self._names.setdefault(row["row"], [])
            if (row["taken_ns"], row["name"]) not in known:
                known.append((row["taken_ns"], row["name"]))

    def _name(self, row: int, time_ns: int) -> str:
        names = [name for taken_ns, name in self._names.get(row, ()) if taken_ns <= time_ns]
        return names[-1] if names else f"row {row}"

    def _wanted(self, name: str) -> bool:
        return not self._only or name in self._only

    def _date(self, monotonic_ns: int) -> str:
        return dates.iso(self._record.realtime_ns(monotonic_ns))


def named(namespace: str, name: str) -> SchedulerRecord:
    """The record of one scheduler. Raises HorusError that names those which there are."""
    records, unreadable = schedulers.schedulers(namespace)
    for record in records:
        if record.name == name:
            return record
    if name in unreadable:
        raise HorusError(f"The record of scheduler {name!r} cannot be read: {unreadable[name]}")
    there = ", ".join(repr(record.name) for record in records) or "none"
    raise HorusError(
        f"No record of scheduler {name!r} in namespace {namespace!r}: expected one of {there}, got {name!r}. "
        f"A run that ended without trouble leaves none."
    )


def follow(reader: Reader, record: SchedulerRecord) -> Iterator[tuple[list[Event], list[Tick]]]:
    """What happens, as it happens, until the scheduler is gone; what it wrote last comes last."""
    while True:
        running = record.look() == schedulers.RUNNING
        yield reader.news()
        if not running:
            return
        time.sleep(_POLL_S)
