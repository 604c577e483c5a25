"""Commands to motors, servos, joints and whole robots."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import array, bool_, f32, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_JOINTS = 64


class MotorMode(enum.IntEnum):
    """What `MotorCommand.target` means."""

    VELOCITY = 0
    POSITION = 1
    TORQUE = 2
    VOLTAGE = 3


class JointMode(enum.IntEnum):
    """What a joint of a `JointCommand` follows."""

    POSITION = 0
    VELOCITY = 1
    EFFORT = 2


class CmdVel(Message, topic="cmd_vel"):
    """The velocity that a robot on the ground is to take."""

    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")
    linear: f32 = field(default=0.0, unit="m/s", doc="Forward.")
    angular: f32 = field(default=0.0, unit="rad/s", doc="Turning, counter-clockwise.")

    @classmethod
    def zero(cls) -> "Self":
        """Make the command to stand still."""
        return cls()

    def is_valid(self) -> bool:
        """Whether both velocities are finite."""
        return checks.finite(self.linear, self.angular)


class MotorCommand(Message, topic="motor_cmd"):
    """What one motor is to do."""

    motor_id: u8 = field(default=0, doc="Which motor.")
    mode: MotorMode | int = field(default=MotorMode.VELOCITY, storage=u8, doc="What the target means.")
    target: f64 = field(default=0.0, unit="rad/s, rad, Nm, V", doc="One of these, by the mode.")
    max_velocity: f64 = field(default=math.inf, unit="rad/s", doc="Limit on the way to the target.")
    max_acceleration: f64 = field(default=math.inf, unit="rad/s²", doc="Limit on the way to the target.")
    feed_forward: f64 = field(default=0.0, unit="any", doc="Added to the controller's output.")
    enable: bool_ = field(default=False, doc="Whether the motor is powered.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether mode and target make sense and the limits are not negative."""
        limits = (self.max_velocity, self.max_acceleration)
        known = self.mode in MotorMode.__members__.values()
        return known and checks.finite(self.target, self.feed_forward) and all(one >= 0.0 for one in limits)


class DifferentialDriveCommand(Message, topic="diff_drive_cmd"):
    """The wheel speeds of a robot with two driven wheels."""

    left_velocity: f64 = field(default=0.0, unit="rad/s", doc="Of the left wheel.")
    right_velocity: f64 = field(default=0.0, unit="rad/s", doc="Of the right wheel.")
    max_acceleration: f64 = field(default=math.inf, unit="rad/s²", doc="Limit for both wheels.")
    enable: bool_ = field(default=False, doc="Whether the motors are powered.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @classmethod
    def from_twist(cls, linear: float, angular: float, wheel_base: float, wheel_radius: float) -> "Self":
        """Make the enabled command for a velocity.

        `linear` in m/s, `angular` in rad/s, counter-clockwise; the distance between the wheels and their
        radius in metres, above 0.
        """
        if not (wheel_base > 0.0 and wheel_radius > 0.0):
            raise ValueError(
                f"DifferentialDriveCommand.from_twist: expected wheel_base and wheel_radius above 0, "
                f"got {wheel_base} and {wheel_radius}."
            )
        turn = angular * wheel_base / 2
        return cls((linear - turn) / wheel_radius, (linear + turn) / wheel_radius, enable=True)

    def is_valid(self) -> bool:
        """Whether the speeds are finite and the limit is not negative."""
        return checks.finite(self.left_velocity, self.right_velocity) and self.max_acceleration >= 0.0


class ServoCommand(Message, topic="servo_cmd"):
    """Where one servo is to turn."""

    servo_id: u8 = field(default=0, doc="Which servo.")
    position: f32 = field(default=0.0, unit="rad", doc="Where to.")
    speed: f32 = field(default=0.5, unit="1", doc="From 0 to 1, of what the servo can.")
    enable: bool_ = field(default=False, doc="Whether the servo is powered.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @classmethod
    def from_degrees(cls, servo_id: int, degrees: float, speed: float = 0.5) -> "Self":
        """Make the enabled command for an angle in degrees."""
        return cls(servo_id, math.radians(degrees), speed, enable=True)

    def is_valid(self) -> bool:
        """Whether the position is finite and the speed within 0 and 1."""
        return checks.finite(self.position) and 0.0 <= self.speed <= 1.0


class PidConfig(Message, topic="pid_config"):
    """The gains of one PID controller."""

    controller_id: u32 = field(default=0, doc="Which controller.")
    kp: f64 = field(default=1.0, unit="any", doc="Proportional gain.")
    ki: f64 = field(default=0.0, unit="any", doc="Integral gain.")
    kd: f64 = field(default=0.0, unit="any", doc="Derivative gain.")
    integral_limit: f64 = field(default=math.inf, unit="any", doc="Largest part that the integral may have.")
    output_limit: f64 = field(default=math.inf, unit="any", doc="Largest output.")
    anti_windup: bool_ = field(default=False, doc="Whether the integral rests while the output is limited.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the gains are finite and not negative, and so the limits."""
        gains = (self.kp, self.ki, self.kd)
        limited = self.integral_limit >= 0.0 and self.output_limit >= 0.0
        return checks.finite(*gains) and all(one >= 0.0 for one in gains) and limited


class TrajectoryPoint(Message, topic="trajectory_point"):
    """One moment of a planned movement."""

    position: "NDArray[np.float64]" = array(f64, 3, unit="m", doc="Along x, y, z.")
    velocity: "NDArray[np.float64]" = array(f64, 3, unit="m/s", doc="Along x, y, z.")
    acceleration: "NDArray[np.float64]" = array(f64, 3, unit="m/s²", doc="Along x, y, z.")
    orientation: "NDArray[np.float64]" = array(
        f64, 4, default=(0.0, 0.0, 0.0, 1.0), unit="1", doc="Quaternion x, y, z, w; default none."
    )
    angular_velocity: "NDArray[np.float64]" = array(f64, 3, unit="rad/s", doc="About x, y, z.")
    time_from_start: f64 = field(default=0.0, unit="s", doc="Since the movement began.")

    def is_valid(self) -> bool:
        """Whether all values are finite and the time is not negative."""
        vectors = ("position", "velocity", "acceleration", "orientation", "angular_velocity")
        return checks.all_finite(self, *vectors) and 0.0 <= self.time_from_start < math.inf


class JointCommand(Message, topic="joint_cmd"):
    """What the joints of an arm are to do: up to 64, each by name."""

    names: "Sequence[str]" = array(text(32), MAX_JOINTS, bounded=True, doc="Of the joints.")
    positions: "NDArray[np.float64]" = array(f64, MAX_JOINTS, bounded=True, unit="rad", doc="Targets.")
    velocities: "NDArray[np.float64]" = array(f64, MAX_JOINTS, bounded=True, unit="rad/s", doc="Targets.")
    efforts: "NDArray[np.float64]" = array(f64, MAX_JOINTS, bounded=True, unit="Nm", doc="Targets.")
    modes: "Sequence[int]" = array(
        JointMode, MAX_JOINTS, bounded=True, storage=u8, doc="What each joint follows."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @property
    def count(self) -> int:
        """How many joints are named."""
        return len(self.names)

    def is_valid(self) -> bool:
        """Whether each array is empty or has one finite entry for each name."""
        arrays = ("positions", "velocities", "efforts")
        return checks.same_length(self, "names", *arrays, "modes") and checks.all_finite(self, *arrays)


TYPES: tuple[type[Message], ...] = (
    CmdVel, MotorCommand, DifferentialDriveCommand, ServoCommand, PidConfig, TrajectoryPoint, JointCommand,
)  # fmt: skip
