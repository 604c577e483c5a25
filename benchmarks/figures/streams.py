"""A stream as fast as it goes, and what attached subscribers cost a publisher."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import couples
from benchmarks.lab import asking
from benchmarks.row import Row
from benchmarks.stats import Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab
    from benchmarks.program import Program
    from benchmarks.stats import Series

STREAM_S = 0.5
CAPACITY = 4096


def stream(lab: Lab) -> list[Row]:
    """One publisher, one subscriber, two processes: what was delivered in a second, and what was lost."""
    seconds = max(0.05, STREAM_S * lab.scale)
    series = lab.interleave(
        {
            "HORUS": _stream(couples.ours(lab, capacity=CAPACITY), seconds),
            "horus-robotics": _stream(couples.robotics(lab), seconds),
            "iceoryx2": _stream(couples.iceoryx(lab), seconds),
            "Pipe": _stream(couples.pipe(lab), seconds),
        }
    )
    mine = series.pop("HORUS")
    title = "typed stream, 1 publisher, 1 subscriber, delivered"
    row = Row(title, "at least 3 M/s", "/s", mine, 3e6, peers=list(series.values()), more_is_better=True)
    sent, received, missed = _account(mine)
    row.notes.append(f"sent {sent:,} = received {received:,} + counted as missed {missed:,}, in all rounds")
    if sent != received + missed:
        row.broken.append(f"{sent - received - missed:,} messages are in no account")
    row.notes += [_losses(name, other) for name, other in series.items()]
    return [row]


def _account(series: Series) -> tuple[int, int, int]:
    """What was sent, received, and counted as missed by the subscriber since it attached."""
    missed = series.rounds[-1].facts.get("missed_so_far", 0)
    return series.total("sent"), series.total("received"), int(missed)


def _losses(name: str, series: Series) -> str:
    sent, received, missed = _account(series)
    counts = "missed_so_far" in series.rounds[-1].facts
    return f"{name}: {sent - received:,} of {sent:,} not received" + (f", missed_count() {missed:,}" * counts)


def _stream(couple: tuple[Program, Program], seconds: float) -> Callable[[], Summary]:
    publisher, subscriber = couple

    def run() -> Summary:
        subscriber.start("subscribe")
        publisher.start("publish", seconds=seconds)
        sent = publisher.result()["sent"]
        answer = subscriber.result()
        return Summary.single(answer["received"] / answer["seconds"], **answer, sent=sent)

    return run


def fan_out(lab: Lab) -> list[Row]:
    """A send with 8 subscribers attached that do not poll, beside one with 1."""
    samples = {"count": lab.count(1000), "burst": 200}
    sends, attached = {}, {}
    for number in (1, 8):
        publisher = lab.program("horus", "ours_topics", core=lab.cores[0])
        publisher.ask("attach", out=f"to{number}", into=f"unused{number}")
        for _ in range(number):
            lab.program("horus", "ours_topics").ask("attach", out=f"unused{number}", into=f"to{number}")
        attached[number] = publisher.ask("subscribers")["subscribers"]
        sends[number] = asking(publisher, "sends", **samples)
    series = lab.interleave({"HORUS, 8 subscribers": sends[8], "1 subscriber": sends[1]})
    mine, one = series["HORUS, 8 subscribers"], series["1 subscriber"]
    more = 100 * (median(a / b for a, b in zip(mine.p50s, one.p50s, strict=True)) - 1)
    note = f"{more:+.0f} % with 8 subscribers"
    title = "a send with 8 subscribers attached, not polling"
    row = Row(title, "1.2 x 1 subscriber", "ns", mine, lambda ns: 1.2 * ns, one, notes=[note])
    if attached != {1: 1, 8: 8}:
        row.broken.append(f"the topics had {attached} subscribers")
    return [row]
