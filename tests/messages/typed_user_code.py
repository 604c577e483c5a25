"""What a user writes, for the type checkers: test_typing.py runs mypy and pyright on it, both strict."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from horus_core.messages.fields import alias, array, bool_, f32, f64, field, i16, text, u8, u64
from horus_core.messages.message import Message
from horus_plugins.messages.control import CmdVel, MotorCommand, MotorMode
from horus_plugins.messages.sensor import LaserScan, Odometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Mode(enum.IntEnum):
    IDLE = 0
    GRIPPING = 1


class Finger(Message):
    angle: f64 = 0.0
    force: f32 = field(default=0.0, unit="N", doc="At the tip.")


class GripperState(Message, topic="gripper_state"):
    width: f64 = 0.0
    linear: f32 = field(default=0.0, unit="m/s", doc="How fast it closes.")
    steps: i16 = 0
    closed: bool_ = False
    mode: Mode | int = field(default=Mode.IDLE, storage=u8)
    left: Finger = Finger()
    timestamp_ns: u64 = field(default=0, kw_only=True)
    pressures: NDArray[np.float32] = array(f32, 4096, bounded=True, unit="Pa")
    names: Sequence[str] = array(text(16), 4, bounded=True)
    frame_id: str = text(32)
    left_angle: f64 = alias("left.angle")

    def is_valid(self) -> bool:
        return self.width >= 0.0


state = GripperState(0.1, linear=1, closed=True, mode=Mode.GRIPPING, timestamp_ns=5, frame_id="tool")
width: float = state.width
count: int = state.steps
closed: bool = state.closed
angle: float = state.left.angle + state.left_angle
shape: tuple[int, ...] = state.pressures.shape
state.pressures = np.zeros(3, np.float32)
state.names = ["a", "b"]
state.width = 2
again: GripperState = GripperState.from_dict(state.to_dict())
plain: dict[str, Any] = again.to_dict()
twin: GripperState = again.copy()
cmd: CmdVel = CmdVel(1.0, angular=0.5)
odometry = Odometry(x=1.0, theta=0.5)
motor = MotorCommand(1, MotorMode.TORQUE, target=2.0)
scan = LaserScan(np.zeros(360, np.float32), angle_increment=0.01)
nearest: float | None = scan.min_range()
Distance = Annotated[float, "an alias of a user's own"]
