"""Who is alive and well, what is wrong, and the emergency stop, which the core itself sends and obeys."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
from typing import TYPE_CHECKING

from horus_core.control.estop import EmergencyStop
from horus_core.messages.fields import array, bool_, f32, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

MAX_VALUES = 16
_PERCENT = 100.0


class HeartbeatState(enum.IntEnum):
    """What a node does, as its `NodeHeartbeat` says."""

    IDLE = 0
    INITIALIZING = 1
    RUNNING = 2
    PAUSED = 3
    STOPPED = 4
    ERROR = 5


class HealthStatus(enum.IntEnum):
    """How well a node is."""

    HEALTHY = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3
    UNKNOWN = 4


class DiagnosticLevel(enum.IntEnum):
    """How bad it is."""

    OK = 0
    WARN = 1
    ERROR = 2
    FATAL = 3


class DiagnosticValueType(enum.IntEnum):
    """What the text of a `DiagnosticValue` stands for."""

    STRING = 0
    INT = 1
    FLOAT = 2
    BOOL = 3


class SafetyMode(enum.IntEnum):
    """How much a robot may do."""

    NORMAL = 0
    REDUCED = 1
    SAFE_STOP = 2


class Heartbeat(Message, topic="heartbeat"):
    """A sign of life."""

    node_name: str = text(32, doc="Whose.")
    node_id: u32 = field(default=0, doc="The node's number.")
    sequence: u64 = field(default=0, doc="Counts the heartbeats of the node.")
    alive: bool_ = field(default=False, doc="Whether the node works; False in its last one.")
    uptime: f64 = field(default=0.0, unit="s", doc="Since the node started.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was sent; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the time since the start is finite and not negative."""
        return checks.finite(self.uptime) and self.uptime >= 0.0


class NodeHeartbeat(Message, topic="node_heartbeat"):
    """A node's state and figures. Its times are seconds since 1970, not nanoseconds."""

    state: HeartbeatState | int = field(default=HeartbeatState.IDLE, storage=u8, doc="What the node does.")
    health: HealthStatus | int = field(default=HealthStatus.HEALTHY, storage=u8, doc="How well it is.")
    tick_count: u64 = field(default=0, doc="Ticks since it started.")
    target_rate_hz: u32 = field(default=0, unit="Hz", doc="How often it is to tick.")
    actual_rate_hz: u32 = field(default=0, unit="Hz", doc="How often it ticks.")
    error_count: u32 = field(default=0, doc="Ticks that failed.")
    last_tick_timestamp: u64 = field(default=0, unit="s", doc="Of the last tick, since 1970.")
    heartbeat_timestamp: u64 = field(default=0, unit="s", doc="Of this message, since 1970.")

    def is_fresh(self, max_age: float, now: float) -> bool:
        """Whether it is at most `max_age` seconds old; `now` as time.time() gives it."""
        return now - self.heartbeat_timestamp <= max_age

    def is_valid(self) -> bool:
        """Whether state and health are known."""
        return checks.known(self.state, HeartbeatState) and checks.known(self.health, HealthStatus)


