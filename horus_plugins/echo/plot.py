"""Numbers over time as lines of text: dots of Braille characters, two by four in each cell."""

from __future__ import annotations

import math
import sys
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EMPTY = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot, by row and column of a cell (Unicode, Braille patterns)."""
_NS = 1_000_000_000
_MOST = 1 << 17
_LABEL = 11
_LARGEST = sys.float_info.max


class Series:
    """The newest numbers, by time."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, float]] = deque(maxlen=_MOST)

    def add(self, points: Iterable[tuple[int, float]]) -> None:
        """Points of (ns, value), none older than those before."""
        self._points.extend(points)

    def since(self, start_ns: int) -> list[tuple[int, float]]:
        """The points from that time on."""
        found = []
        for point in reversed(self._points):
            if point[0] < start_ns:
                break
            found.append(point)
        return found[::-1]


def draw(
    points: Sequence[tuple[int, float]], end_ns: int, window_s: float, width: int, height: int
) -> list[str]:
    """The points of the window that ends at `end_ns`, in `height` lines of at most `width` characters.

    Numbers that are not finite are gaps.
    """
    finite = [value for _, value in points if math.isfinite(value)]
    low, high = _range(finite)
    span = high / 2 - low / 2  # halves, for the difference of two large floats may be none
    columns, rows = max(1, width - _LABEL - 2), max(1, height - 1)
    canvas = _Canvas(columns, rows)
    start_ns = end_ns - int(window_s * _NS)
    scale_x = (columns * 2 - 1) / (window_s * _NS)
    spots = [
        ((when - start_ns) * scale_x, (high / 2 - value / 2) / span * (rows * 4 - 1))
        if math.isfinite(value)
        else None
        for when, value in points
    ]
    for before, after in pairwise([None, *spots]):
        if after is not None:
            canvas.line(after if before is None else before, after)
    lines = [f"{_label(row, rows, low, high):>{_LABEL}} ┤{text}" for row, text in enumerate(canvas.lines())]
    return [*lines, _axis(window_s, columns)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high / 2 - low / 2 <= 1e-12 * max(abs(low), abs(high)):
        room = max(abs(high) * 0.1, 0.5)
        return max(low - room, -_LARGEST), min(high + room, _LARGEST)
    return low, high


def _label(row: int, rows: int, low: float, high: float) -> str:
    if row not in (0, rows // 2, rows - 1):
        return ""
    share = row / max(1, rows - 1)
    return _told(high * (1 - share) + low * share, max(abs(low), abs(high)), high / 2 - low / 2)


def _told(value: float, largest: float, span: float) -> str:
    """With as many digits as tell the labels of a narrow range apart, where they fit."""
    digits = 3 + math.ceil(math.log10(largest / span)) if span else 5
    text = f"{value:.{max(5, digits)}g}"
    return text if len(text) <= _LABEL else f"{value:.5g}"


def _axis(window_s: float, columns: int) -> str:
    left, right = f"-{window_s:g} s", "now"
    blanks = max(1, columns - len(left) - len(right))
    return f"{'':>{_LABEL}} └{left}{' ' * blanks}{right}"


class _Canvas:
    """Dots in cells."""

    def __init__(self, columns: int, rows: int) -> None:
        self._cells = [[0] * columns for _ in range(rows)]
        self._width, self._height = columns * 2, rows * 4

    def _dot(self, x: int, y: int) -> None:
        if 0 <= x < self._width and 0 <= y < self._height:
            self._cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Dots from one place to another, without gaps."""
        steps = max(1, math.ceil(min(max(abs(end[0] - start[0]), abs(end[1] - start[1])), 4096)))
        for step in range(steps + 1):
            share = step / steps
            x = start[0] + (end[0] - start[0]) * share
            y = start[1] + (end[1] - start[1]) * share
            self._dot(round(x), round(y))

    def lines(self) -> list[str]:
        """The rows as text."""
        return ["".join(chr(_EMPTY + cell) for cell in row).rstrip(chr(_EMPTY)) for row in self._cells]
