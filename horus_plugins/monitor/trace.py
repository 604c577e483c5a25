"""A scheduler's record as a trace that chrome://tracing and ui.perfetto.dev load: every tick, by thread.

Format: "Trace Event Format", JSON object form. Times are microseconds since the scheduler's start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from horus_core import _native
from horus_plugins.monitor import schedulers as found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.blackbox import Event, Report, Tick
    from horus_plugins.monitor.schedulers import SchedulerRecord


def encode(report: Report, record: SchedulerRecord) -> bytes:
    """The ticks and events of the report as one JSON object."""
    pid, zero_ns = report.pid, int(record.header["created_ns"])
    open_ticks = list(_open_ticks(report, record, zero_ns))
    events = [
        *_metadata(report, open_ticks),
        *(_complete(tick, pid, zero_ns) for tick in report.ticks),
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


def _complete(tick: Tick, pid: int, zero_ns: int) -> dict[str, Any]:
    return {
        "ph": "X",
        "pid": pid,
        "tid": tick.tid,
        "ts": (tick.time_ns - zero_ns) / 1000,
        "dur": tick.duration_ms * 1000,
        "name": tick.node,
        "cat": tick.kind,
        "args": {"kind": tick.kind, "lateness_ms": tick.lateness_ms, "time": tick.time},
    }


def _open_ticks(report: Report, record: SchedulerRecord, zero_ns: int) -> Iterator[dict[str, Any]]:
    """Ticks that never ended, or have not yet: a beginning without an end."""
    unended = {node.figures["name"]: node for node in report.nodes if node.in_tick_since is not None}
    for row in record.rows():
        if row["started_ns"] and row["name"] in unended and row["started_ns"] <= _native.now_ns():
            kind = "under way" if report.state == found.RUNNING else "never ended"
            yield {
                "ph": "B",
                "pid": report.pid,
                "tid": row["tid"],
                "ts": (row["started_ns"] - zero_ns) / 1000,
                "name": row["name"],
                "cat": kind,
                "args": {"kind": kind},
            }


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
