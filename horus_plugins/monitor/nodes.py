"""The figures of all running nodes of a namespace, read from their schedulers' records without asking them."""

from __future__ import annotations

from typing import Any

import msgspec

from horus_core import _native
from horus_core.control import flights
from horus_core.scheduler import health
from horus_plugins.monitor import claims, schedulers

_NS = 1_000_000_000
_MS = 1e6


class Figures(msgspec.Struct, kw_only=True):
    """What get_node_stats() tells of a node, and more; durations in milliseconds."""

    name: str
    state: str
    execution_class: str = msgspec.field(name="class")
    rate: float
    order: int
    critical: bool
    degraded: bool
    total_ticks: int
    successful_ticks: int
    failed_ticks: int
    errors_count: int
    avg_tick_duration_ms: float
    min_tick_duration_ms: float
    max_tick_duration_ms: float
    last_tick_duration_ms: float
    p50_tick_duration_ms: float
    p99_tick_duration_ms: float
    late_start_p50_ms: float
    late_start_p99_ms: float
    missed_deadlines: int
    skipped_releases: int
    restarts: int
    health: str
    hangs: int
    missed_in_row: int
    safe_state: bool
    granted: list[str]
    """What its thread asked the kernel for and got."""
    refused: list[str]


def stats(namespace: str) -> list[dict[str, Any]]:
    """What get_node_stats() tells, of each node of each living scheduler, by scheduler and order.

    Besides `scheduler`, `pid`, `late_start_p50_ms`, `late_start_p99_ms`, what safety_stats() tells of a node, and
    what it was granted and refused by the kernel. The state is checked (`stale`: it
    begins no ticks any more). `uptime` is None for a node whose presence cannot be read.
    """
    records, _ = schedulers.schedulers(namespace)
    held, _ = claims.claims(namespace)
    return [
        row for record in records if record.look() == schedulers.RUNNING for row in _stats_of(record, held)
    ]


def _stats_of(record: schedulers.SchedulerRecord, held: dict[str, claims.Claim]) -> list[dict[str, Any]]:
    ticks = record.ticks()
    begun, now_ns = schedulers.last_ticks(record, ticks), _native.now_ns()
    listed = []
    for row in sorted(record.rows(), key=lambda row: (row["order"], row["row"])):
        claim = held.get(row["name"])
        ours = claim is not None and claim.ident == record.header["ident"]
        state = schedulers.shown_state(row, schedulers.RUNNING, begun.get(row["row"], now_ns), now_ns)
        listed.append(
            {"scheduler": record.name, "pid": record.header["pid"]}
            | figures(row, state)
            | {"uptime": claim.uptime_s if claim is not None and ours else None}
        )
    return listed


def figures(row: dict[str, Any], state: str) -> dict[str, Any]:
    """A row of a record under the names that get_node_stats() uses."""
    ticks = row["ticks"]
    return {
        "name": row["name"],
        "state": state,
        "class": row["class"],
        "rate": _NS / row["period_ns"] if row["period_ns"] else 0.0,
        "order": row["order"],
        "critical": row["critical"],
        "degraded": row["degraded"],
        "total_ticks": ticks,
        "successful_ticks": max(0, ticks - row["failed"]),
        "failed_ticks": row["failed"],
        "errors_count": row["failed"],
        "avg_tick_duration_ms": row["total_ns"] / ticks / _MS if ticks else 0.0,
        "min_tick_duration_ms": row["min_ns"] / _MS,
        "max_tick_duration_ms": row["max_ns"] / _MS,
        "last_tick_duration_ms": row["last_ns"] / _MS,
        "p50_tick_duration_ms": _bounded(row, "duration_p50_ns") / _MS,
        "p99_tick_duration_ms": _bounded(row, "duration_p99_ns") / _MS,
        "late_start_p50_ms": row["lateness_p50_ns"] / _MS,
        "late_start_p99_ms": row["lateness_p99_ns"] / _MS,
        "missed_deadlines": row["missed"],
        "skipped_releases": row["skipped"],
        "restarts": row["restarts"],
        "health": health.of_node(state, row["ladder"], row["failed_in_row"]),
        "hangs": row["hung"],
        "missed_in_row": row["missed_in_row"],
        "safe_state": row["in_safe_state"],
        "granted": [asked for asked, flag in flights.ASKED.items() if row["flags"] & flag],
        "refused": [asked for asked, flag in flights.ASKED.items() if row["flags"] >> flights.REFUSED & flag],
    }


def _bounded(row: dict[str, Any], key: str) -> float:
    """A histogram knows no more than its buckets, but the extremes are known exactly."""
    return float(min(max(row[key], row["min_ns"]), row["max_ns"]))
