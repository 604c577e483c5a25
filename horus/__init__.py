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
    from horus_core.plugins.hookspecs import hookimpl as hookimpl
    from horus_core.plugins.lifecycle import observe as observe
    from horus_core.plugins.lifecycle import unobserve as unobserve
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
    from horus_plugins.messages.control import CmdVel as CmdVel
    from horus_plugins.messages.control import DifferentialDriveCommand as DifferentialDriveCommand
    from horus_plugins.messages.control import JointCommand as JointCommand
    from horus_plugins.messages.control import JointMode as JointMode
    from horus_plugins.messages.control import MotorCommand as MotorCommand
    from horus_plugins.messages.control import MotorMode as MotorMode
    from horus_plugins.messages.control import PidConfig as PidConfig
    from horus_plugins.messages.control import ServoCommand as ServoCommand
    from horus_plugins.messages.control import TrajectoryPoint as TrajectoryPoint
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
    "horus_core.plugins.hookspecs": "hookimpl",
    "horus_core.plugins.lifecycle": "observe unobserve",
    "horus_core.scheduler.clock": "Rate budget_remaining dt elapsed now now_ns rng_float tick",
    "horus_core.scheduler.run": "run",
    "horus_core.scheduler.scheduler": "Scheduler",
    "horus_core.topics.topic": "Info Topic",
    "horus_plugins.messages.control": (
        "CmdVel DifferentialDriveCommand JointCommand JointMode MotorCommand MotorMode PidConfig ServoCommand "
        "TrajectoryPoint"
    ),
    "horus_plugins.messages.geometry": (
        "Accel AccelStamped Point3 Pose2D Pose3D PoseStamped PoseWithCovariance Quaternion TransformStamped Twist "
        "TwistWithCovariance Vector3"
    ),
    "horus_plugins.messages.sensor": (
        "BatteryState CovarianceType FixStatus FluidPressure Illuminance Imu JointState LaserScan MagneticField "
        "NavSatFix Odometry PowerSupplyStatus RangeSensor RangeSensorType Temperature"
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
