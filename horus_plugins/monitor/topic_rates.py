"""How often a topic is published just now, from the publish times that still lie in its ring: nobody waits.

Times are the publishers' own (CLOCK_MONOTONIC), in the order of their messages' numbers or nearly so. What a region
says is believed only as far as it makes sense.
"""

from __future__ import annotations

from typing import NamedTuple

from horus_core import _native

WINDOW_NS = 2_000_000_000
SILENT_NS = 1_000_000_000
SILENT_INTERVALS = 3
_FRESH_NS = 200_000_000
_SHARES_OF = 64  # messages, the newest
_STEPS = 8  # numbers without a message that are passed in search of one


class Pace(NamedTuple):
    """What the newest messages of a topic tell."""

    rate_hz: float | None = None
    """0: they stopped; None: fewer than two are still there to tell."""
    age_s: float | None = None
    """Since the newest was sent; None when there is none."""
    active: bool = False
    """Whether it was sent within the last second, or within three of their intervals."""
    rows: tuple[int, ...] = ()
    """The publishers' rows of the newest messages."""

    def of(self, row: int) -> float | None:
        """The rate of the publisher of that row: its share of the newest messages."""
        if self.rate_hz is None or not self.rows:
            return None
        return self.rate_hz * self.rows.count(row) / len(self.rows)


def of_ring(ring: _native.Ring) -> Pace:
    """The pace of a topic at this moment."""
    front, _, seen = ring.sightings(0, _SHARES_OF)
    now_ns = _native.now_ns()
    times = sorted(one[1] for one in seen if 0 < one[1] <= now_ns)
    if not times:
        return Pace()
    interval_ns = _interval_ns(ring, front, times, now_ns)
    age_ns = now_ns - times[-1]
    active = age_ns <= max(SILENT_NS, SILENT_INTERVALS * (interval_ns or 0.0))
    rate_hz = None if interval_ns is None else 1e9 / interval_ns if active and interval_ns else 0.0
    return Pace(rate_hz, age_ns / 1e9, active, tuple(one[3] for one in seen))


def _interval_ns(ring: _native.Ring, front: int, times: list[int], now_ns: int) -> float | None:
    """The mean interval of what was sent in the last two seconds; of a slower topic its last one."""
    since_ns, oldest = now_ns - WINDOW_NS, max(ring.capacity, front - ring.capacity)
    first = _first_since(ring, oldest, front, since_ns)
    count = front - first
    if count < 2:  # noqa: PLR2004 - one message has no interval
        return float(times[-1] - times[-2]) if len(times) > 1 else None
    start = _time(ring, first, 1)
    if start is None or times[-1] <= start:
        return None
    inside_ns = (times[-1] - start) / (count - 1)
    before = _time(ring, first - 1, -1) if first > oldest else None
    if before is None and first > ring.capacity:  # overwritten
        return inside_ns
    if (
        before is None
    ):  # these are all that there ever were: since the first, if that is long enough ago to tell
        since_first_ns = now_ns - start
        return since_first_ns / count if since_first_ns >= _FRESH_NS else WINDOW_NS / count
    if start - before > SILENT_INTERVALS * max(inside_ns, SILENT_NS):  # a pause
        return WINDOW_NS / count
    return (times[-1] - before) / count  # with the interval that reaches into the window


def _first_since(ring: _native.Ring, low: int, high: int, since_ns: int) -> int:
    """The first number whose message was sent since then; `high` if there is none."""
    while low < high:
        middle = (low + high) // 2
        time_ns = _time(ring, middle, 1)
        if time_ns is None or time_ns < since_ns:
            low = middle + 1
        else:
            high = middle
    return low


def _time(ring: _native.Ring, number: int, step: int) -> int | None:
    """When that message was sent, or the next one to be found in that direction."""
    for at in range(number, number + step * _STEPS, step):
        if at > 0 and (seen := ring.sight(at)) is not None:
            return seen[1]
    return None
