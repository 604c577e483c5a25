"""A scheduler's report as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_plugins.monitor import schedulers
from horus_plugins.monitor.blackbox import Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from horus_plugins.monitor.blackbox import Event, NodeReport, Report

_FEW = 10
"""So many ticks in a row without trouble are shown one by one; more in one line."""

_HEAD = [
    "NODE",
    "STATE",
    "CLASS",
    "RATE",
    "TICKS",
    "FAILED",
    "MISSED",
    "SKIPPED",
    "TICK-p50",
    "p99",
    "LATE-p50",
    "p99",
]
_LEFT = 3  # columns of text

_ENDS = {
    schedulers.RUNNING: "runs",
    schedulers.ENDED: "has ended",
    schedulers.KILLED: "was killed: it is gone without an end",
}


def header(report: Report) -> Iterator[str]:
    """Who it is, and how it is."""
    yield f"Scheduler {report.name}, pid {report.pid}: {_ENDS[report.state]}"
    yield f"  since {_seconds(report.since)}"
    if report.until is not None:
        what = "until" if report.state == schedulers.ENDED else "last sign of life"
        yield f"  {what} {_seconds(report.until)}"
    yield f"  {report.file}"


def table(nodes: list[NodeReport]) -> Iterator[str]:
    """The nodes and their figures, one a line; what is under way below."""
    rows = [_HEAD]
    rows += [_cells(node) for node in nodes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, range(len(row)), strict=True)
        yield "  ".join(
            f"{cell:<{width}}" if number < _LEFT else f"{cell:>{width}}" for cell, width, number in cells
        )
    for node in nodes:
        if node.in_tick_since is not None:
            yield _under_way(node)


def _under_way(node: NodeReport) -> str:
    name = node.figures["name"]
    if node.figures["state"] == "crashed":
        return f"{name} was in a tick that never ended, begun {node.in_tick_since}"
    return f"{name} is in a tick, for {node.in_tick_ms:.1f} ms, begun {node.in_tick_since}"


def _cells(node: NodeReport) -> list[str]:
    get = node.figures
    flags = ", critical" * get["critical"] + ", degraded" * get["degraded"]
    counts = ("total_ticks", "failed_ticks", "missed_deadlines", "skipped_releases")
    times = ("p50_tick_duration_ms", "p99_tick_duration_ms", "late_start_p50_ms", "late_start_p99_ms")
    by_messages = get["class"] == "event" and get["health"] not in ("slow", "isolated")
    return [
        get["name"],
        get["state"] + flags,
        get["class"],
        "-" if by_messages else f"{get['rate']:g} Hz",
        *(str(get[key]) for key in counts),
        *(f"{get[key]:.3f} ms" for key in times),
    ]


def happenings(events: list[Event], ticks: list[Tick], *, every: bool) -> Iterator[str]:
    """Ticks and events by time. Many ticks in a row without trouble are one line, unless `every` one is wanted."""
    both: list[Tick | Event] = [*ticks, *events]
    plain: list[Tick] = []
    for one in sorted(both, key=lambda one: one.time_ns):
        if isinstance(one, Tick) and one.kind == "ok":
            plain.append(one)
            continue
        yield from _plain_ticks(plain, every=every)
        plain.clear()
        yield from [_tick(one)] if isinstance(one, Tick) else _event(one)
    yield from _plain_ticks(plain, every=every)


def _plain_ticks(ticks: list[Tick], *, every: bool) -> Iterable[str]:
    if every or len(ticks) <= _FEW:
        return [_tick(tick) for tick in ticks]
    counts: dict[str, int] = {}
    for tick in ticks:
        counts[tick.node] = counts.get(tick.node, 0) + 1
    longest = max(ticks, key=lambda tick: tick.duration_ms)
    each = ", ".join(f"{node} {count}" for node, count in counts.items())
    line = (
        f"{ticks[0].time}  {len(ticks)} ticks, all ok, until {ticks[-1].time[11:26]}: {each}; the longest "
        f"{longest.duration_ms:.3f} ms ({longest.node})"
    )
    return [line]


def _tick(tick: Tick) -> str:
    return (
        f"{tick.time}  tick {tick.node}  {tick.kind}  {tick.duration_ms:.3f} ms, "
        f"began {tick.lateness_ms:.3f} ms late"
    )


def _event(event: Event) -> Iterator[str]:
    who = "scheduler" if event.node is None else event.node
    first, *more = event.text.rstrip("\n").split("\n")
    told = event.state if event.kind == "state" else first
    cut = "" if event.whole else "  (cut)"
    if more and event.kind == "failure":  # a traceback: its last line says what it is
        yield f"{event.time}  failure {who}  {more[-1]}{cut}"
        more = [first, *more]
    else:
        yield f"{event.time}  {event.kind} {who}  {told}{cut}"
    yield from (f"    {line}" for line in more)


def _seconds(date: str) -> str:
    return date.replace("T", " ")
