"""What wakes up other processes: a message for an Event node, and the emergency stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.hogs import quiet_or_busy
from benchmarks.lab import exchanging
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from benchmarks.program import Program

MOST = 1.5  # times the futex floor
ROBOTS = 10
MOST_NS = 5e6
ROUNDS = 5


def event(lab: Lab) -> list[Row]:
    """From a publish to the callback of an Event node in another process, which sleeps; each on a core of its own."""
    return [_event(lab, core) for core in (None, lab.cores[1])]


def _event(lab: Lab, busy: int | None) -> Row:
    couple = lab.couple("horus", "ours_event")[::-1]  # whose answer counts comes first
    count = 2000
    with quiet_or_busy(busy) as beside:
        series = lab.interleave(
            {
                "HORUS": exchanging(couple, ("hear", "publish"), count=lab.count(count)),
                "C futex": lab.floor("futex", count, 1),
            }
        )
    title = f"publish -> callback of an Event node, other process{beside}"
    return Row(
        title,
        f"{MOST} x",
        "ns",
        series["HORUS"],
        lambda ns: MOST * ns,
        series["C futex"],
        [series["C futex"]],
    )


def emergency_stop(lab: Lab) -> list[Row]:
    """From the raising of a stop in one process to the safe states of ten others."""
    crew = [lab.program("horus", "ours_estop") for _ in range(ROBOTS + 1)]
    for number, program in enumerate(crew):
        program.ask("start", name=f"robot{number}")
    rows = [_emergency_stop(lab, crew, core) for core in (None, lab.cores[1])]
    for program in crew:
        program.ask("stop")
    return rows


def _emergency_stop(lab: Lab, crew: list[Program], busy: int | None) -> Row:
    each, last, late = Series("HORUS"), Series("until the last of them"), 0
    with quiet_or_busy(busy) as beside:
        for _ in range(min(ROUNDS, lab.rounds)):
            stops = crew[0].ask("raise_stops", count=max(2, int(20 * lab.scale)))
            entered = [program.ask("entered")["times"] for program in crew][1:]
            taken = [[_taken(times, at, stops["stood_ns"]) for times in entered] for at in stops["times"]]
            late += sum(one == stops["stood_ns"] for stop in taken for one in stop)
            each.rounds.append(Summary.of_samples([one for stop in taken for one in stop]))
            last.rounds.append(Summary.of_samples([max(stop) for stop in taken]))
    title = f"e-stop -> safe state, each of {ROBOTS} other processes{beside}"
    row = Row(title, "p99 5 ms", "ns", each, MOST_NS, peers=[last], by="p99")
    if late:
        row.broken.append(f"{late} safe states were not entered before the stop was released")
    return row


def _taken(entered: list[float], raised: float, stood_ns: float) -> float:
    """From the raising to the first entry after it; as long as the stop stood where there was none."""
    return min((time - raised for time in entered if 0 <= time - raised < stood_ns), default=stood_ns)
