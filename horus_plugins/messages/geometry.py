"""Points, rotations, poses, velocities.

Right-handed frames, x forward, y left, z up (REP 103); quaternions are x, y, z, w; covariances are 6 by 6,
row-major, in the order x, y, z, roll, pitch, yaw.
"""

# Without `from __future__ import annotations`: the annotations are the fields.
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import alias, array, f64, field, text, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self


class Vector3(Message):
    """A direction and a length in space."""

    x: f64 = field(default=0.0, unit="m", doc="Forward.")
    y: f64 = field(default=0.0, unit="m", doc="Left.")
    z: f64 = field(default=0.0, unit="m", doc="Up.")

    def magnitude(self) -> float:
        """Return the length."""
        return math.hypot(self.x, self.y, self.z)

    def normalize(self) -> None:
        """Scale to length 1; a zero vector stays as it is."""
        length = self.magnitude()
        if length > 0.0:
            self.x, self.y, self.z = self.x / length, self.y / length, self.z / length

    def normalized(self) -> "Self":
        """Return a copy of length 1."""
        result = self.copy()
        result.normalize()
        return result

    def dot(self, other: "Vector3") -> float:
        """Return the scalar product."""
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other: "Vector3") -> "Vector3":
        """Return the vector product."""
        return Vector3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def is_valid(self) -> bool:
        """Whether all components are finite."""
        return checks.finite(self.x, self.y, self.z)


class Point3(Message):
    """A place in space."""

    x: f64 = field(default=0.0, unit="m", doc="Forward.")
    y: f64 = field(default=0.0, unit="m", doc="Left.")
    z: f64 = field(default=0.0, unit="m", doc="Up.")

    def distance_to(self, other: "Point3") -> float:
        """Return the distance in metres."""
        return math.dist((self.x, self.y, self.z), (other.x, other.y, other.z))

    def is_valid(self) -> bool:
        """Whether all coordinates are finite."""
        return checks.finite(self.x, self.y, self.z)


class Quaternion(Message):
    """A rotation, as a unit quaternion; the default is no rotation."""

    x: f64 = field(default=0.0, unit="1", doc="Of the vector part.")
    y: f64 = field(default=0.0, unit="1", doc="Of the vector part.")
    z: f64 = field(default=0.0, unit="1", doc="Of the vector part.")
    w: f64 = field(default=1.0, unit="1", doc="The scalar part.")

    @classmethod
    def from_euler(cls, roll: float, pitch: float, yaw: float) -> "Self":
        """Make the rotation about fixed x, then y, then z, in radians."""
        sin_r, cos_r = math.sin(roll / 2), math.cos(roll / 2)
        sin_p, cos_p = math.sin(pitch / 2), math.cos(pitch / 2)
        sin_y, cos_y = math.sin(yaw / 2), math.cos(yaw / 2)
        return cls(
            sin_r * cos_p * cos_y - cos_r * sin_p * sin_y,
            cos_r * sin_p * cos_y + sin_r * cos_p * sin_y,
            cos_r * cos_p * sin_y - sin_r * sin_p * cos_y,
            cos_r * cos_p * cos_y + sin_r * sin_p * sin_y,
        )

    def to_euler(self) -> tuple[float, float, float]:
        """Return roll, pitch, yaw in radians, the inverse of `from_euler`; pitch is within +-pi/2."""
        x, y, z, w = self.x, self.y, self.z, self.w
        roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
        pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
        yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        return roll, pitch, yaw

    def norm(self) -> float:
        """Return the length; 1 for a rotation."""
        return math.hypot(self.x, self.y, self.z, self.w)

    def normalize(self) -> None:
        """Scale to length 1; a zero quaternion becomes no rotation."""
        length = self.norm()
        if length > 0.0:
            self.x, self.y, self.z, self.w = (one / length for one in (self.x, self.y, self.z, self.w))
        else:
            self.w = 1.0

    def normalized(self) -> "Self":
        """Return a copy of length 1."""
        result = self.copy()
        result.normalize()
        return result

    def is_valid(self) -> bool:
        """Whether it is a rotation: finite, and of length 1 within a thousandth."""
        return (
            checks.finite(self.x, self.y, self.z, self.w) and abs(self.norm() - 1.0) <= checks.UNIT_TOLERANCE
        )


