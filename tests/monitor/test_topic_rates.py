"""The pace of a topic, from the times that lie in its ring: what lists show without waiting."""

from __future__ import annotations

import pytest

from horus_plugins.monitor import topic_rates

NOW = 10**15
S = 10**9


class Ring:
    """Publish times as a ring has them: by number, the last `capacity` of them."""

    def __init__(self, times, capacity=1024):
        self.capacity = capacity
        self.front = capacity + len(times)
        self._times = dict(enumerate(times, capacity))

    def sight(self, number):
        here = number in self._times and number >= self.front - self.capacity
        return (number, self._times[number], 16, 1 + number % 2, False, None) if here else None

    def sightings(self, since, limit):
        first = max(since, self.capacity, self.front - min(limit, self.capacity))
        seen = (self.sight(number) for number in range(first, self.front))
        return self.front, self.front, [one for one in seen if one is not None]


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(topic_rates._native, "now_ns", lambda: NOW)


def every(interval_ns, count, end=NOW - 1):
    return [end - interval_ns * i for i in reversed(range(count))]


@pytest.mark.parametrize(
    ("rate", "count", "capacity"),
    [(30, 600, 1024), (100_000, 5000, 1024), (30, 200, 8), (1, 20, 256), (0.2, 10, 256)],
)
def test_a_steady_topic_has_its_rate(rate, count, capacity):
    """At any rate, with any ring: from 2 s where the ring reaches so far, else from what it has."""
    pace = topic_rates.of_ring(Ring(every(round(S / rate), count), capacity))
    assert pace.rate_hz == pytest.approx(rate, rel=0.02)
    assert pace.active
    assert pace.of(1) == pytest.approx(rate / 2, rel=0.2)


def test_bursts_are_no_rates_of_megahertz():
    """Five messages within microseconds are five in two seconds, or in the pause before."""
    burst = every(1000, 5)
    assert topic_rates.of_ring(Ring(burst)).rate_hz == 2.5
    assert topic_rates.of_ring(Ring([*every(1000, 5, NOW - 60 * S), *burst])).rate_hz == 2.5


@pytest.mark.parametrize(("rate", "age_s"), [(30, 0.5), (100, 0.3), (100, 1.9)])
def test_a_topic_that_has_just_begun_has_its_rate(rate, age_s):
    """Not the share of two seconds in which it has been there: 12 Hz of a camera with 30."""
    ring = Ring(every(round(S / rate), round(rate * age_s)))
    assert topic_rates.of_ring(ring).rate_hz == pytest.approx(rate, rel=0.1)


# spec: A56
def test_what_stopped_is_not_active():
    """A second and three intervals after the last message the rate is 0; without two messages there is none."""
    assert topic_rates.of_ring(Ring(every(S // 100, 500, NOW - 2 * S))).rate_hz == 0
    assert not topic_rates.of_ring(Ring(every(S // 100, 500, NOW - 2 * S))).active
    assert topic_rates.of_ring(Ring(every(5 * S, 9, NOW - 9 * S))).active
    assert not topic_rates.of_ring(Ring(every(5 * S, 9, NOW - 16 * S))).active
    assert topic_rates.of_ring(Ring([])) == topic_rates.Pace()
    assert topic_rates.of_ring(Ring([NOW - 1])).rate_hz is None


def test_times_that_make_no_sense_are_no_rates():
    """A region may say anything: the future, and always the same moment."""
    assert topic_rates.of_ring(Ring([NOW + S] * 9)) == topic_rates.Pace()
    assert topic_rates.of_ring(Ring([NOW - 5] * 9)).rate_hz in (None, 0.0)
