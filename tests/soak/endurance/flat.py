"""Whether a series of samples is flat.

Of the second half of the run (the first is for warming up) the Theil-Sen slope is taken: the median of the slopes
between all pairs of samples, which a quarter of outliers does not move. Flat is a series that, by this slope, grew
over the judged time by no more than is allowed: a rate for each hour, and at least a floor, below which samples are
noise. Longer series are first cut into 300 bins, of which the medians count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST = 300
_LEAST = 6


@dataclass(frozen=True)
class Allowance:
    """How much a series may grow: `per_hour`, but `floor` in any case."""

    per_hour: float
    floor: float
    unit: str = ""


@dataclass(frozen=True)
class Growth:
    """What became of one series."""

    name: str
    flat: bool
    grown: float
    """Over the judged time, by the slope."""
    allowed: float
    hours: float
    median: float
    most: float
    unit: str

    def __str__(self) -> str:
        if not self.hours:
            return f"{self.name}: UNKNOWN: too few samples"
        hourly = self.grown / self.hours
        grown = f"{self.grown:+.3g} {self.unit}".strip()
        return (
            f"{self.name}: {'flat' if self.flat else 'GROWS'}: {grown} in {self.hours * 60:.1f} min "
            f"({hourly:+.3g}/h), allowed {self.allowed:.3g}; median {self.median:.4g}, most {self.most:.4g}"
        )


def slope(times: ArrayLike, values: ArrayLike) -> float:
    """The Theil-Sen slope: the median of the slopes between all pairs."""
    x, y = np.asarray(times, float), np.asarray(values, float)
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    return float(np.median((y[second] - y[first])[run > 0] / run[run > 0])) if np.any(run > 0) else 0.0


def judge(name: str, times_s: ArrayLike, values: ArrayLike, allowance: Allowance) -> Growth:
    """Judge the second half of a series. One of too few samples is not flat: nothing is known of it."""
    x, y = np.asarray(times_s, float), np.asarray(values, float)
    late = x >= (x[0] + x[-1]) / 2 if len(x) else np.zeros(0, bool)
    x, y = x[late], y[late]
    if len(x) < _LEAST:
        return Growth(
            name,
            flat=False,
            grown=0.0,
            allowed=0.0,
            hours=0.0,
            median=0.0,
            most=0.0,
            unit="",
        )
    hours = (x[-1] - x[0]) / 3600
    grown = slope(*_binned(x, y)) * (x[-1] - x[0])
    allowed = max(allowance.per_hour * hours, allowance.floor)
    return Growth(
        name,
        bool(grown <= allowed),
        grown,
        allowed,
        float(hours),
        float(np.median(y)),
        float(np.max(y)),
        allowance.unit,
    )


def _binned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(x) <= _MOST:
        return x, y
    parts = zip(np.array_split(x, _MOST), np.array_split(y, _MOST), strict=True)
    medians = np.array([(np.median(a), np.median(b)) for a, b in parts])
    return medians[:, 0], medians[:, 1]
