"""One row of the table: what was promised, what was measured, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import stats

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Row:
    """A figure of the table.

    ``limit`` is what our p50 (or whatever ``by`` names) may be at most (at least, with ``more_is_better``): a
    number, or made out of the same percentile of the reference in the same round, so that a slow minute of the
    machine is slow for both.
    """

    title: str
    at_most: str
    unit: str
    ours: stats.Series
    limit: float | Callable[[float], float]
    reference: stats.Series | None = None
    peers: list[stats.Series] = field(default_factory=list)
    more_is_better: bool = False
    by: str = "p50"  # which percentile is promised: p50 or p99
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # claims that do not hold, whatever the speed

    def limits(self) -> list[float]:
        """The limit of each round."""
        if not callable(self.limit):
            return [self.limit] * len(self.ours.rounds)
        if self.reference is None:
            raise ValueError(f"{self.title}: a limit that depends on a floor needs one")
        return [self.limit(value) for value in self.reference.by(self.by)]

    @property
    def holds(self) -> bool:
        """Whether the promise was kept in the median of the rounds, each against its own limit."""
        margins = [limit - ours for limit, ours in zip(self.limits(), self.ours.by(self.by), strict=True)]
        margin = -median(margins) if self.more_is_better else median(margins)
        return margin >= 0 and not self.broken

    @property
    def ratio(self) -> float | None:
        """Ours against the reference, or None without one."""
        return None if self.reference is None else stats.ratio(self.ours, self.reference, self.by)

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured, round by round."""
        return {
            "title": self.title,
            "at_most": self.at_most,
            "unit": self.unit,
            "by": self.by,
            "holds": self.holds,
            "limit": median(self.limits()),
            "ratio": self.ratio,
            "ours": _series_json(self.ours),
            "reference": None if self.reference is None else _series_json(self.reference),
            "peers": [_series_json(peer) for peer in self.peers],
            "notes": self.notes,
            "broken": self.broken,
        }


def _series_json(series: stats.Series) -> dict[str, Any]:
    rounds = [{"p50": one.p50, "p99": one.p99, "p999": one.p999, **one.facts} for one in series.rounds]
    return {"name": series.name, "p50": series.p50, "p99": series.p99, "p999": series.p999, "rounds": rounds}
