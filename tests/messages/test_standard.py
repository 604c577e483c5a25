"""The standard messages against their table."""

import math

import numpy as np
import pytest

import horus
from horus_core.messages.message import Message
from horus_plugins.messages.control import (
    CmdVel,
    DifferentialDriveCommand,
    JointCommand,
    JointMode,
    MotorCommand,
    MotorMode,
    PidConfig,
    ServoCommand,
    TrajectoryPoint,
)  # fmt: skip
from horus_plugins.messages.diagnostics import EmergencyStop
from horus_plugins.messages.geometry import (
    Point3,
    Pose2D,
    Pose3D,
    PoseWithCovariance,
    Quaternion,
    TransformStamped,
    Twist,
    Vector3,
)  # fmt: skip
from horus_plugins.messages.plugin import TABLES
from horus_plugins.messages.sensor import (
    BatteryState,
    FixStatus,
    Imu,
    JointState,
    LaserScan,
    NavSatFix,
    Odometry,
    RangeSensor,
    Temperature,
)  # fmt: skip

STANDARD = tuple(cls for module in TABLES for cls in module.TYPES)

# Name: bytes, default topic. None: larger here than in existing programs, or theirs had no fixed size.
TABLE = {
    "Vector3": (24, None), "Point3": (24, None), "Quaternion": (32, None), "Twist": (56, "twist"),
    "Pose2D": (32, "pose"), "Pose3D": (64, "pose3d"), "PoseStamped": (104, "pose_stamped"),
    "PoseWithCovariance": (392, "pose_cov"), "TwistWithCovariance": (384, "twist_cov"), "Accel": (56, "accel"),
    "AccelStamped": (96, "accel_stamped"), "TransformStamped": (64, "transform"), "CmdVel": (16, "cmd_vel"),
    "MotorCommand": (56, "motor_cmd"), "DifferentialDriveCommand": (40, "diff_drive_cmd"),
    "ServoCommand": (24, "servo_cmd"), "PidConfig": (64, "pid_config"),
    "TrajectoryPoint": (136, "trajectory_point"), "JointCommand": (None, "joint_cmd"), "LaserScan": (None, "scan"),
    "Imu": (304, "imu"), "Odometry": (736, "odom"), "JointState": (None, "joint_states"),
    "RangeSensor": (32, "range"), "BatteryState": (104, "battery"), "NavSatFix": (128, "gps"),
    "MagneticField": (136, "mag"), "Temperature": (56, "temperature"), "FluidPressure": (56, "pressure"),
    "Illuminance": (56, "illuminance"), "Clock": (40, "clock"), "TimeReference": (56, "time_reference"),
    "SimSync": (32, None), "RateRequest": (72, None), "Heartbeat": (72, "heartbeat"),
    "NodeHeartbeat": (48, "node_heartbeat"), "DiagnosticStatus": (176, "diagnostics"),
    "DiagnosticValue": (97, "diagnostic_value"), "DiagnosticReport": (1600, "diagnostic_report"),
    "EmergencyStop": (112, "estop"), "ResourceUsage": (72, "resources"), "SafetyStatus": (24, "safety_status"),
    "WrenchStamped": (112, "wrench"), "ForceCommand": (224, "force_cmd"),
    "ImpedanceParameters": (208, "impedance_parameters"), "ContactInfo": (136, "contact"),
    "HapticFeedback": (56, "haptic_feedback"), "TactileArray": (None, "tactile_array"), "NavGoal": (72, "nav_goal"),
    "GoalResult": (104, "nav_result"), "Waypoint": (104, "waypoint"), "NavPath": (None, "nav_path"),
    "PathPlan": (None, "path_plan"), "VelocityObstacle": (48, "velocity_obstacle"),
    "VelocityObstacles": (None, "velocity_obstacles"), "OccupancyGrid": (None, "occupancy_grid"),
    "CostMap": (None, "cost_map"), "CompressedImage": (None, "compressed_image"),
    "CameraInfo": (None, "camera_info"), "StereoInfo": (None, "stereo_info"),
    "RegionOfInterest": (None, "region_of_interest"), "PointField": (None, "point_field"),
    "BoundingBox2D": (16, "bbox2d"), "BoundingBox3D": (48, "bbox3d"), "Detection": (72, "detection"),
    "Detection3D": (104, "detection3d"), "SegmentationMask": (64, "segmentation_mask"), "Landmark": (16, "landmark"),
    "Landmark3D": (20, "landmark3d"), "LandmarkArray": (40, "landmark_array"),
    "PlaneDetection": (None, "plane_detection"), "PlaneArray": (None, "plane_array"),
    "TrackedObject": (96, "tracked_object"), "TrackingHeader": (32, "tracking_header"),
    "JoystickInput": (72, "joystick"), "KeyboardInput": (72, "keyboard"), "AudioFrame": (19256, "audioframe"),
}  # fmt: skip


