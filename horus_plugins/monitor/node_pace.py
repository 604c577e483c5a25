"""How fast the nodes of a scheduler really tick, and since when they are silent, by the ticks in its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from horus_plugins.monitor import schedulers

if TYPE_CHECKING:
    from horus_plugins.monitor.schedulers import SchedulerRecord

_NS = 1_000_000_000
_FEW = 64
"""Ticks a node that are read at first."""
_MORE = 8
_PERIODS = 20
_LEAST_NS = _NS // 2
_BY_MESSAGES_NS = 2 * _NS
_ROW, _START, _DURATION = 1, 3, 4


class Pace(NamedTuple):
    """What the last ticks of a node tell."""

    last_tick_ns: int
    """When it began the last one; where that is not known any more, the latest that it can have been."""
    reached_hz: float | None = None
    """Over its last 20 periods, at least half a second; by messages: over 2 s. None: not known yet."""
    busy_percent: float | None = None
    """The share of that time that it spent in ticks."""


def paces(
    record: SchedulerRecord, rows: list[dict[str, Any]], now_ns: int, *, measure: bool
) -> dict[int, Pace]:
    """The pace of each row. Without `measure` only when the last tick was, which reads less."""
    if not rows:
        return {}
    ticks, oldest_ns = _last(record, rows, now_ns, measure=measure)
    by_row: dict[int, list[Any]] = {row["row"]: [] for row in rows}
    for tick in ticks:
        if tick[_ROW] in by_row:
            by_row[tick[_ROW]].append(tick)
    return {row["row"]: _pace(row, by_row[row["row"]], oldest_ns, now_ns, measure=measure) for row in rows}


def _last(
    record: SchedulerRecord, rows: list[dict[str, Any]], now_ns: int, *, measure: bool
) -> tuple[list[Any], int]:
    """So many of the last ticks as it takes, and since when none of them is missing."""
    head, room, created_ns = (record.header[key] for key in ("tick_head", "ticks", "created_ns"))
    count = _FEW * len(rows)
    while True:
        since = max(0, head - min(count, room))
        ticks = record.ticks(since)
        oldest_ns = int(ticks[0][_START]) if since and ticks else created_ns
        if not since or count >= room or _suffices(rows, ticks, oldest_ns, now_ns, measure=measure):
            return ticks, oldest_ns
        count *= _MORE


def _suffices(
    rows: list[dict[str, Any]], ticks: list[Any], oldest_ns: int, now_ns: int, *, measure: bool
) -> bool:
    if measure:
        return all(now_ns - oldest_ns > window_ns(row) for row in rows)
    seen = {tick[_ROW] for tick in ticks}
    return all(row["row"] in seen or now_ns - oldest_ns > schedulers.quiet_ns(row) for row in rows)


def window_ns(row: dict[str, Any]) -> int:
    """The time over which a node's rate is taken."""
    if by_messages(row):
        return _BY_MESSAGES_NS
    return max(_LEAST_NS, _PERIODS * int(row["period_ns"]))


def by_messages(row: dict[str, Any]) -> bool:
    """Whether it ticks when messages come, not by time."""
    return row["class"] == "event" or not row["period_ns"]


def _pace(row: dict[str, Any], ticks: list[Any], oldest_ns: int, now_ns: int, *, measure: bool) -> Pace:
    own = [tick for tick in ticks if tick[_START] >= row["taken_ns"]]
    last_ns = own[-1][_START] if own else max(oldest_ns, row["taken_ns"])
    last_ns = max(last_ns, row["started_ns"])
    if not measure:
        return Pace(last_ns)
    since_ns = max(now_ns - window_ns(row), oldest_ns, row["taken_ns"])
    own = [tick for tick in own if tick[_START] >= since_ns]
    if by_messages(row):
        passed_ns = now_ns - since_ns
        reached = len(own) * _NS / passed_ns if passed_ns > 0 else None
    else:
        reached = _by_starts([tick[_START] for tick in own], since_ns, now_ns, row["period_ns"])
    return Pace(last_ns, reached, _busy(own, row["started_ns"], since_ns, now_ns))


def _by_starts(starts: list[int], since_ns: int, now_ns: int, period_ns: int) -> float | None:
    """The rate between the first and the last; of a node that is late by more than a period, until now."""
    if not starts:
        return 0.0 if now_ns - since_ns > 2 * period_ns else None
    if len(starts) == 1:
        passed_ns = now_ns - starts[0]
        return _NS / passed_ns if passed_ns > 2 * period_ns else None
    passed_ns = starts[-1] - starts[0]
    gaps = len(starts) - 1
    passed_ns += max(0, now_ns - starts[-1] - passed_ns // gaps)
    return gaps * _NS / passed_ns if passed_ns > 0 else None


def _busy(own: list[Any], started_ns: int, since_ns: int, now_ns: int) -> float | None:
    passed_ns = now_ns - since_ns
    if passed_ns <= 0:
        return None
    spent_ns = int(sum(tick[_DURATION] for tick in own))
    if started_ns:
        spent_ns += max(0, now_ns - max(started_ns, since_ns))
    return min(100.0, 100.0 * spent_ns / passed_ns)
