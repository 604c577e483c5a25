"""Forces, contacts and what hands feel. Six-vectors are three of a line and three about it: x, y, z, rx, ry, rz."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import array, bool_, f32, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.geometry import Point3, Vector3

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_TAXELS = 16384
"""The most that a `TactileArray` holds: 128 by 128."""


class AxisMode(enum.IntEnum):
    """What an axis of a `ForceCommand` follows."""

    POSITION = 0
    FORCE = 1


class ContactState(enum.IntEnum):
    """What a contact does."""

    NONE = 0
    INITIAL = 1
    STABLE = 2
    LOSS = 3
    SLIDING = 4
    IMPACT = 5


class HapticPattern(enum.IntEnum):
    """How a vibration goes over its time."""

    CONSTANT = 0
    PULSE = 1
    RAMP = 2


class WrenchStamped(Message, topic="wrench"):
    """A force and a torque at a point."""

    force: Vector3 = field(default=Vector3(), unit="N", doc="Along x, y, z.")
    torque: Vector3 = field(default=Vector3(), unit="Nm", doc="About x, y, z.")
    point_of_application: Point3 = field(default=Point3(), unit="m", doc="Where it acts.")
    frame_id: str = text(32, doc="The frame of the values.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def exceeds_limits(self, max_force: float, max_torque: float) -> bool:
        """Whether the force is above `max_force` in N, or the torque above `max_torque` in Nm, or either NaN."""
        return not (self.force.magnitude() <= max_force and self.torque.magnitude() <= max_torque)

    def filter(self, previous: "WrenchStamped", alpha: float) -> None:
        """Smooth force and torque: `alpha` of this one, the rest of the one before; 1 leaves it as it is."""
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"WrenchStamped.filter: expected alpha from 0 to 1, got {alpha}.")
        for mine, before in ((self.force, previous.force), (self.torque, previous.torque)):
            mine.x = alpha * mine.x + (1.0 - alpha) * before.x
            mine.y = alpha * mine.y + (1.0 - alpha) * before.y
            mine.z = alpha * mine.z + (1.0 - alpha) * before.z

    def is_valid(self) -> bool:
        """Whether all values are finite."""
        return self.force.is_valid() and self.torque.is_valid() and self.point_of_application.is_valid()


class ForceCommand(Message, topic="force_cmd"):
    """Force along some axes, position along the others."""

    target_force: Vector3 = field(default=Vector3(), unit="N", doc="Along x, y, z.")
    target_torque: Vector3 = field(default=Vector3(), unit="Nm", doc="About x, y, z.")
    force_mode: "Sequence[int]" = array(
        AxisMode, 6, storage=u8, doc="What each of x, y, z, rx, ry, rz follows."
    )
    position_setpoint: Vector3 = field(default=Vector3(), unit="m", doc="For the axes that follow position.")
    orientation_setpoint: Vector3 = field(default=Vector3(), unit="rad", doc="Roll, pitch, yaw, for these.")
    max_deviation: Vector3 = field(default=Vector3(), unit="m", doc="How far it may move; 0 is no limit.")
    gains: "NDArray[np.float64]" = array(f64, 6, unit="1", doc="Of the controller of each axis.")
    timeout_seconds: f64 = field(default=0.0, unit="s", doc="When to give up; 0 is never.")
    frame_id: str = text(32, doc="The frame of the values.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether all values are finite, the modes known, and gains and timeout not negative."""
        parts = (self.target_force, self.target_torque, self.position_setpoint, self.orientation_setpoint)
        finite = all(part.is_valid() for part in (*parts, self.max_deviation))
        modes = all(checks.known(mode, AxisMode) for mode in self.force_mode)
        gains = self.to_dict()["gains"]
        limited = checks.finite(*gains, self.timeout_seconds) and min(*gains, self.timeout_seconds) >= 0.0
        return finite and modes and limited