def test_the_table_is_complete() -> None:
    """Every type of the table is there, and `horus` knows where to find each."""
    assert {cls.__name__ for cls in STANDARD} == set(TABLE)
    assert all(getattr(horus, cls.__name__) is cls for cls in STANDARD)


# spec: A38
@pytest.mark.parametrize("cls", STANDARD, ids=lambda cls: cls.__name__)
def test_size_and_topic(cls: type[Message]) -> None:
    """As in existing HORUS programs, except where the limit was too small for real robots."""
    size, topic = TABLE[cls.__name__]
    assert cls.__topic__ == topic
    assert size is None or cls.__size__ == size


@pytest.mark.parametrize("cls", STANDARD, ids=lambda cls: cls.__name__)
def test_every_field_is_documented(cls: type[Message]) -> None:
    """A doc per field and per type, a unit per real number ("1" and "any" are some); timestamps are keyword-only."""
    assert cls.__doc__
    assert all(one.doc for one in cls.__descriptors__ if not one.alias)
    assert all(one.unit for one in cls.__descriptors__ if one.kind in {"f32", "f64"})
    stamps = [one for one in cls.__descriptors__ if one.name == "timestamp_ns"]
    assert all(one.kw_only and one.unit == "ns" and one.kind == "u64" for one in stamps)


@pytest.mark.parametrize(
    "cls", [cls for cls in STANDARD if cls is not RangeSensor], ids=lambda cls: cls.__name__
)
def test_the_default_is_valid(cls: type[Message]) -> None:
    """A new message makes sense as it is (a RangeSensor's range of 0 is below its minimum)."""
    assert cls().is_valid()


# spec: A21
def test_cmd_vel() -> None:
    """Positionally and by keyword, timestamp by keyword only though it lies first."""
    assert CmdVel(1.0, 0.5) == CmdVel(linear=1.0, angular=0.5)
    assert CmdVel.zero() == CmdVel(0.0, 0.0)
    assert [one["name"] for one in CmdVel.__layout__["fields"]] == ["timestamp_ns", "linear", "angular"]
    assert not CmdVel(math.inf).is_valid()
    with pytest.raises(TypeError):
        CmdVel(1.0, 0.5, 3)


def test_geometry_helpers() -> None:
    """Lengths, products, rotations, angles."""
    v = Vector3(3, 4, 0)
    assert v.magnitude() == 5.0
    assert v.normalized() == Vector3(0.6, 0.8, 0.0)
    v.normalize()
    assert v.magnitude() == pytest.approx(1.0)
    assert Vector3().normalized() == Vector3()
    assert Vector3(1, 0, 0).cross(Vector3(0, 1, 0)) == Vector3(0, 0, 1)
    assert Vector3(1, 2, 3).dot(Vector3(4, 5, 6)) == 32.0
    assert Point3(1, 2, 3).distance_to(Point3(1, 2, 5)) == 2.0
    assert Pose2D(0, 0).distance_to(Pose2D(3, 4, 1)) == 5.0
    pose = Pose2D(theta=3 * math.pi)
    pose.normalize_angle()
    assert abs(pose.theta) == pytest.approx(math.pi)
    assert Twist.new_2d(1.0, 0.5) == Twist([1, 0, 0], [0, 0, 0.5])
    assert Twist.stop() == Twist()
    pose3d = Pose3D.from_pose_2d(Pose2D(1, 2, math.pi / 2, timestamp_ns=4))
    assert (pose3d.x, pose3d.y, pose3d.z, pose3d.timestamp_ns) == (1.0, 2.0, 0.0, 4)
    assert (pose3d.qz, pose3d.qw) == (pytest.approx(math.sqrt(0.5)), pytest.approx(math.sqrt(0.5)))
    assert Pose3D(x=1.0, qw=0.0, qx=1.0).is_valid()
    assert pose3d.distance_to(Pose3D()) == pytest.approx(math.sqrt(5))


