"""The standard messages, one module a table. They come in through the entry-point group `horus.messages`."""

from typing import Final

MODULES: Final = {
    "geometry": (
        "Vector3", "Point3", "Quaternion", "Twist", "Pose2D", "Pose3D", "PoseStamped", "PoseWithCovariance",
        "TwistWithCovariance", "Accel", "AccelStamped", "TransformStamped",
    ),
    "control": (
        "CmdVel", "MotorCommand", "MotorMode", "DifferentialDriveCommand", "ServoCommand", "PidConfig",
        "TrajectoryPoint", "JointCommand", "JointMode",
    ),
    "sensor": (
        "LaserScan", "Imu", "Odometry", "JointState", "RangeSensor", "RangeSensorType", "BatteryState",
        "PowerSupplyStatus", "NavSatFix", "FixStatus", "CovarianceType", "MagneticField", "Temperature",
        "FluidPressure", "Illuminance",
    ),
    "safety": ("EmergencyStop",),
}  # fmt: skip
"""What `import horus` offers by name, without importing any of it before it is used."""
