"""What a user writes, for the type checkers: test_typing.py runs mypy and pyright on it, both strict."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import numpy as np

import horus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Mode(enum.IntEnum):
    IDLE = 0
    GRIPPING = 1


class Finger(horus.Message):
    angle: horus.f64 = 0.0
    force: horus.f32 = horus.field(default=0.0, unit="N", doc="At the tip.")


class GripperState(horus.Message, topic="gripper_state"):
    width: horus.f64 = 0.0
    linear: horus.f32 = horus.field(default=0.0, unit="m/s", doc="How fast it closes.")
    steps: horus.i16 = 0
    closed: horus.bool_ = False
    mode: Mode | int = horus.field(default=Mode.IDLE, storage=horus.u8)
    left: Finger = Finger()
    timestamp_ns: horus.u64 = horus.field(default=0, kw_only=True)
    pressures: NDArray[np.float32] = horus.array(horus.f32, 4096, bounded=True, unit="Pa")
    names: Sequence[str] = horus.array(horus.text(16), 4, bounded=True)
    frame_id: str = horus.text(32)

    def is_valid(self) -> bool:
        return self.width >= 0.0


state = GripperState(0.1, linear=1, closed=True, mode=Mode.GRIPPING, timestamp_ns=5, frame_id="tool")
width: float = state.width
count: int = state.steps
closed: bool = state.closed
angle: float = state.left.angle
shape: tuple[int, ...] = state.pressures.shape
state.pressures = np.zeros(3, np.float32)
state.names = ["a", "b"]
state.width = 2
again: GripperState = GripperState.from_dict(state.to_dict())
plain: dict[str, Any] = again.to_dict()
twin: GripperState = again.copy()
cmd: horus.CmdVel = horus.CmdVel(1.0, angular=0.5)
odometry = horus.Odometry(x=1.0, theta=0.5)
motor = horus.MotorCommand(1, horus.MotorMode.TORQUE, target=2.0)
scan = horus.LaserScan(np.zeros(360, np.float32), angle_increment=0.01)
nearest: float | None = scan.min_range()
goal = horus.NavGoal(x=1.0, y=2.0, position_tolerance=0.2, timeout=20.0)
there: bool = goal.is_reached(horus.Pose2D(1.0, 2.0))
grid = horus.OccupancyGrid.from_numpy(np.zeros((4, 6), np.int8), resolution=0.1)
cell: tuple[int, int] | None = grid.world_to_grid(0.2, 0.1)
overlap: float = horus.BoundingBox2D(0, 0, 2, 2).iou(horus.BoundingBox2D(1, 0, 2, 2))
camera = horus.CameraInfo(640, 480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
beep = horus.AudioFrame.mono([0.0, 0.5], sample_rate=48000)
path = horus.NavPath.from_waypoints([horus.Waypoint(x=1.0), horus.Waypoint(x=2.0)])
first: horus.Waypoint = path.waypoints[0]

params = horus.RuntimeParams()
speed: float = params.get("max_speed", default=1.0)
limit: horus.RuntimeParam[float] = params.declare(
    "limit", default=1.0, min=0, validator=lambda value: value < 9.0
)
limit.set(limit.value + 1)
mode = params.declare("mode", default=horus.MotorMode.TORQUE, on_change=lambda value: print(value.name))
port: int = params.declare("port", default=8080).value
names: list[str] = list(params)


def exchange() -> None:
    with horus.Topic(GripperState, capacity=8) as topic:
        sent: bool = topic.send(state)
        found = topic.recv_info()
        if sent and found:
            print(found[1].publish_ns)


async def follow() -> None:
    async for message in horus.Topic("status"):
        print(message)