@pytest.mark.parametrize("angles", [(0.1, 0.2, 0.3), (-3.0, 1.5, -2.0), (0.0, -1.2, 3.1), (1.0, 0.0, 0.0)])
def test_euler_angles(angles: tuple[float, float, float]) -> None:
    """from_euler agrees with the product of three rotation matrices, and to_euler undoes it."""
    rotation = Quaternion.from_euler(*angles)
    assert rotation.is_valid()
    assert rotation.to_euler() == pytest.approx(angles)
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in angles)
    matrix = (
        np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    )
    x, y, z, w = rotation.x, rotation.y, rotation.z, rotation.w
    assert matrix[2, 1] - matrix[1, 2] == pytest.approx(4 * w * x)
    assert matrix[0, 2] - matrix[2, 0] == pytest.approx(4 * w * y)
    assert matrix[1, 0] - matrix[0, 1] == pytest.approx(4 * w * z)
    assert np.trace(matrix) == pytest.approx(4 * w * w - 1)


def test_quaternions_normalize() -> None:
    """Also a zero one, to no rotation."""
    q = Quaternion(0, 0, 2, 0)
    assert not q.is_valid()
    q.normalize()
    assert q == Quaternion(0, 0, 1, 0)
    assert Quaternion(w=0.0).normalized() == Quaternion()


def test_control_helpers() -> None:
    """Wheel speeds from a velocity, degrees to radians, limits."""
    drive = DifferentialDriveCommand.from_twist(1.0, 0.5, wheel_base=0.4, wheel_radius=0.1)
    assert (drive.left_velocity, drive.right_velocity, drive.enable) == (
        pytest.approx(9),
        pytest.approx(11),
        True,
    )
    with pytest.raises(ValueError, match="above 0, got 0"):
        DifferentialDriveCommand.from_twist(1.0, 0.5, 0, 0.1)
    servo = ServoCommand.from_degrees(3, 90)
    assert (servo.servo_id, servo.position, servo.speed) == (3, pytest.approx(math.pi / 2), 0.5)
    assert not ServoCommand(speed=2).is_valid()
    motor = MotorCommand(1, 2, 3.0)
    assert motor.mode is MotorMode.TORQUE
    assert motor.max_velocity == motor.max_acceleration == math.inf
    assert not MotorCommand(mode=9).is_valid()
    assert (PidConfig().kp, PidConfig().output_limit) == (1.0, math.inf)
    assert not PidConfig(kp=-1).is_valid()
    assert TrajectoryPoint().to_dict()["orientation"] == [0, 0, 0, 1]
    joints = JointCommand(["a", "b"], [1.0, 2.0], modes=[JointMode.EFFORT, 0])
    assert joints.count == 2
    assert joints.modes == (JointMode.EFFORT, JointMode.POSITION)
    assert joints.is_valid()
    assert not JointCommand(["a"], [1.0, 2.0]).is_valid()


