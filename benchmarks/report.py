"""The table on the terminal and the JSON file."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.row import Row
    from benchmarks.stats import Series

COLUMNS = ("figure", "at most", "floor", "ratio", "p50", "p99", "p99.9", "verdict")
WIDTHS = (66, 28, 29, 7, 9, 9, 9, 7)
LEGEND = (
    "ratio: ours to the floor; for a peer, its p50 to ours, or p99 where that is promised. "
    "Percentiles: medians of the rounds."
)


def amount(value: float | None, unit: str) -> str:
    """A value for people: three digits and the unit that fits."""
    if value is None:
        return ""
    if unit == "ns":
        for size, name in ((1e6, "ms"), (1e3, "us")):
            if value >= size:
                return f"{_digits(value / size)} {name}"
    if unit == "/s":
        return f"{_digits(value / 1e6)} M/s"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def line(cells: Sequence[str]) -> str:
    """One line of the table."""
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def head() -> list[str]:
    """The head of the table."""
    return [line(COLUMNS), line(["-" * width for width in WIDTHS])]


def lines(row: Row) -> list[str]:
    """A figure and, indented below it, its peers; a peer's ratio is peer to ours."""
    reference = row.reference
    floor = "" if reference is None else f"{reference.name} {amount(median(reference.by(row.by)), row.unit)}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    limit = (
        row.at_most
        if not callable(row.limit)
        else f"{row.at_most} = {amount(median(row.limits()), row.unit)}"
    )
    verdict = "holds" if row.holds else "MISSED"
    shown = [line([row.title, limit, floor, ratio, *_percentiles(row.ours, row.unit), verdict])]
    for peer in row.peers:
        theirs, ours = median(peer.by(row.by)), median(row.ours.by(row.by))
        times = f"{theirs / ours:.1f} x" if ours else ""
        shown.append(line([f"    {peer.name}", "", "", times, *_percentiles(peer, row.unit), ""]))
    shown += [f"    {note}" for note in row.notes]
    shown += [f"    BROKEN: {claim}" for claim in row.broken]
    return shown


def _percentiles(series: Series, unit: str) -> list[str]:
    return [amount(value, unit) for value in (series.p50, series.p99, series.p999)]


def save(path: Path, about: Mapping[str, Any], figures: Mapping[str, Sequence[Row]]) -> None:
    """Writes everything that was measured."""
    rows = {name: [row.as_json() for row in measured] for name, measured in figures.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "figures": rows}, indent=1) + "\n", encoding="utf-8")
