"""What a round of a measurement says, and what several rounds say together."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.program import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DRAWS = 1000


@dataclass(frozen=True)
class Summary:
    """One round of one program: the percentiles of its samples, and what it counted."""

    p50: float
    p99: float | None  # None where a round has one sample
    facts: dict[str, Any] = field(default_factory=dict)
    p999: float | None = None  # None where a round has too few

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Summary:
        """Makes a summary of what a program answered: ``p50``, perhaps ``p99`` and ``p999``, and any facts."""
        facts = {key: value for key, value in answer.items() if key not in {"p50", "p99", "p999"}}
        p99, p999 = (None if answer.get(key) is None else float(answer[key]) for key in ("p99", "p999"))
        return cls(float(answer["p50"]), p99, facts, p999)

    @classmethod
    def of_samples(cls, samples: list[float]) -> Summary:
        """A round of which the harness has the samples themselves."""
        ordered = sorted(samples)
        p50, p99, p999 = (ordered[int(share * len(ordered))] for share in (0.50, 0.99, 0.999))
        return cls(p50, p99, {"samples": len(samples)}, p999)

    @classmethod
    def single(cls, value: float, **facts: Any) -> Summary:
        """A round that has one sample."""
        return cls(value, None, facts)


@dataclass
class Series:
    """The rounds of one program, in the order in which they ran."""

    name: str
    rounds: list[Summary] = field(default_factory=list)

    @property
    def p50s(self) -> list[float]:
        """The median of each round."""
        return [one.p50 for one in self.rounds]

    @property
    def p50(self) -> float:
        """The median of the rounds' medians."""
        return median(self.p50s)

    @property
    def p99s(self) -> list[float]:
        """The 99th percentile of each round that has one."""
        return [one.p99 for one in self.rounds if one.p99 is not None]

    @property
    def p99(self) -> float | None:
        """The median of the rounds' 99th percentiles: what is usual, not the worst that other loads did."""
        return median(self.p99s) if self.p99s else None

    @property
    def p999(self) -> float | None:
        """The same of the 99.9th percentiles."""
        known = [one.p999 for one in self.rounds if one.p999 is not None]
        return median(known) if known else None

    def by(self, percentile: str) -> list[float]:
        """Each round's ``p50`` or ``p99``."""
        return self.p99s if percentile == "p99" else self.p50s

    def total(self, fact: str) -> int:
        """A count, summed over all rounds."""
        return sum(int(one.facts[fact]) for one in self.rounds)


def interleave(contestants: Mapping[str, Callable[[], Summary]], rounds: int) -> dict[str, Series]:
    """Runs every contestant once a round, each round beginning with another one.

    A virtual machine's speed drifts and its cores move: only what ran side by side may be compared.
    """
    names = list(contestants)
    series = {name: Series(name) for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            series[name].rounds.append(_named(name, contestants[name]))
    return series


def between(
    alone: Callable[[], Summary], contestants: Mapping[str, Callable[[], Summary]], rounds: int
) -> dict[str, tuple[Series, Series]]:
    """Runs every contestant once a round, each between two runs of ``alone``; (itself, the mean of those two).

    For differences that are smaller than what the machine drifts by from one minute to the next.
    """
    names = list(contestants)
    found = {name: (Series(name), Series("alone")) for name in names}
    before = _named("alone", alone)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            found[name][0].rounds.append(_named(name, contestants[name]))
            after = _named("alone", alone)
            found[name][1].rounds.append(Summary.single((before.p50 + after.p50) / 2))
            before = after
    return found


def _named(name: str, run: Callable[[], Summary]) -> Summary:
    try:
        return run()
    except ProgramError as error:
        raise ProgramError(f"{name}: {error}") from error


def add(name: str, *parts: Series) -> Series:
    """The sum of several series, round by round: the floor of what does all of these things."""
    rounds = zip(*(part.rounds for part in parts), strict=True)
    return Series(name, [Summary.single(sum(one.p50 for one in row)) for row in rounds])


def ratio(ours: Series, other: Series, percentile: str = "p50") -> float:
    """How many times as much as another, pair by pair; the median of the rounds."""
    pairs = zip(ours.by(percentile), other.by(percentile), strict=True)
    return median(a / b for a, b in pairs)


def excess(ours: Series, other: Series) -> tuple[float, float, float]:
    """How much more than another, pair by pair: the median of the rounds, and between what bounds it lies.

    The bounds hold 95 of 100 medians of as many rounds drawn from these (bootstrap), always the same draws.
    """
    differences = [a - b for a, b in zip(ours.p50s, other.p50s, strict=True)]
    draw = random.Random(_DRAWS)
    medians = sorted(median(draw.choices(differences, k=len(differences))) for _ in range(_DRAWS))
    low, high = (medians[int(share * _DRAWS)] for share in (0.025, 0.975))
    return median(differences), low, high
