"""What sensors measure."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math
from typing import TYPE_CHECKING

from horus_core.messages import fields
from horus_core.messages.fields import alias, array, f32, f64, field, text, u8, u16, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.geometry import Pose2D, Quaternion, Twist

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_RANGES = 4096
MAX_JOINTS = 64

_EARTH_RADIUS_M = 6_371_008.8  # mean radius of the WGS84 ellipsoid (IUGG)
_UNKNOWN_COVARIANCE = (-1.0,) + (0.0,) * 8
_NAN = float("nan")


class RangeSensorType(enum.IntEnum):
    """How a `RangeSensor` measures."""

    ULTRASONIC = 0
    INFRARED = 1


class PowerSupplyStatus(enum.IntEnum):
    """What a battery does."""

    UNKNOWN = 0
    CHARGING = 1
    DISCHARGING = 2
    FULL = 3


class FixStatus(enum.IntEnum):
    """What the position of a `NavSatFix` stands on."""

    NONE = 0
    FIX = 1
    SBAS = 2
    GBAS = 3


class CovarianceType(enum.IntEnum):
    """How the covariance of a `NavSatFix` came about."""

    UNKNOWN = 0
    APPROXIMATED = 1
    DIAGONAL_KNOWN = 2
    KNOWN = 3


class LaserScan(Message, topic="scan"):
    """One sweep of a planar laser scanner: up to 4096 ranges, which travel at their used length."""

    ranges: "NDArray[np.float32]" = array(f32, MAX_RANGES, bounded=True, unit="m", doc="0 is invalid.")
    intensities: "NDArray[np.float32]" = array(
        f32,
        MAX_RANGES,
        bounded=True,
        unit="any",
        doc="Strength of each echo, in the device's own unit; empty if unknown.",
    )
    angle_min: f32 = field(default=0.0, unit="rad", doc="Of the first range, counter-clockwise from x.")
    angle_max: f32 = field(default=0.0, unit="rad", doc="Of the last range.")
    range_min: f32 = field(default=0.0, unit="m", doc="Shorter ranges are invalid.")
    range_max: f32 = field(default=0.0, unit="m", doc="Longer ranges are invalid; 0 is no limit.")
    angle_increment: f32 = field(default=0.0, unit="rad", doc="Between two ranges.")
    time_increment: f32 = field(default=0.0, unit="s", doc="Between two ranges.")
    scan_time: f32 = field(default=0.0, unit="s", doc="Between two scans.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the first range; 0 is unset.")

    def angle_at(self, index: int) -> float:
        """Return the angle of a range in radians. Raises IndexError outside of the scan."""
        return self.angle_min + self._index(index) * self.angle_increment

    def is_range_valid(self, index: int) -> bool:
        """Whether a range is a measurement: finite, above 0 and within range_min and range_max."""
        return self._is_measurement(float(self.ranges[self._index(index)]))

    def min_range(self) -> float | None:
        """Return the shortest valid range in metres, None when no range is valid."""
        import numpy as np  # noqa: PLC0415 - a process that never looks at a scan does without

        ranges = self.ranges
        valid = np.isfinite(ranges) & (ranges > 0) & (ranges >= self.range_min) & (ranges <= self._limit())
        return float(np.min(ranges[valid])) if valid.any() else None

    def is_valid(self) -> bool:
        """Whether angles and limits make sense and there are no, or as many, intensities as ranges."""
        angles = (self.angle_min, self.angle_max, self.angle_increment)
        limits = 0.0 <= self.range_min <= self._limit()
        return checks.finite(*angles) and limits and len(self.intensities) in (0, len(self.ranges))

    def _index(self, index: int) -> int:
        count = len(self.ranges)
        if not -count <= index < count:
            raise IndexError(f"LaserScan: expected an index of {count} ranges, got {index}.")
        return index % count

    def _limit(self) -> float:
        return self.range_max if self.range_max > 0.0 else math.inf

    def _is_measurement(self, distance: float) -> bool:
        return math.isfinite(distance) and distance > 0.0 and self.range_min <= distance <= self._limit()


class Imu(Message, topic="imu"):
    """Orientation, angular velocity, acceleration; a covariance that starts with -1 means: not measured."""

    orientation: "NDArray[np.float64]" = array(
        f64, 4, default=(0.0, 0.0, 0.0, 1.0), unit="1", doc="Quaternion x, y, z, w."
    )
    orientation_cov: "NDArray[np.float64]" = array(
        f64,
        9,
        default=_UNKNOWN_COVARIANCE,
        unit="rad²",
        doc="3 by 3, row-major; starts with -1: no orientation.",
    )
    angular_velocity: "NDArray[np.float64]" = array(f64, 3, unit="rad/s", doc="About x, y, z.")
    angular_velocity_cov: "NDArray[np.float64]" = array(f64, 9, unit="(rad/s)²", doc="3 by 3, row-major.")
    linear_acceleration: "NDArray[np.float64]" = array(f64, 3, unit="m/s²", doc="Along x, y, z.")
    linear_acceleration_cov: "NDArray[np.float64]" = array(f64, 9, unit="(m/s²)²", doc="3 by 3, row-major.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")
    accel_x: f64 = alias("linear_acceleration[0]")
    accel_y: f64 = alias("linear_acceleration[1]")
    accel_z: f64 = alias("linear_acceleration[2]")
    gyro_x: f64 = alias("angular_velocity[0]")
    gyro_y: f64 = alias("angular_velocity[1]")
    gyro_z: f64 = alias("angular_velocity[2]")

    @property
    def has_orientation(self) -> bool:
        """Whether the orientation was measured."""
        return bool(self.orientation_cov[0] >= 0.0)

    def set_orientation_from_euler(self, roll: float, pitch: float, yaw: float) -> None:
        """Set the orientation from angles in radians, and mark it as measured."""
        rotation = Quaternion.from_euler(roll, pitch, yaw)
        self.orientation = (rotation.x, rotation.y, rotation.z, rotation.w)  # type: ignore[assignment]
        if not self.has_orientation:
            self.orientation_cov[0] = 0.0

    def is_valid(self) -> bool:
        """Whether all measurements are finite."""
        return checks.all_finite(self, "orientation", "angular_velocity", "linear_acceleration")


class Odometry(Message, topic="odom"):
    """Where a robot on the ground thinks it is, and how fast it moves."""

    pose: Pose2D = field(default=Pose2D(), doc="Place and heading in `frame_id`.")
    twist: Twist = field(default=Twist(), doc="Velocity in `child_frame`.")
    pose_cov: "NDArray[np.float64]" = array(
        f64, 36, unit="m², m rad, rad²", doc="6 by 6, row-major: x, y, z, roll, pitch, yaw."
    )
    twist_cov: "NDArray[np.float64]" = array(
        f64, 36, unit="(m/s)², m rad/s², (rad/s)²", doc="6 by 6, row-major: x, y, z, roll, pitch, yaw."
    )
    frame_id: str = text(32, doc="The frame of the pose, such as odom.")
    child_frame: str = text(32, doc="The robot's own frame, such as base_link.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")
    x: f64 = alias("pose.x")
    y: f64 = alias("pose.y")
    theta: f64 = alias("pose.theta")
    linear_velocity: f64 = alias("twist.linear[0]", doc="Forward.")
    angular_velocity: f64 = alias("twist.angular[2]", doc="Turning, counter-clockwise.")

    def is_valid(self) -> bool:
        """Whether pose and velocity are finite and no variance is negative."""
        covariances = checks.covariance(self, "pose_cov", 6) and checks.covariance(self, "twist_cov", 6)
        return self.pose.is_valid() and self.twist.is_valid() and covariances


class JointState(Message, topic="joint_states"):
    """What the joints of an arm do: up to 64, each by name."""

    names: "Sequence[str]" = array(text(32), MAX_JOINTS, bounded=True, doc="Of the joints.")
    positions: "NDArray[np.float64]" = array(f64, MAX_JOINTS, bounded=True, unit="rad", doc="Of each joint.")
    velocities: "NDArray[np.float64]" = array(
        f64, MAX_JOINTS, bounded=True, unit="rad/s", doc="May be empty."
    )
    efforts: "NDArray[np.float64]" = array(f64, MAX_JOINTS, bounded=True, unit="Nm", doc="May be empty.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    @property
    def count(self) -> int:
        """How many joints are named."""
        return len(self.names)

    def is_valid(self) -> bool:
        """Whether each array is empty or has one finite entry for each name."""
        arrays = ("positions", "velocities", "efforts")
        return checks.same_length(self, "names", *arrays) and checks.all_finite(self, *arrays)


class RangeSensor(Message, topic="range"):
    """The distance to what is in front of an ultrasonic or infrared sensor."""

    sensor_type: RangeSensorType | int = field(
        default=RangeSensorType.ULTRASONIC, storage=u8, doc="How it measures."
    )
    field_of_view: f32 = field(default=0.1, unit="rad", doc="Width of the cone.")
    min_range: f32 = field(default=0.02, unit="m", doc="Shorter ranges are invalid.")
    max_range: f32 = field(default=4.0, unit="m", doc="Longer ranges are invalid.")
    range: f32 = field(default=0.0, unit="m", doc="The distance.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the distance lies within min_range and max_range."""
        return self.min_range <= self.range <= self.max_range and self.field_of_view > 0.0


