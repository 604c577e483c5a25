"""How well real-time nodes keep time: beside a C loop, beside hogs, spinning, and beside busy Python."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks import cfloor
from benchmarks.hogs import hogs, quiet_or_busy
from benchmarks.lab import asking
from benchmarks.row import Row
from benchmarks.stats import Summary

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from benchmarks.stats import Series

MOST = 1.5  # times the lateness of the C loop
HOGS = 3
RATE = 1000
PRIORITY = 50  # as Rt nodes have by default
ROUNDS = 5
SPIN_RATE = 10_000


def lateness(lab: Lab) -> list[Row]:
    """Lateness of an Rt node at 1 kHz and of a C loop on the same core, quiet and beside three hogs."""
    rows = [_lateness(lab, "quiet")]
    with hogs(HOGS):
        rows.append(_lateness(lab, f"beside {HOGS} hogs"))
    return rows


def _lateness(lab: Lab, where: str) -> Row:
    core = lab.cores[1]
    seconds = max(0.2, 3 * lab.scale)
    program = lab.program("horus", "ours_realtime", core=core)
    count = int(seconds * RATE)
    period = 1_000_000_000 // RATE
    series = lab.interleave(
        {
            "HORUS": asking(program, "lateness", rate=RATE, seconds=seconds, core=None),
            "C, clock_nanosleep": lambda: cfloor.run_floor("nanosleep", count, period, core, PRIORITY, 0),
            "HORUS with core=, which spins": asking(
                program, "lateness", rate=RATE, seconds=seconds, core=core
            ),
        },
        rounds=ROUNDS,
    )
    ours, floor = series["HORUS"], series["C, clock_nanosleep"]
    row = Row(
        f"1 kHz Rt, lateness p99, {where}",
        f"p99 {MOST} x",
        "ns",
        ours,
        lambda ns: MOST * ns,
        floor,
        [floor, series["HORUS with core=, which spins"]],
        by="p99",
    )
    return _checked(row, ours)


def spinning(lab: Lab) -> list[Row]:
    """A 10 kHz node that spins on a core of its own; what keeps the other core busy is another process."""
    return [_spinning(lab, core) for core in (None, lab.cores[0])]


def _spinning(lab: Lab, busy: int | None) -> Row:
    program = lab.program("horus", "ours_realtime")
    seconds = max(0.2, 3 * lab.scale)
    core, period = lab.cores[1], 1_000_000_000 // SPIN_RATE

    def floor() -> Summary:
        done = cfloor.run_floor("nanosleep", int(seconds * SPIN_RATE), period, core, PRIORITY, period // 2)
        return Summary.single(float(done.facts["missed"]))

    with quiet_or_busy(busy) as beside:
        series = lab.interleave(
            {
                "HORUS": asking(program, "spinning", rate=SPIN_RATE, seconds=seconds, core=core),
                "C, the same": floor,
            },
            rounds=ROUNDS,
        )
    ours = series["HORUS"]
    title = f"10 kHz Rt node that spins, missed releases{beside}"
    row = Row(title, "0.1 %", "%", ours, 0.1, peers=[series["C, the same"]])
    row.notes.append(
        f"{ours.total('releases'):,} releases in all rounds; C misses what the machine takes away"
    )
    late = [median(one.facts["late"][key] / 1e3 for one in ours.rounds) for key in ("p50", "p99", "p999")]
    row.notes.append("late by, p50/p99/p99.9: " + " / ".join(f"{value:.1f}" for value in late) + " us")
    return _checked(row, ours)


def beside_python(lab: Lab) -> list[Row]:
    """What lowering the interpreter's switch interval does for an Rt node beside a busy Python thread."""
    program = lab.program("horus", "ours_realtime")
    seconds = max(0.2, 2 * lab.scale)
    series = lab.interleave(
        {
            name: asking(program, "beside_python", rate=50, seconds=seconds, lowered=lowered)
            for name, lowered in (("lowered to 0.1 ms", True), ("as it was, 5 ms", False))
        },
        rounds=ROUNDS,
    )
    ours, before = series["lowered to 0.1 ms"], series["as it was, 5 ms"]
    title = "50 Hz Rt beside busy Python, lateness"
    return [_checked(Row(title, "less than before", "ns", ours, lambda ns: ns, before), ours)]


def _checked(row: Row, ours: Series) -> Row:
    """A figure of real time without real time says nothing."""
    if any("SCHED_FIFO" not in one.facts["granted"] for one in ours.rounds):
        row.broken.append("SCHED_FIFO was not granted")
    return row