def test_laser_scan() -> None:
    """Angles, valid ranges, the nearest one; up to 4096 ranges with intensities."""
    scan = LaserScan([0.0, 5.0, 2.0, math.inf, 0.05, 20.0], angle_min=-1.0, angle_increment=0.5)
    scan.range_min, scan.range_max = 0.1, 10.0
    assert scan.angle_at(2) == 0.0
    assert [scan.is_range_valid(i) for i in range(6)] == [False, True, True, False, False, False]
    assert scan.min_range() == 2.0
    assert LaserScan([0.0, math.nan]).min_range() is None
    assert LaserScan().min_range() is None
    for wrong in (6, -7):
        with pytest.raises(IndexError, match="expected an index of 6 ranges"):
            scan.angle_at(wrong)
    full = LaserScan(np.ones(4096), np.ones(4096))
    assert full.ranges.size == full.intensities.size == 4096
    assert not LaserScan([1.0], [1.0, 2.0]).is_valid()
    assert not LaserScan(range_min=2.0, range_max=1.0).is_valid()
    with pytest.raises(ValueError, match=r"LaserScan\.ranges: expected at most 4096 elements, got 4097"):
        LaserScan(np.ones(4097))


def test_imu_scalars_and_vectors() -> None:
    """The keywords accel_x ... gyro_z and the vectors are the same bytes."""
    imu = Imu(accel_x=1, accel_y=2, accel_z=9.81, gyro_x=0.1, gyro_y=0.2, gyro_z=0.3)
    assert imu.linear_acceleration.tolist() == [1.0, 2.0, 9.81]
    assert imu.angular_velocity.tolist() == [0.1, 0.2, 0.3]
    imu.angular_velocity[2] = 5.0
    assert imu.gyro_z == 5.0
    assert not imu.has_orientation
    imu.set_orientation_from_euler(0, 0, math.pi)
    assert imu.has_orientation
    assert imu.orientation.tolist() == pytest.approx([0, 0, 1, 0])
    assert not Imu(gyro_x=math.nan).is_valid()


def test_odometry_keywords() -> None:
    """x, y, theta and the velocities reach into pose and twist."""
    odometry = Odometry(x=1, y=2, theta=3, linear_velocity=4, angular_velocity=5, frame_id="odom")
    assert odometry.pose == Pose2D(1, 2, 3)
    assert odometry.twist == Twist.new_2d(4, 5)
    odometry.pose.x = 7.0
    assert odometry.x == 7.0
    odometry.pose_cov[0] = -1.0
    assert not odometry.is_valid()
    assert not PoseWithCovariance(covariance=-np.eye(6)).is_valid()


def test_sensor_helpers() -> None:
    """Batteries, positions, distances, temperatures."""
    assert BatteryState(percentage=15).is_low()
    assert not BatteryState(percentage=15).is_critical()
    assert not BatteryState(percentage=25).is_low()
    assert BatteryState(percentage=25).is_low(30)
    assert math.isnan(BatteryState().charge)
    assert not BatteryState(percentage=101).is_valid()
    berlin, munich = NavSatFix(52.5200, 13.4050), NavSatFix(48.1374, 11.5755)
    assert berlin.distance_to(munich) == pytest.approx(504_300, rel=2e-3)
    assert NavSatFix(0, 179.9).distance_to(NavSatFix(0, -179.9)) == pytest.approx(22_239, rel=1e-3)
    assert NavSatFix(status=FixStatus.FIX).has_fix()
    assert not NavSatFix().has_fix()
    assert not NavSatFix(91, 0).is_valid()
    assert RangeSensor(range=1.0).is_valid()
    assert not RangeSensor(range=5.0).is_valid()
    assert not Temperature(-300).is_valid()
    assert JointState(["a"], [1.0]).count == 1
    assert not TransformStamped(rotation=[0, 0, 0, 2]).is_valid()


def test_emergency_stop() -> None:
    """Engage and release, each from whom."""
    stop = EmergencyStop.engage("too close", "lidar")
    assert (stop.engaged, stop.reason, stop.source) == (True, "too close", "lidar")
    assert EmergencyStop.release().engaged is False
    with pytest.raises(ValueError, match=r"EmergencyStop\.reason: expected at most 63 bytes"):
        EmergencyStop.engage("x" * 64)