class DiagnosticStatus(Message, topic="diagnostics"):
    """What a component has to report."""

    level: DiagnosticLevel | int = field(default=DiagnosticLevel.OK, storage=u8, doc="How bad it is.")
    code: u32 = field(default=0, doc="The component's own number for it.")
    message: str = text(128, doc="What happened.")
    component: str = text(32, doc="Where.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was noticed; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the level is known."""
        return checks.known(self.level, DiagnosticLevel)


class DiagnosticValue(Message, topic="diagnostic_value"):
    """A name and a value, kept as text."""

    key: str = text(32, doc="The name.")
    value: str = text(64, doc="The value, as text.")
    value_type: DiagnosticValueType | int = field(
        default=DiagnosticValueType.STRING, storage=u8, doc="What the text stands for."
    )

    @classmethod
    def of(cls, key: str, value: float | str) -> "Self":
        """Make one of a str, bool, int or float; a text of more than 63 bytes raises ValueError."""
        if isinstance(value, str):
            return cls(key, value, DiagnosticValueType.STRING)
        if isinstance(value, bool):
            return cls(key, "true" if value else "false", DiagnosticValueType.BOOL)
        kind = DiagnosticValueType.INT if isinstance(value, int) else DiagnosticValueType.FLOAT
        return cls(key, repr(value), kind)

    def parsed(self) -> float | str:
        """Return the value as its type says. Raises ValueError when the text does not fit it."""
        if self.value_type == DiagnosticValueType.INT:
            return int(self.value)
        if self.value_type == DiagnosticValueType.FLOAT:
            return float(self.value)
        if self.value_type != DiagnosticValueType.BOOL:
            return self.value
        if self.value not in {"true", "false"}:
            raise ValueError(f"DiagnosticValue: expected 'true' or 'false', got {self.value!r}.")
        return self.value == "true"

    def is_valid(self) -> bool:
        """Whether the text fits its type."""
        try:
            self.parsed()
        except ValueError:
            return False
        return checks.known(self.value_type, DiagnosticValueType)


class DiagnosticReport(Message, topic="diagnostic_report"):
    """Up to 16 values of a component: `add` them."""

    component: str = text(32, doc="Whose.")
    values: "Sequence[DiagnosticValue]" = array(
        DiagnosticValue, MAX_VALUES, doc="The first `value_count` are used."
    )
    value_count: u8 = field(default=0, doc="How many values there are.")
    level: DiagnosticLevel | int = field(default=DiagnosticLevel.OK, storage=u8, doc="How bad it is.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was made; 0 is unset.")

    def add(self, key: str, value: float | str) -> None:
        """Add a str, bool, int or float. Raises ValueError when there are 16, or its text is too long."""
        if self.value_count >= MAX_VALUES:
            raise ValueError(f"DiagnosticReport: expected at most {MAX_VALUES} values, got '{key}' besides.")
        made = DiagnosticValue.of(key, value)
        slot = self.values[self.value_count]
        slot.key, slot.value, slot.value_type = made.key, made.value, made.value_type
        self.value_count += 1

    def parsed(self) -> dict[str, float | str]:
        """Return the values in use by name, each as its type says."""
        return {one.key: one.parsed() for one in self.values[: self.value_count]}

    def is_valid(self) -> bool:
        """Whether level and values make sense."""
        used = self.values[: self.value_count]
        counted = self.value_count <= MAX_VALUES and checks.known(self.level, DiagnosticLevel)
        return counted and all(one.is_valid() for one in used)


class ResourceUsage(Message, topic="resources"):
    """What a computer or a process uses."""

    cpu_percent: f32 = field(default=0.0, unit="%", doc="Of all cores, 0 to 100.")
    memory_bytes: u64 = field(default=0, unit="B", doc="Memory in use.")
    memory_percent: f32 = field(default=0.0, unit="%", doc="Of all memory, 0 to 100.")
    disk_bytes: u64 = field(default=0, unit="B", doc="Disk space in use.")
    disk_percent: f32 = field(default=0.0, unit="%", doc="Of all disk space, 0 to 100.")
    network_tx_bytes: u64 = field(default=0, unit="B", doc="Sent since the start.")
    network_rx_bytes: u64 = field(default=0, unit="B", doc="Received since the start.")
    temperature: f32 = field(default=0.0, unit="°C", doc="Of the processor.")
    thread_count: u32 = field(default=0, doc="Threads.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the percentages lie within 0 and 100 and the temperature is finite."""
        shares = (self.cpu_percent, self.memory_percent, self.disk_percent)
        return checks.finite(self.temperature) and all(0.0 <= share <= _PERCENT for share in shares)


class SafetyStatus(Message, topic="safety_status"):
    """What a safety controller sees."""

    enabled: bool_ = field(default=False, doc="Whether it watches.")
    estop_engaged: bool_ = field(default=False, doc="Whether an emergency stop stands.")
    watchdog_ok: bool_ = field(default=False, doc="Whether the watchdog is content.")
    limits_ok: bool_ = field(default=False, doc="Whether all limits are kept.")
    comms_ok: bool_ = field(default=False, doc="Whether everybody who must be heard is.")
    mode: SafetyMode | int = field(default=SafetyMode.NORMAL, storage=u8, doc="How much the robot may do.")
    fault_code: u32 = field(default=0, doc="What is wrong; 0 is nothing.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was seen; 0 is unset.")

    def is_safe(self) -> bool:
        """Whether the controller watches, all it watches is well, and no stop stands."""
        well = self.watchdog_ok and self.limits_ok and self.comms_ok and self.fault_code == 0
        return self.enabled and well and not self.estop_engaged

    def is_valid(self) -> bool:
        """Whether the mode is known."""
        return checks.known(self.mode, SafetyMode)


TYPES: tuple[type[Message], ...] = (
    Heartbeat, NodeHeartbeat, DiagnosticStatus, DiagnosticValue, DiagnosticReport, EmergencyStop, ResourceUsage,
    SafetyStatus,
)  # fmt: skip
