"""What the scheduler's tests share: a namespace of their own, a clock that they move, and how programs end."""

from __future__ import annotations

import pytest

from horus_core.abc import Clock


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


class SimulatedClock(Clock):
    """Time that passes when the scheduler sleeps, and when a tick says that it took some."""

    def __init__(self) -> None:
        self.t = 1_000_000_000
        self.start = self.t

    def now_ns(self):
        return self.t

    def sleep_until(self, deadline_ns, alarm):
        self.t = max(self.t, deadline_ns)
        return alarm.rung

    def spend(self, seconds):
        self.t += round(seconds * 1e9)

    @property
    def ms(self):
        return (self.t - self.start) / 1e6


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def ended():
    """How a program ends: (exit code, rest of stdout as lines, stderr)."""

    def end(program):
        out, err = program.process.communicate(timeout=30)
        return program.process.returncode, out.splitlines(), err

    return end
