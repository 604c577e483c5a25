"""Clocks: what time it is in a simulation or a replay, and how far clocks are apart."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum

from horus_core.messages.fields import bool_, f64, field, i64, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks


class ClockSource(enum.IntEnum):
    """What drives a clock."""

    WALL = 0
    SIM = 1
    REPLAY = 2


class SimState(enum.IntEnum):
    """Where a participant of a simulation stands in its step."""

    IDLE = 0
    WAITING = 1
    DONE = 2


class Clock(Message, topic="clock"):
    """The time that a simulation, a replay or the machine goes by."""

    clock_ns: u64 = field(default=0, unit="ns", doc="The time to go by.")
    realtime_ns: u64 = field(default=0, unit="ns", doc="The machine's own time at that moment.")
    sim_speed: f64 = field(default=1.0, unit="1", doc="Seconds of this clock in a second of the machine's.")
    paused: bool_ = field(default=False, doc="Whether the clock stands still.")
    source: ClockSource | int = field(default=ClockSource.WALL, storage=u8, doc="What drives it.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was read; 0 is unset.")

    def elapsed_since(self, earlier: "Clock") -> float:
        """Return how much of this clock's time has gone by since another reading, in seconds."""
        return (self.clock_ns - earlier.clock_ns) / 1e9

    def is_valid(self) -> bool:
        """Whether the speed is finite and not negative and the source known."""
        return (
            checks.finite(self.sim_speed) and self.sim_speed >= 0.0 and checks.known(self.source, ClockSource)
        )


class TimeReference(Message, topic="time_reference"):
    """The time of another clock, such as GPS or a time server, and how far the local one is off."""

    time_ref_ns: u64 = field(default=0, unit="ns", doc="What the other clock says.")
    source: str = text(32, doc="Which clock it is, such as gps or ntp.")
    offset_ns: i64 = field(default=0, unit="ns", doc="Local time less that of the other clock.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Local time of it; 0 is unset.")

    def correct_timestamp(self, local_ns: int) -> int:
        """Return the other clock's time at a moment of local time, both in nanoseconds."""
        return local_ns - self.offset_ns


class SimSync(Message):
    """A step of a simulation that its participants take together."""

    step: u64 = field(default=0, doc="Which step, counted from 0.")
    sim_time_ns: u64 = field(default=0, unit="ns", doc="Simulated time at its beginning.")
    dt_ns: u64 = field(default=0, unit="ns", doc="How long the step is.")
    state: SimState | int = field(default=SimState.IDLE, storage=u8, doc="Where its sender stands.")

    def is_valid(self) -> bool:
        """Whether the state is known."""
        return checks.known(self.state, SimState)


class RateRequest(Message):
    """A subscriber's wish how often a topic is published."""

    topic: str = text(32, doc="Which topic.")
    desired_hz: f64 = field(default=0.0, unit="Hz", doc="How often it would be best.")
    min_hz: f64 = field(default=0.0, unit="Hz", doc="The slowest that will do.")
    max_hz: f64 = field(default=0.0, unit="Hz", doc="The fastest that is of use; 0 is no limit.")
    requester_id: u32 = field(default=0, doc="Who asks.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was asked; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the rates are finite and not negative, and the slowest is not above the fastest."""
        rates = (self.desired_hz, self.min_hz, self.max_hz)
        ordered = self.max_hz == 0.0 or self.min_hz <= self.max_hz
        return checks.finite(*rates) and min(rates) >= 0.0 and ordered


TYPES: tuple[type[Message], ...] = (Clock, TimeReference, SimSync, RateRequest)