class Twist(Message, topic="twist"):
    """Linear and angular velocity in space."""

    linear: "NDArray[np.float64]" = array(f64, 3, unit="m/s", doc="Velocity along x, y, z.")
    angular: "NDArray[np.float64]" = array(f64, 3, unit="rad/s", doc="Velocity about x, y, z.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    @classmethod
    def new_2d(cls, linear_x: float, angular_z: float) -> "Self":
        """Make the velocity of a robot on the ground: forward in m/s, turning left in rad/s."""
        return cls((linear_x, 0.0, 0.0), (0.0, 0.0, angular_z))  # type: ignore[arg-type] # sequences will do

    @classmethod
    def stop(cls) -> "Self":
        """Make a velocity of zero."""
        return cls()

    def is_valid(self) -> bool:
        """Whether all components are finite."""
        return checks.all_finite(self, "linear", "angular")


class Pose2D(Message, topic="pose"):
    """Place and heading on the ground."""

    x: f64 = field(default=0.0, unit="m", doc="Forward.")
    y: f64 = field(default=0.0, unit="m", doc="Left.")
    theta: f64 = field(default=0.0, unit="rad", doc="Heading, counter-clockwise from x.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def distance_to(self, other: "Pose2D") -> float:
        """Return the distance in metres, headings aside."""
        return math.hypot(self.x - other.x, self.y - other.y)

    def normalize_angle(self) -> None:
        """Bring the heading into -pi to pi."""
        self.theta = math.remainder(self.theta, math.tau)

    def is_valid(self) -> bool:
        """Whether all values are finite."""
        return checks.finite(self.x, self.y, self.theta)


class Pose3D(Message, topic="pose3d"):
    """Place and rotation in space."""

    position: Point3 = field(default=Point3(), unit="m", doc="Where.")
    orientation: Quaternion = field(default=Quaternion(), doc="Rotation from the frame; default none.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")
    x: f64 = alias("position.x", unit="m")
    y: f64 = alias("position.y", unit="m")
    z: f64 = alias("position.z", unit="m")
    qx: f64 = alias("orientation.x")
    qy: f64 = alias("orientation.y")
    qz: f64 = alias("orientation.z")
    qw: f64 = alias("orientation.w")

    @classmethod
    def from_pose_2d(cls, pose: Pose2D) -> "Self":
        """Make the pose on the ground, z = 0."""
        orientation = Quaternion.from_euler(0.0, 0.0, pose.theta)
        return cls(Point3(pose.x, pose.y, 0.0), orientation, timestamp_ns=pose.timestamp_ns)

    def distance_to(self, other: "Pose3D") -> float:
        """Return the distance in metres, rotations aside."""
        return self.position.distance_to(other.position)

    def is_valid(self) -> bool:
        """Whether the place is finite and the orientation a rotation."""
        return self.position.is_valid() and self.orientation.is_valid()


class PoseStamped(Message, topic="pose_stamped"):
    """A pose in a named frame."""

    pose: Pose3D = field(default=Pose3D(), doc="Place and rotation.")
    frame_id: str = text(32, doc="The frame that the pose is given in.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the pose is."""
        return self.pose.is_valid()


class PoseWithCovariance(Message, topic="pose_cov"):
    """A pose and how sure it is."""

    pose: Pose3D = field(default=Pose3D(), doc="Place and rotation.")
    covariance: "NDArray[np.float64]" = array(
        f64, 36, unit="m², m rad, rad²", doc="6 by 6, row-major: x, y, z, roll, pitch, yaw."
    )
    frame_id: str = text(32, doc="The frame that the pose is given in.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the pose is, and the variances are not negative."""
        return self.pose.is_valid() and checks.covariance(self, "covariance", 6)


class TwistWithCovariance(Message, topic="twist_cov"):
    """A velocity and how sure it is."""

    twist: Twist = field(default=Twist(), doc="Linear and angular velocity.")
    covariance: "NDArray[np.float64]" = array(
        f64, 36, unit="(m/s)², m rad/s², (rad/s)²", doc="6 by 6, row-major: x, y, z, roll, pitch, yaw."
    )
    frame_id: str = text(32, doc="The frame that the velocity is given in.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the velocity is, and the variances are not negative."""
        return self.twist.is_valid() and checks.covariance(self, "covariance", 6)


class Accel(Message, topic="accel"):
    """Linear and angular acceleration in space."""

    linear: "NDArray[np.float64]" = array(f64, 3, unit="m/s²", doc="Acceleration along x, y, z.")
    angular: "NDArray[np.float64]" = array(f64, 3, unit="rad/s²", doc="Acceleration about x, y, z.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether all components are finite."""
        return checks.all_finite(self, "linear", "angular")


class AccelStamped(Message, topic="accel_stamped"):
    """An acceleration in a named frame."""

    accel: Accel = field(default=Accel(), doc="Linear and angular acceleration.")
    frame_id: str = text(32, doc="The frame that the acceleration is given in.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the acceleration is."""
        return self.accel.is_valid()


class TransformStamped(Message, topic="transform"):
    """Where one frame stands in another."""

    translation: "NDArray[np.float64]" = array(f64, 3, unit="m", doc="Along x, y, z.")
    rotation: "NDArray[np.float64]" = array(
        f64, 4, default=(0.0, 0.0, 0.0, 1.0), unit="1", doc="Quaternion x, y, z, w; default none."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it held; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the translation is finite and the rotation of length 1 within a thousandth."""
        finite = checks.all_finite(self, "translation", "rotation")
        return finite and abs(math.hypot(*self.to_dict()["rotation"]) - 1.0) <= checks.UNIT_TOLERANCE


TYPES: tuple[type[Message], ...] = (
    Vector3, Point3, Quaternion, Twist, Pose2D, Pose3D, PoseStamped, PoseWithCovariance, TwistWithCovariance,
    Accel, AccelStamped, TransformStamped,
)  # fmt: skip