class ImpedanceParameters(Message, topic="impedance_parameters"):
    """How an arm gives way, along x, y, z and about them."""

    stiffness: "NDArray[np.float64]" = array(f64, 6, unit="N/m, Nm/rad", doc="Of the spring.")
    damping: "NDArray[np.float64]" = array(f64, 6, unit="Ns/m, Nms/rad", doc="Of the damper.")
    inertia: "NDArray[np.float64]" = array(f64, 6, unit="kg, kgm²", doc="Of the mass that is felt.")
    force_limits: "NDArray[np.float64]" = array(f64, 6, unit="N, Nm", doc="What it never exceeds; 0 is none.")
    enabled: bool_ = field(default=False, doc="Whether impedance control is on.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @classmethod
    def compliant(cls) -> "Self":
        """Make soft, critically damped parameters, for work beside people: 100 N/m and at most 20 N."""
        return cls._critical(100.0, 10.0, (20.0, 5.0))

    @classmethod
    def stiff(cls) -> "Self":
        """Make hard, critically damped parameters, for precise work: 5000 N/m and at most 200 N."""
        return cls._critical(5000.0, 500.0, (200.0, 50.0))

    @classmethod
    def _critical(cls, linear: float, angular: float, limits: tuple[float, float]) -> "Self":
        mass, inertia = 1.0, 0.1
        damping = 2.0 * math.sqrt(linear * mass), 2.0 * math.sqrt(angular * inertia)

        def six(first: float, last: float) -> "Sequence[float]":
            return [first] * 3 + [last] * 3

        values = (six(linear, angular), six(*damping), six(mass, inertia), six(*limits))
        return cls(*values, enabled=True)  # type: ignore[arg-type] # sequences will do

    def is_valid(self) -> bool:
        """Whether all values are finite and none is negative."""
        values = self.to_dict()
        six = [one for name in ("stiffness", "damping", "inertia", "force_limits") for one in values[name]]
        return checks.finite(*six) and min(six) >= 0.0


class ContactInfo(Message, topic="contact"):
    """Where something touches."""

    state: ContactState | int = field(default=ContactState.NONE, storage=u8, doc="What the contact does.")
    contact_force: f64 = field(default=0.0, unit="N", doc="Along the normal.")
    normal: Vector3 = field(
        default=Vector3(), unit="1", doc="Out of the touched surface, of length 1; zero is unset."
    )
    point: Point3 = field(default=Point3(), unit="m", doc="Where.")
    stiffness: f64 = field(default=0.0, unit="N/m", doc="Of the touched surface, as estimated.")
    damping: f64 = field(default=0.0, unit="Ns/m", doc="Of the touched surface, as estimated.")
    confidence: f32 = field(default=0.0, unit="1", doc="That there is a contact, 0 to 1.")
    start_time_ns: u64 = field(default=0, unit="ns", doc="When the contact began.")
    frame_id: str = text(32, doc="The frame of the values.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_in_contact(self) -> bool:
        """Whether something touches."""
        return self.state not in {ContactState.NONE, ContactState.LOSS}

    def is_valid(self) -> bool:
        """Whether state and values make sense, the normal is of length 1 or unset, the confidence within 0 and 1."""
        finite = checks.finite(self.contact_force, self.stiffness, self.damping)
        placed = checks.direction(self.normal) and self.point.is_valid()
        return (
            finite and placed and checks.known(self.state, ContactState) and checks.fractions(self.confidence)
        )


class HapticFeedback(Message, topic="haptic_feedback"):
    """What an operator's hand is to feel."""

    vibration_intensity: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    frequency: f32 = field(default=0.0, unit="Hz", doc="Of the vibration.")
    duration: f32 = field(default=0.0, unit="s", doc="How long.")
    force: Vector3 = field(default=Vector3(), unit="N", doc="Along x, y, z.")
    pattern: HapticPattern | int = field(
        default=HapticPattern.CONSTANT, storage=u8, doc="How the vibration goes over its time."
    )
    enabled: bool_ = field(default=False, doc="Whether there is anything to feel.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the intensity lies within 0 and 1, and frequency, duration and force are finite."""
        times = (self.frequency, self.duration)
        felt = checks.finite(*times) and min(times) >= 0.0 and self.force.is_valid()
        return (
            felt and checks.fractions(self.vibration_intensity) and checks.known(self.pattern, HapticPattern)
        )


class TactileArray(Message, topic="tactile_array"):
    """What a skin of `rows` by `cols` cells feels; up to 16384 of them, which travel at their used length."""

    rows: u32 = field(default=0, doc="Rows of cells.")
    cols: u32 = field(default=0, doc="Columns of cells.")
    forces: "NDArray[np.float32]" = array(
        f32, MAX_TAXELS, bounded=True, unit="N", doc="Of each cell, row by row."
    )
    total_force: "NDArray[np.float64]" = array(f64, 3, unit="N", doc="Along x, y, z.")
    center_of_pressure: "NDArray[np.float64]" = array(
        f64, 2, unit="m", doc="Along columns and rows, from the first cell's corner."
    )
    in_contact: bool_ = field(default=False, doc="Whether anything touches.")
    physical_size: "NDArray[np.float64]" = array(f64, 2, unit="m", doc="Along columns and rows.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    @classmethod
    def from_numpy(
        cls, forces: "NDArray[np.floating]", physical_size: tuple[float, float] = (0.0, 0.0)
    ) -> "Self":
        """Make one of forces in N, of shape (rows, cols), with their sum along z and its centre.

        `physical_size` in m, along columns and rows.
        """
        import numpy as np  # noqa: PLC0415 - a process that has no skin does without

        values = np.asarray(forces, dtype=np.float32)
        if values.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise ValueError(f"TactileArray: expected forces of shape (rows, cols), got {values.shape}.")
        rows, cols = values.shape
        made = cls(rows, cols, values, physical_size=physical_size)  # type: ignore[arg-type]
        total = float(values.sum(dtype=np.float64))
        made.total_force[2] = total
        made.in_contact = bool((values > 0).any())
        if total > 0.0:
            made.center_of_pressure[0] = (
                values.sum(0) @ (np.arange(cols) + 0.5) / total * physical_size[0] / cols
            )
            made.center_of_pressure[1] = (
                values.sum(1) @ (np.arange(rows) + 0.5) / total * physical_size[1] / rows
            )
        return made

    def to_numpy(self) -> "NDArray[np.float32]":
        """Return the forces as a view of shape (rows, cols). Raises ValueError when they are not so many."""
        return self.forces.reshape(self.rows, self.cols)

    def is_valid(self) -> bool:
        """Whether there is a force for each cell, or none, and all values are finite."""
        vectors = ("forces", "total_force", "center_of_pressure", "physical_size")
        return checks.cells(self, "forces", self.rows, self.cols) and checks.all_finite(self, *vectors)


TYPES: tuple[type[Message], ...] = (
    WrenchStamped, ForceCommand, ImpedanceParameters, ContactInfo, HapticFeedback, TactileArray,
)  # fmt: skip
