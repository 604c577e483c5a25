"""Alarm: sleeping to an absolute time, woken by threads and signals."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from horus_core import _native


def test_sleeps_to_the_deadline():
    """wait_until() returns False, and not before the deadline."""
    deadline = time.monotonic_ns() + 20_000_000
    assert _native.Alarm().wait_until(deadline) is False
    assert time.monotonic_ns() >= deadline


def test_a_deadline_in_the_past_returns():
    """A deadline that has passed, or makes no sense, ends the sleep at once."""
    assert _native.Alarm().wait_until(0) is False
    assert _native.Alarm().wait_until(-5) is False


def test_ring_is_remembered():
    """A ring before the sleep ends it; reset() forgets it."""
    alarm = _native.Alarm()
    alarm.ring()
    assert alarm.rung
    assert alarm.wait_until(2**62) is True
    alarm.reset()
    assert not alarm.rung
    assert alarm.wait_until(0) is False


def test_ring_from_a_thread_and_gil_released():
    """While one thread sleeps, others run Python code, and their ring ends the sleep."""
    alarm = _native.Alarm()
    ringer = threading.Thread(target=alarm.ring)
    ringer.start()  # could not start if the sleep below held the GIL
    assert alarm.wait_until(time.monotonic_ns() + 60 * 10**9) is True
    ringer.join(20)


def test_python_signal_handlers_run_during_the_sleep():
    """A handler that raises ends the sleep with its exception; one that returns lets it go on."""
    came = []
    alarm = _native.Alarm()

    def note(*_):
        came.append(1)
        if len(came) == 3:
            alarm.ring()

    def fail(*_):
        raise KeyError("from the handler")

    previous = signal.signal(signal.SIGALRM, note)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        assert alarm.wait_until(time.monotonic_ns() + 60 * 10**9) is True
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(came) >= 3, "the first two did not end it"
        signal.signal(signal.SIGALRM, fail)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyError, match="from the handler"):
            _native.Alarm().wait_until(time.monotonic_ns() + 60 * 10**9)
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_watched_signal_rings():
    """A watched signal rings the alarm, runs the Python handler and is counted."""
    came = []
    alarm = _native.Alarm()
    previous = signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
    try:
        alarm.watch_signals(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        assert alarm.wait_until(time.monotonic_ns() + 60 * 10**9) is True
        assert came == [1]
        assert alarm.signals == 1
        alarm.unwatch_signals()
        alarm.reset()
        signal.raise_signal(signal.SIGUSR1)
        assert not alarm.rung
    finally:
        signal.signal(signal.SIGUSR1, previous)
