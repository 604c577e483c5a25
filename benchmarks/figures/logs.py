"""What a line of the log costs a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.lab import asking
from benchmarks.row import Row

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from benchmarks.program import Program

KINDS = {
    "nowhere": "/dev/null",
    "file": "a file",
    "flood": "a pipe, line after line",
    "pipe": "a pipe whose reader sleeps",
    "terminal": "a terminal",
}
COUNTS = {"pipe": 50, "terminal": 50}
SHOWN_NS = 5000
BELOW_NS = 100


def lines(lab: Lab) -> list[Row]:
    """A line that is stored and shown, by where stderr goes; one below the level."""
    program = lab.program("horus", "ours_logs", core=lab.cores[0])
    shown = [_shown(lab, program, kind) for kind in KINDS]
    work = {name: asking(program, do, count=lab.count(500), burst=200) for name, do in BELOW.items()}
    series = lab.interleave(work)
    ours, floor, peer = (series[name] for name in BELOW)
    return [
        *shown,
        Row("node.log_debug below the level", f"{BELOW_NS} ns", "ns", ours, BELOW_NS, floor, [peer]),
    ]


BELOW = {"HORUS": "below", "an empty method": "empty", "stdlib logging": "unheard"}
SHOWN = {"HORUS": "shown", "os.write, twice": "writes", "stdlib logging, two handlers": "stdlib"}


def _shown(lab: Lab, program: Program, kind: str) -> Row:
    count = lab.count(COUNTS.get(kind, 500))
    work = {name: asking(program, do, kind=kind, count=count, burst=20) for name, do in SHOWN.items()}
    series = lab.interleave(work)
    ours, floor, peer = (series[name] for name in SHOWN)
    title = f"node.log_info, stored, and stderr is {KINDS[kind]}"
    row = Row(title, f"{SHOWN_NS // 1000} us", "ns", ours, SHOWN_NS, floor, [peer])
    if ours.total("unshown"):
        row.broken.append(f"{ours.total('unshown')} lines were not shown")
    return row
