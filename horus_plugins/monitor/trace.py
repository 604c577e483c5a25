"""A scheduler's record as a trace that chrome://tracing and ui.perfetto.dev load: every tick, by thread.

Format: "Trace Event Format", JSON object form. Times are microseconds since the scheduler's start.

Viewers drop what overlaps on a thread without nesting in it. So nodes that await, of which several are in a tick on
one thread at the same time, get a track each (asynchronous events).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from horus_core import _native
from horus_plugins.monitor import schedulers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.blackbox import Event, Report, Tick
    from horus_plugins.monitor.schedulers import SchedulerRecord

_NEVER = 2**63 - 1
_APART = "awaits"
"""The category of ticks that overlap others on their thread: it and their id say which begin and end are one."""


def encode(report: Report, record: SchedulerRecord) -> bytes:
    """The ticks and events of the report as one JSON object."""
    pid, zero_ns = report.pid, int(record.header["created_ns"])
    unended = _unended(report, record)
    apart = _overlapping(report.ticks, unended)
    open_ticks = [_open(row, report, zero_ns, row["name"] in apart) for row in unended]
    events = [
        *_metadata(report, open_ticks),
        *(event for tick in report.ticks for event in _ended(tick, pid, zero_ns, tick.node in apart)),
        *open_ticks,
        *(_instant(event, report, zero_ns) for event in report.events),
    ]
    return msgspec.json.encode(
        {
            "traceEvents": events,
            "displayTimeUnit": "ms",
            "otherData": {
                "scheduler": report.name,
                "state": report.state,
                "since": report.since,
                "until": report.until,
            },
        }
    )


def _metadata(report: Report, open_ticks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Names of the process and of its threads: a thread is called by the nodes that ticked on it."""
    on_thread: dict[int, dict[str, None]] = {}
    for tick in report.ticks:
        on_thread.setdefault(tick.tid, {})[tick.node] = None
    for one in open_ticks:
        on_thread.setdefault(one["tid"], {})[one["name"]] = None
    yield _named(report.pid, report.pid, "process_name", f"scheduler {report.name}")
    for tid, nodes in on_thread.items():
        yield _named(report.pid, tid, "thread_name", ", ".join(nodes))


def _named(pid: int, tid: int, what: str, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": pid, "tid": tid, "ts": 0, "name": what, "args": {"name": name}}


def _overlapping(ticks: list[Tick], unended: list[dict[str, Any]]) -> set[str]:
    """The nodes that were in a tick while another one was, on the same thread."""
    spans = [(tick.tid, tick.time_ns, tick.time_ns + _ns(tick), tick.node) for tick in ticks]
    spans += [(row["tid"], row["started_ns"], _NEVER, row["name"]) for row in unended]
    apart: set[str] = set()
    last: dict[int, tuple[int, str]] = {}  # by thread: what ends last of those that began before
    for tid, start, end, node in sorted(spans):
        other_end, other = last.get(tid, (0, node))
        if start < other_end:
            apart |= {node, other}
        if end >= other_end:
            last[tid] = (end, node)
    return apart


def _ended(tick: Tick, pid: int, zero_ns: int, apart: bool) -> Iterator[dict[str, Any]]:
    begin_ns, lasted_ns = tick.time_ns - zero_ns, _ns(tick)
    event = {
        "ph": "X",
        "pid": pid,
        "tid": tick.tid,
        "ts": begin_ns / 1000,
        "name": tick.node,
        "cat": tick.kind,
        "args": {"kind": tick.kind, "lateness_ms": tick.lateness_ms, "time": tick.time},
    }
    if not apart:
        yield event | {"dur": lasted_ns / 1000}
        return
    event |= {"cat": _APART, "id": tick.node}
    yield event | {"ph": "b"}
    yield event | {"ph": "e", "ts": (begin_ns + lasted_ns) / 1000}


def _ns(tick: Tick) -> int:
    return round(tick.duration_ms * 1e6)


def _unended(report: Report, record: SchedulerRecord) -> list[dict[str, Any]]:
    """The rows of nodes in a tick that never ended, or has not yet."""
    names = {node.figures["name"] for node in report.nodes if node.in_tick_since is not None}
    now_ns = _native.now_ns()
    return [row for row in record.rows() if row["name"] in names and 0 < row["started_ns"] <= now_ns]


def _open(row: dict[str, Any], report: Report, zero_ns: int, apart: bool) -> dict[str, Any]:
    """A beginning without an end."""
    kind = "under way" if report.state == schedulers.RUNNING else "never ended"
    event = {
        "ph": "B",
        "pid": report.pid,
        "tid": row["tid"],
        "ts": (row["started_ns"] - zero_ns) / 1000,
        "name": row["name"],
        "cat": kind,
        "args": {"kind": kind},
    }
    return event | {"ph": "b", "cat": _APART, "id": row["name"]} if apart else event


def _instant(event: Event, report: Report, zero_ns: int) -> dict[str, Any]:
    of = "" if event.node is None else f"{event.node}: "
    return {
        "ph": "i",
        "s": "p",
        "pid": report.pid,
        "tid": report.pid,
        "ts": (event.time_ns - zero_ns) / 1000,
        "name": f"{of}{event.state or event.kind}",
        "cat": event.kind,
        "args": {"text": event.text, "time": event.time},
    }
