"""The C core called from C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.row import Row

if TYPE_CHECKING:
    from benchmarks.lab import Lab


def from_c(lab: Lab) -> list[Row]:
    """A send and a recv in one thread; half a round trip between two processes that poll."""
    series = lab.interleave(
        {
            "pair": lab.floor("core_pair", 1000, 200),
            "C, clock + 2 CAS": lab.floor("atomics", 1000, 200),
            "ping": lab.floor("core_pingpong", 2000, 10),
            "C, one line": lab.floor("pingpong", 2000, 10),
            "C, a line in each direction": lab.floor("twolines", 2000, 10),
        }
    )
    line, lines = series["C, one line"], series["C, a line in each direction"]
    return [
        Row(
            "C core from C, send + recv, one thread",
            "20 ns",
            "ns",
            series["pair"],
            20.0,
            series["C, clock + 2 CAS"],
        ),
        Row(
            "C core from C, other process, polling, RTT/2",
            "floor + 60 ns",
            "ns",
            series["ping"],
            lambda ns: ns + 60,
            line,
            [lines],
        ),
    ]
