"""The last seconds of a topic: how many messages, how far apart, how large. What was sampled is said to be.

The mean interval and the rate come from numbers and publish times, exact however fast messages come. Shortest,
longest and standard deviation come from the messages that were looked at.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.monitor.topic_watch import Look, Sighting

BUCKETS = 20
_NS = 1e9


class Spread(msgspec.Struct):
    """Of some values: how many were seen, and how they lie."""

    seen: int
    mean: float
    min: float
    max: float
    std: float


class Tally:
    """Adds values up without keeping them."""

    __slots__ = ("count", "high", "low", "squares", "total")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf
        for value in values:
            self.count += 1
            self.total += value
            self.squares += value * value
            self.low = min(self.low, value)
            self.high = max(self.high, value)

    def add(self, other: Tally) -> None:
        """Take another one's values in."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    def spread(self, scale: float = 1.0) -> Spread | None:
        """The values times `scale`; None without any."""
        if self.count == 0:
            return None
        mean = self.total / self.count
        deviation = math.sqrt(max(0.0, self.squares / self.count - mean * mean))
        return Spread(self.count, mean * scale, self.low * scale, self.high * scale, deviation * scale)


class _Batch:
    """What one look brought, in figures."""

    __slots__ = ("count", "first", "gaps_ns", "last", "seen", "sizes", "time_ns", "void")

    def __init__(self, look: Look, before: Sighting | None) -> None:
        self.time_ns, self.count, self.seen, self.void = look.time_ns, look.came, len(look.seen), 0
        self.sizes = Tally(one[2] for one in look.seen)
        self.gaps_ns = Tally(_gaps(look.seen, before))
        self.first = look.seen[0] if look.seen else None
        self.last = look.seen[-1] if look.seen else None


def _gaps(seen: list[Sighting], before: Sighting | None) -> Iterable[float]:
    """Between messages that follow each other.

    Of several publishers one may look at its clock earlier and come later: time does not go back, then.
    """
    if before is not None:
        seen = [before, *seen]
    latest_ns = seen[0][1] if seen else 0
    for one, other in pairwise(seen):
        if other[0] == one[0] + 1:
            yield float(max(0, other[1] - latest_ns))
        latest_ns = max(latest_ns, other[1])


class Window:
    """What came in the last seconds."""

    def __init__(self, seconds: float, begun_ns: int) -> None:
        self.seconds, self._begun_ns = seconds, begun_ns
        self._batches: deque[_Batch] = deque()
        self._last: Sighting | None = None
        self._now_ns = begun_ns
        self.total = 0
        """Messages since the start."""

    def add(self, look: Look) -> None:
        """Take in what a look brought, and forget what is too long ago."""
        self._now_ns = look.time_ns
        if look.anew:  # other numbers: what lies between is no interval
            self._last = None
            self._batches.clear()
        self.total += look.came
        if look.came or look.seen:
            self._batches.append(_Batch(look, self._last))
            self._last = look.seen[-1] if look.seen else self._last
        oldest_ns = look.time_ns - self.seconds * _NS
        while self._batches and self._batches[0].time_ns <= oldest_ns:
            self._batches.popleft()

    def correct(self, void: int) -> None:
        """So many of what was counted were no messages."""
        if void and self._batches:
            self._batches[-1].void += void
        self.total = max(0, self.total - void)

    @property
    def covered_s(self) -> float:
        """How far back it reaches: less than asked for until that time is over."""
        return min(self.seconds, (self._now_ns - self._begun_ns) / _NS)

    @property
    def messages(self) -> int:
        """How many came, exactly."""
        return max(0, sum(batch.count - batch.void for batch in self._batches))

    @property
    def seen(self) -> int:
        """How many of them were looked at."""
        return sum(batch.seen for batch in self._batches)

    @property
    def rate_hz(self) -> float | None:
        """From the first of them to the last, by their own times; None below two."""
        seen = [batch for batch in self._batches if batch.seen]
        if not seen:
            return None
        first, last = seen[0].first, seen[-1].last
        if first is None or last is None or last[1] <= first[1]:
            return None
        void = sum(batch.void for batch in self._batches)
        return max(0, last[0] - first[0] - void) * _NS / (last[1] - first[1])

    def gaps(self) -> Tally:
        """The intervals that were seen, in nanoseconds."""
        return _together(batch.gaps_ns for batch in self._batches)

    def sizes(self) -> Tally:
        """The lengths of those that were looked at, in bytes."""
        return _together(batch.sizes for batch in self._batches)

    def history(self) -> list[int]:
        """How many came in each twentieth of the window, the oldest first."""
        counts = [0] * BUCKETS
        width_ns = self.seconds * _NS / BUCKETS
        for batch in self._batches:
            bucket = BUCKETS - 1 - int((self._now_ns - batch.time_ns) / width_ns)
            counts[max(0, bucket)] += batch.count
        reached = math.ceil(self.covered_s / self.seconds * BUCKETS)
        return [max(0, count) for count in counts[BUCKETS - max(1, reached) :]]


def _together(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole
