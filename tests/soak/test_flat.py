"""The judgement on what must be flat: it sees a slow leak through noise, and no leak in noise alone."""

from __future__ import annotations

import numpy as np
import pytest
from endurance.flat import Allowance, judge, slope

MINUTES_30 = np.arange(1800.0)
ALLOWED = Allowance(per_hour=8192, floor=2048, unit="KiB")


def _noise(size, seed=1):
    """Samples of a process whose memory comes and goes by a megabyte, with peaks of ten."""
    rng = np.random.default_rng(seed)
    peaks = (rng.random(size) < 0.05) * 10_000
    return 40_000 + rng.normal(0, 1000, size) + peaks


def test_noise_alone_is_flat():
    """Half an hour of noise and peaks, of ten kinds."""
    assert all(judge("rss", MINUTES_30, _noise(1800, seed), ALLOWED).flat for seed in range(10))


@pytest.mark.parametrize("kib_per_hour", [12_000, 100_000])
def test_a_leak_shows_through_noise(kib_per_hour):
    """12 MB an hour, where 8 are allowed, are seen in half an hour under noise of 1 MB and peaks of 10."""
    found = judge("rss", MINUTES_30, _noise(1800) + MINUTES_30 * kib_per_hour / 3600, ALLOWED)
    assert not found.flat
    assert found.grown / found.hours == pytest.approx(kib_per_hour, rel=0.15)
    assert "GROWS" in str(found)


def test_a_leak_in_steps_shows():
    """A chunk of 4 MB every five minutes."""
    assert not judge("rss", MINUTES_30, _noise(1800) + MINUTES_30 // 300 * 4096, ALLOWED).flat


def test_warming_up_is_no_leak():
    """What grows in the first half and stays is flat."""
    assert judge("rss", MINUTES_30, _noise(1800) + np.minimum(MINUTES_30, 800) * 20, ALLOWED).flat


def test_shrinking_is_no_leak():
    """Less is never too much."""
    assert judge("rss", MINUTES_30, _noise(1800) - MINUTES_30 * 10, ALLOWED).flat


def test_single_descriptors_count():
    """One descriptor a quarter of an hour is a leak, where two an hour are allowed."""
    assert not judge("fds", np.arange(7200.0), 7 + np.arange(7200) // 900, Allowance(2, 0.9)).flat
    assert judge("fds", MINUTES_30, np.full(1800, 7), Allowance(2, 0.9)).flat


@pytest.mark.parametrize("count", [0, 1, 5])
def test_of_too_few_samples_nothing_is_known(count):
    """A process that was not sampled is not called flat."""
    assert not judge("rss", np.arange(float(count)), np.ones(count), ALLOWED).flat


def test_the_slope_withstands_outliers():
    """A quarter of the samples may be anything."""
    values = np.arange(100.0) * 3
    values[::4] = 1e9
    assert slope(np.arange(100.0), values) == pytest.approx(3, rel=0.2)
