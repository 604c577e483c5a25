"""HORUS: nodes that tick on time, topics over shared memory, for robots written in Python.

This package is the face: it re-exports what users may rely on. What is not in `__all__` may move.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

try:
    _native = importlib.import_module("horus_core._native")
except ModuleNotFoundError as error:
    if error.name != "horus_core._native":
        raise
    raise ImportError(
        "Importing horus failed: expected the compiled module horus_core._native, got none: this is a clone that was "
        "not built. Run `make setup`, or `pip install .` in the clone's folder and start Python from another one."
    ) from None

if TYPE_CHECKING:
    from horus_core.control.estop import EmergencyStop as EmergencyStop
    from horus_core.errors import ConfigError as ConfigError
    from horus_core.errors import EncodeError as EncodeError
    from horus_core.errors import HorusError as HorusError
    from horus_core.errors import HorusTimeoutError as HorusTimeoutError
    from horus_core.errors import InvalidNameError as InvalidNameError
    from horus_core.errors import LaunchError as LaunchError
    from horus_core.errors import NodeError as NodeError
    from horus_core.errors import ParamError as ParamError
    from horus_core.errors import PluginError as PluginError
    from horus_core.errors import PoolExhaustedError as PoolExhaustedError
    from horus_core.errors import RegionError as RegionError
    from horus_core.errors import SegmentLostError as SegmentLostError
    from horus_core.errors import TopicTypeError as TopicTypeError
    from horus_core.messages.depth_image import DepthImage as DepthImage
    from horus_core.messages.fields import alias as alias
    from horus_core.messages.fields import array as array
    from horus_core.messages.fields import bool_ as bool_
    from horus_core.messages.fields import f32 as f32
    from horus_core.messages.fields import f64 as f64
    from horus_core.messages.fields import field as field
    from horus_core.messages.fields import i8 as i8
    from horus_core.messages.fields import i16 as i16
    from horus_core.messages.fields import i32 as i32
    from horus_core.messages.fields import i64 as i64
    from horus_core.messages.fields import text as text
    from horus_core.messages.fields import u8 as u8
    from horus_core.messages.fields import u16 as u16
    from horus_core.messages.fields import u32 as u32
    from horus_core.messages.fields import u64 as u64
    from horus_core.messages.image import Image as Image
    from horus_core.messages.message import Message as Message
    from horus_core.messages.point_cloud import PointCloud as PointCloud
    from horus_core.messages.tensor import Tensor as Tensor
    from horus_core.nodes.info import NodeInfo as NodeInfo
    from horus_core.nodes.node import Node as Node
    from horus_core.nodes.parameter import param as param
    from horus_core.nodes.policy import Ladder as Ladder
    from horus_core.nodes.policy import Restart as Restart
    from horus_core.nodes.policy import Skip as Skip
    from horus_core.nodes.spec import Pub as Pub
    from horus_core.nodes.spec import Sub as Sub
    from horus_core.nodes.state import NodeState as NodeState
    from horus_core.params.handle import RuntimeParam as RuntimeParam
    from horus_core.params.runtime import Params as Params
    from horus_core.params.runtime import RuntimeParams as RuntimeParams
    from horus_core.plugins.lifecycle import observe as observe
    from horus_core.plugins.lifecycle import unobserve as unobserve
    from horus_core.plugins.marks import hookimpl as hookimpl
    from horus_core.scheduler.clock import Rate as Rate
    from horus_core.scheduler.clock import budget_remaining as budget_remaining
    from horus_core.scheduler.clock import dt as dt
    from horus_core.scheduler.clock import elapsed as elapsed
    from horus_core.scheduler.clock import now as now
    from horus_core.scheduler.clock import now_ns as now_ns
    from horus_core.scheduler.clock import rng_float as rng_float
    from horus_core.scheduler.clock import tick as tick
    from horus_core.scheduler.run import run as run
    from horus_core.scheduler.scheduler import Scheduler as Scheduler
    from horus_core.topics.topic import Info as Info
    from horus_core.topics.topic import Topic as Topic
    from horus_plugins.messages.audio import AudioEncoding as AudioEncoding
    from horus_plugins.messages.audio import AudioFrame as AudioFrame
    from horus_plugins.messages.control import CmdVel as CmdVel
    from horus_plugins.messages.control import DifferentialDriveCommand as DifferentialDriveCommand
    from horus_plugins.messages.control import JointCommand as JointCommand
    from horus_plugins.messages.control import JointMode as JointMode
    from horus_plugins.messages.control import MotorCommand as MotorCommand
    from horus_plugins.messages.control import MotorMode as MotorMode
    from horus_plugins.messages.control import PidConfig as PidConfig
    from horus_plugins.messages.control import ServoCommand as ServoCommand
    from horus_plugins.messages.control import TrajectoryPoint as TrajectoryPoint
    from horus_plugins.messages.diagnostics import DiagnosticLevel as DiagnosticLevel
    from horus_plugins.messages.diagnostics import DiagnosticReport as DiagnosticReport
    from horus_plugins.messages.diagnostics import DiagnosticStatus as DiagnosticStatus
    from horus_plugins.messages.diagnostics import DiagnosticValue as DiagnosticValue
    from horus_plugins.messages.diagnostics import DiagnosticValueType as DiagnosticValueType
    from horus_plugins.messages.diagnostics import HealthStatus as HealthStatus
    from horus_plugins.messages.diagnostics import Heartbeat as Heartbeat
    from horus_plugins.messages.diagnostics import HeartbeatState as HeartbeatState
    from horus_plugins.messages.diagnostics import NodeHeartbeat as NodeHeartbeat
    from horus_plugins.messages.diagnostics import ResourceUsage as ResourceUsage
    from horus_plugins.messages.diagnostics import SafetyMode as SafetyMode
    from horus_plugins.messages.diagnostics import SafetyStatus as SafetyStatus
    from horus_plugins.messages.force import AxisMode as AxisMode
    from horus_plugins.messages.force import ContactInfo as ContactInfo
    from horus_plugins.messages.force import ContactState as ContactState
    from horus_plugins.messages.force import ForceCommand as ForceCommand
    from horus_plugins.messages.force import HapticFeedback as HapticFeedback
    from horus_plugins.messages.force import HapticPattern as HapticPattern
    from horus_plugins.messages.force import ImpedanceParameters as ImpedanceParameters
    from horus_plugins.messages.force import TactileArray as TactileArray
    from horus_plugins.messages.force import WrenchStamped as WrenchStamped
    from horus_plugins.messages.geometry import Accel as Accel
    from horus_plugins.messages.geometry import AccelStamped as AccelStamped
    from horus_plugins.messages.geometry import Point3 as Point3
    from horus_plugins.messages.geometry import Pose2D as Pose2D
    from horus_plugins.messages.geometry import Pose3D as Pose3D
    from horus_plugins.messages.geometry import PoseStamped as PoseStamped
    from horus_plugins.messages.geometry import PoseWithCovariance as PoseWithCovariance
    from horus_plugins.messages.geometry import Quaternion as Quaternion
    from horus_plugins.messages.geometry import TransformStamped as TransformStamped
    from horus_plugins.messages.geometry import Twist as Twist
    from horus_plugins.messages.geometry import TwistWithCovariance as TwistWithCovariance
    from horus_plugins.messages.geometry import Vector3 as Vector3
    from horus_plugins.messages.input import JoystickInput as JoystickInput
    from horus_plugins.messages.input import KeyboardInput as KeyboardInput
    from horus_plugins.messages.input import KeyModifier as KeyModifier
    from horus_plugins.messages.maps import CostMap as CostMap
    from horus_plugins.messages.maps import OccupancyGrid as OccupancyGrid
    from horus_plugins.messages.navigation import GoalResult as GoalResult
    from horus_plugins.messages.navigation import GoalStatus as GoalStatus
    from horus_plugins.messages.navigation import NavGoal as NavGoal
    from horus_plugins.messages.navigation import NavPath as NavPath
    from horus_plugins.messages.navigation import PathPlan as PathPlan
    from horus_plugins.messages.navigation import VelocityObstacle as VelocityObstacle
    from horus_plugins.messages.navigation import VelocityObstacles as VelocityObstacles
    from horus_plugins.messages.navigation import Waypoint as Waypoint
    from horus_plugins.messages.perception import BoundingBox2D as BoundingBox2D
    from horus_plugins.messages.perception import BoundingBox3D as BoundingBox3D
    from horus_plugins.messages.perception import Detection as Detection
    from horus_plugins.messages.perception import Detection3D as Detection3D
    from horus_plugins.messages.perception import Landmark as Landmark
    from horus_plugins.messages.perception import Landmark3D as Landmark3D
    from horus_plugins.messages.perception import LandmarkArray as LandmarkArray
    from horus_plugins.messages.perception import MaskType as MaskType
    from horus_plugins.messages.perception import PlaneArray as PlaneArray
    from horus_plugins.messages.perception import PlaneDetection as PlaneDetection
    from horus_plugins.messages.perception import SegmentationMask as SegmentationMask
    from horus_plugins.messages.sensor import BatteryState as BatteryState
    from horus_plugins.messages.sensor import CovarianceType as CovarianceType
    from horus_plugins.messages.sensor import FixStatus as FixStatus
    from horus_plugins.messages.sensor import FluidPressure as FluidPressure
    from horus_plugins.messages.sensor import Illuminance as Illuminance
    from horus_plugins.messages.sensor import Imu as Imu
    from horus_plugins.messages.sensor import JointState as JointState
    from horus_plugins.messages.sensor import LaserScan as LaserScan
    from horus_plugins.messages.sensor import MagneticField as MagneticField
    from horus_plugins.messages.sensor import NavSatFix as NavSatFix
    from horus_plugins.messages.sensor import Odometry as Odometry
    from horus_plugins.messages.sensor import PowerSupplyStatus as PowerSupplyStatus
    from horus_plugins.messages.sensor import RangeSensor as RangeSensor
    from horus_plugins.messages.sensor import RangeSensorType as RangeSensorType
    from horus_plugins.messages.sensor import Temperature as Temperature
    from horus_plugins.messages.time import Clock as Clock
    from horus_plugins.messages.time import ClockSource as ClockSource
    from horus_plugins.messages.time import RateRequest as RateRequest
    from horus_plugins.messages.time import SimState as SimState
    from horus_plugins.messages.time import SimSync as SimSync
    from horus_plugins.messages.time import TimeReference as TimeReference
    from horus_plugins.messages.tracking import TrackedObject as TrackedObject
    from horus_plugins.messages.tracking import TrackingHeader as TrackingHeader
    from horus_plugins.messages.tracking import TrackState as TrackState
    from horus_plugins.messages.vision import CameraInfo as CameraInfo
    from horus_plugins.messages.vision import CompressedImage as CompressedImage
    from horus_plugins.messages.vision import PointField as PointField
    from horus_plugins.messages.vision import PointType as PointType
    from horus_plugins.messages.vision import RegionOfInterest as RegionOfInterest
    from horus_plugins.messages.vision import StereoInfo as StereoInfo

us: float = 1e-6
"""A microsecond in seconds: `budget=300 * horus.us`."""
ms: float = 1e-3
"""A millisecond in seconds: `deadline=5 * horus.ms`."""

# Where each name lives. Modules are imported when a name of theirs is first used: `import horus` is cheap.
_HOMES = {
    "horus_core.control.estop": "EmergencyStop",
    "horus_core.errors": (
        "ConfigError EncodeError HorusError HorusTimeoutError InvalidNameError LaunchError NodeError ParamError "
        "PluginError PoolExhaustedError RegionError SegmentLostError TopicTypeError"
    ),
    "horus_core.messages.fields": "alias array bool_ f32 f64 field i8 i16 i32 i64 text u8 u16 u32 u64",
    "horus_core.messages.message": "Message",
    "horus_core.messages.image": "Image",
    "horus_core.messages.depth_image": "DepthImage",
    "horus_core.messages.point_cloud": "PointCloud",
    "horus_core.messages.tensor": "Tensor",
    "horus_core.nodes.info": "NodeInfo",
    "horus_core.nodes.node": "Node",
    "horus_core.nodes.parameter": "param",
    "horus_core.nodes.policy": "Ladder Restart Skip",
    "horus_core.nodes.spec": "Pub Sub",
    "horus_core.nodes.state": "NodeState",
    "horus_core.params.handle": "RuntimeParam",
    "horus_core.params.runtime": "Params RuntimeParams",
    "horus_core.plugins.marks": "hookimpl",
    "horus_core.plugins.lifecycle": "observe unobserve",
    "horus_core.scheduler.clock": "Rate budget_remaining dt elapsed now now_ns rng_float tick",
    "horus_core.scheduler.run": "run",
    "horus_core.scheduler.scheduler": "Scheduler",
    "horus_core.topics.topic": "Info Topic",
    "horus_plugins.messages.audio": "AudioEncoding AudioFrame",
    "horus_plugins.messages.control": (
        "CmdVel DifferentialDriveCommand JointCommand JointMode MotorCommand MotorMode PidConfig "
        "ServoCommand TrajectoryPoint"
    ),
    "horus_plugins.messages.diagnostics": (
        "DiagnosticLevel DiagnosticReport DiagnosticStatus DiagnosticValue DiagnosticValueType "
        "HealthStatus Heartbeat HeartbeatState NodeHeartbeat ResourceUsage SafetyMode SafetyStatus"
    ),
    "horus_plugins.messages.force": (
        "AxisMode ContactInfo ContactState ForceCommand HapticFeedback HapticPattern ImpedanceParameters "
        "TactileArray WrenchStamped"
    ),
    "horus_plugins.messages.geometry": (
        "Accel AccelStamped Point3 Pose2D Pose3D PoseStamped PoseWithCovariance Quaternion "
        "TransformStamped Twist TwistWithCovariance Vector3"
    ),
    "horus_plugins.messages.input": "JoystickInput KeyModifier KeyboardInput",
    "horus_plugins.messages.maps": "CostMap OccupancyGrid",
    "horus_plugins.messages.navigation": (
        "GoalResult GoalStatus NavGoal NavPath PathPlan VelocityObstacle VelocityObstacles Waypoint"
    ),
    "horus_plugins.messages.perception": (
        "BoundingBox2D BoundingBox3D Detection Detection3D Landmark Landmark3D LandmarkArray MaskType "
        "PlaneArray PlaneDetection SegmentationMask"
    ),
    "horus_plugins.messages.sensor": (
        "BatteryState CovarianceType FixStatus FluidPressure Illuminance Imu JointState LaserScan "
        "MagneticField NavSatFix Odometry PowerSupplyStatus RangeSensor RangeSensorType Temperature"
    ),
    "horus_plugins.messages.time": "Clock ClockSource RateRequest SimState SimSync TimeReference",
    "horus_plugins.messages.tracking": "TrackState TrackedObject TrackingHeader",
    "horus_plugins.messages.vision": (
        "CameraInfo CompressedImage PointField PointType RegionOfInterest StereoInfo"
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__version__: str = _native.VERSION
__all__ = sorted([*_HOME_OF, "__version__", "ms", "us"])  # noqa: PLE0605 - one list of names, not two


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'horus' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