class BatteryState(Message, topic="battery"):
    """How much a battery has left."""

    voltage: f32 = field(default=0.0, unit="V", doc="Of the whole pack.")
    current: f32 = field(default=0.0, unit="A", doc="Negative while discharging.")
    charge: f32 = field(default=_NAN, unit="Ah", doc="What is left; NaN is unknown.")
    capacity: f32 = field(default=_NAN, unit="Ah", doc="When full; NaN is unknown.")
    percentage: f32 = field(default=0.0, unit="%", doc="From 0 to 100.")
    power_supply_status: PowerSupplyStatus | int = field(
        default=PowerSupplyStatus.UNKNOWN, storage=u8, doc="What it does."
    )
    temperature: f32 = field(default=25.0, unit="°C", doc="Of the pack.")
    cell_voltages: "NDArray[np.float32]" = array(f32, 16, unit="V", doc="The first `cell_count` are used.")
    cell_count: u8 = field(default=0, doc="How many cells are measured.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_low(self, threshold: float = 20.0) -> bool:
        """Whether less than the threshold is left, in percent."""
        return self.percentage < threshold

    def is_critical(self, threshold: float = 10.0) -> bool:
        """Whether it is time to stop: less than the threshold is left, in percent."""
        return self.percentage < threshold

    def is_valid(self) -> bool:
        """Whether the measurements are finite and the percentage within 0 and 100."""
        measured = checks.finite(self.voltage, self.current, self.temperature)
        return measured and 0.0 <= self.percentage <= 100.0 and self.cell_count <= len(self.cell_voltages)  # noqa: PLR2004 - percent


class NavSatFix(Message, topic="gps"):
    """A position from satellites."""

    latitude: f64 = field(default=0.0, unit="deg", doc="North is positive.")
    longitude: f64 = field(default=0.0, unit="deg", doc="East is positive.")
    altitude: f64 = field(default=0.0, unit="m", doc="Above the WGS84 ellipsoid.")
    cov: "NDArray[np.float64]" = array(f64, 9, unit="m²", doc="3 by 3, row-major: east, north, up.")
    cov_type: CovarianceType | int = field(
        default=CovarianceType.UNKNOWN, storage=u8, doc="How the covariance came about."
    )
    status: FixStatus | int = field(default=FixStatus.NONE, storage=u8, doc="What the position stands on.")
    satellites: u16 = field(default=0, doc="How many are used.")
    hdop: f32 = field(default=0.0, unit="1", doc="Horizontal dilution of precision.")
    vdop: f32 = field(default=0.0, unit="1", doc="Vertical dilution of precision.")
    speed: f32 = field(default=0.0, unit="m/s", doc="Over ground.")
    heading: f32 = field(default=0.0, unit="deg", doc="Clockwise from north.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def has_fix(self) -> bool:
        """Whether there is a position."""
        return self.status != FixStatus.NONE

    def distance_to(self, other: "NavSatFix") -> float:
        """Return the distance over ground in metres: haversine on a sphere, within 0.6 % of the ellipsoid."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        north = there - here
        east = math.radians(other.longitude - self.longitude)
        chord = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
        return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))

    def is_valid(self) -> bool:
        """Whether the position is on Earth; whether there is one at all says `has_fix()`."""
        on_earth = -90.0 <= self.latitude <= 90.0 and -180.0 <= self.longitude <= 180.0  # noqa: PLR2004 - degrees
        return on_earth and checks.finite(self.altitude)


class MagneticField(Message, topic="mag"):
    """The magnetic field around the sensor."""

    field: "NDArray[np.float64]" = array(f64, 3, unit="T", doc="Along x, y, z.")
    cov: "NDArray[np.float64]" = array(f64, 9, unit="T²", doc="3 by 3, row-major; starts with -1: unknown.")
    frame_id: str = text(32, doc="The frame of the sensor.")
    # `field` is the array by now
    timestamp_ns: u64 = fields.field(
        default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset."
    )

    def is_valid(self) -> bool:
        """Whether the field is finite."""
        return checks.all_finite(self, "field")


class Temperature(Message, topic="temperature"):
    """A temperature."""

    temperature: f64 = field(default=0.0, unit="°C", doc="What was measured.")
    variance: f64 = field(default=0.0, unit="°C²", doc="0 is unknown.")
    frame_id: str = text(32, doc="The frame of the sensor.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether it is finite and above absolute zero."""
        return checks.finite(self.temperature) and self.temperature >= -273.15 and self.variance >= 0.0  # noqa: PLR2004


class FluidPressure(Message, topic="pressure"):
    """The pressure of air or another fluid."""

    pressure: f64 = field(default=0.0, unit="Pa", doc="Absolute.")
    variance: f64 = field(default=0.0, unit="Pa²", doc="0 is unknown.")
    frame_id: str = text(32, doc="The frame of the sensor.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether it is finite and not negative."""
        return checks.finite(self.pressure) and self.pressure >= 0.0 and self.variance >= 0.0


class Illuminance(Message, topic="illuminance"):
    """How much light falls on the sensor."""

    illuminance: f64 = field(default=0.0, unit="lx", doc="What was measured.")
    variance: f64 = field(default=0.0, unit="lx²", doc="0 is unknown.")
    frame_id: str = text(32, doc="The frame of the sensor.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was measured; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether it is finite and not negative."""
        return checks.finite(self.illuminance) and self.illuminance >= 0.0 and self.variance >= 0.0


TYPES: tuple[type[Message], ...] = (
    LaserScan, Imu, Odometry, JointState, RangeSensor, BatteryState, NavSatFix, MagneticField, Temperature,
    FluidPressure, Illuminance,
)  # fmt: skip
