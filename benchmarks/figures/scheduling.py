"""What the scheduler costs: a tick, many idle nodes, a stop."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.hogs import quiet_or_busy
from benchmarks.lab import asking
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from benchmarks.lab import Lab

CALLS = 20  # bare calls that an empty tick may cost, and never more than
MOST_NS = 1000.0
RUN_S = 0.05


def overhead(lab: Lab) -> list[Row]:
    """All of an empty tick but the user's function: the time from tick to tick less a bare call of the round."""
    return [row for core in (None, lab.cores[1]) for row in _overhead(lab, core)]


def _overhead(lab: Lab, busy: int | None) -> list[Row]:
    program = lab.program("horus", "ours_scheduler", core=lab.cores[0])
    calls = {"count": lab.count(500), "burst": 200}
    ticks = {"count": 4, "burst": 200, "seconds": RUN_S}
    with quiet_or_busy(busy) as beside:
        series = lab.interleave(
            {
                "1": asking(program, "tick", nodes=1, **ticks),
                "50": asking(program, "tick", nodes=50, **ticks),
                "a bare call": asking(program, "bare", **calls),
                "a plain Python loop with the same account": asking(program, "plain", **calls),
            }
        )
    call, loop = series["a bare call"], series["a plain Python loop with the same account"]
    return [
        Row(
            f"an empty tick, all but the call, {nodes} node{'s' * (nodes != '1')}{beside}",
            f"{CALLS} x, and 1 us",
            "ns",
            _less(series[nodes], call),
            lambda ns: min(CALLS * ns, MOST_NS),
            call,
            [_less(loop, call)],
        )
        for nodes in ("1", "50")
    ]


def _less(series: Series, call: Series) -> Series:
    """Each percentile less the usual call: a single call is too short for the clock."""
    pairs = zip(series.rounds, call.p50s, strict=True)
    return Series(series.name, [_minus(one, bare) for one, bare in pairs])


def _minus(one: Summary, bare: float) -> Summary:
    p99, p999 = (None if value is None else value - bare for value in (one.p99, one.p999))
    return Summary(one.p50 - bare, p99, one.facts, p999)


def unthrottled(lab: Lab) -> list[Row]:
    """One empty node that asks for 1 MHz."""
    return [_unthrottled(lab, core) for core in (None, lab.cores[1])]


def _unthrottled(lab: Lab, busy: int | None) -> Row:
    program = lab.program("horus", "ours_scheduler", core=lab.cores[0])
    with quiet_or_busy(busy) as beside:
        series = lab.interleave({"HORUS": asking(program, "unthrottled", seconds=max(0.05, lab.scale / 2))})
    title = f"one empty node, unthrottled, ticks{beside}"
    row = Row(title, "at least 0.6 M/s", "/s", series["HORUS"], 0.6e6, more_is_better=True)
    by_cpu = median(float(one.facts["by_cpu_time"]) for one in series["HORUS"].rounds) / 1e6
    row.notes.append(f"{by_cpu:.2f} M for each second of processor time that it was given")
    return row


def idle(lab: Lab) -> list[Row]:
    """200 nodes at 10 Hz in one process, most of the time asleep."""
    return [_idle(lab, core) for core in (None, lab.cores[1])]


def _idle(lab: Lab, busy: int | None) -> Row:
    program = lab.program("horus", "ours_scheduler")
    work = asking(program, "idle", nodes=200, rate=10.0, seconds=max(0.5, 3 * lab.scale))
    with quiet_or_busy(busy) as beside:
        series = lab.interleave({"HORUS": work}, rounds=3)
    row = Row(f"200 nodes at 10 Hz, one process, of one core{beside}", "5 %", "%", series["HORUS"], 5.0)
    row.notes.append(f"{series['HORUS'].total('ticks'):,} ticks in all rounds")
    return row


def stopping(lab: Lab) -> list[Row]:
    """Stopping 50 nodes, besides what their shutdown() takes."""
    return [_stopping(lab, core) for core in (None, lab.cores[1])]


def _stopping(lab: Lab, busy: int | None) -> Row:
    program = lab.program("horus", "ours_scheduler")
    with quiet_or_busy(busy) as beside:
        series = lab.interleave({"HORUS": asking(program, "stopping", nodes=50, shutdown_s=0.001)}, rounds=5)
    row = Row(f"stopping 50 nodes, besides their shutdown(){beside}", "200 ms", "ns", series["HORUS"], 200e6)
    if series["HORUS"].total("shut_down") != 50 * 5:
        row.broken.append("not every node was shut down")
    return row
