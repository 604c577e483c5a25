"""What the scheduler's tests share: a namespace of their own, a clock that they move, and how programs end."""

from __future__ import annotations

import pytest

from horus_core.abc import Clock
from horus_core.nodes.node import Node


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


class Log:
    """What nodes did, in order, and how often each ticked."""

    def __init__(self):
        self.seen = []
        self.ticks = {}

    def node(self, name, **options):
        def tick():
            self.ticks[name] = self.ticks.get(name, 0) + 1

        given = {
            "init": lambda: self.seen.append(f"init {name}"),
            "tick": tick,
            "shutdown": lambda: self.seen.append(f"shutdown {name}"),
            "rate": 200,
        }
        return Node(name, **{**given, **options})

    def moves(self, name, until, more=3):
        """Wait for more ticks of a node."""
        before = self.ticks.get(name, 0)
        until(lambda: self.ticks.get(name, 0) >= before + more)


@pytest.fixture
def log():
    return Log()
