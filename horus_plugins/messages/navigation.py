"""Goals, paths and maps."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import itertools
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import alias, array, bool_, f32, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.geometry import Pose2D, Twist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_WAYPOINTS = 4096
MAX_OBSTACLES = 256


class GoalStatus(enum.IntEnum):
    """What has become of a goal."""

    PENDING = 0
    ACTIVE = 1
    SUCCEEDED = 2
    ABORTED = 3
    CANCELLED = 4
    PREEMPTED = 5
    TIMED_OUT = 6


class NavGoal(Message, topic="nav_goal"):
    """Where a robot on the ground is to go."""

    target: Pose2D = field(default=Pose2D(), doc="Place and heading.")
    tolerance_position: f64 = field(default=0.1, unit="m", doc="How near is there.")
    tolerance_angle: f64 = field(default=0.1, unit="rad", doc="How near the heading must be.")
    timeout_seconds: f64 = field(default=30.0, unit="s", doc="When to give up; 0 is never.")
    priority: u8 = field(default=0, doc="0 is the highest.")
    goal_id: u32 = field(default=0, doc="Tells goals apart.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")
    position_tolerance: f64 = alias("tolerance_position")
    angle_tolerance: f64 = alias("tolerance_angle")
    timeout: f64 = alias("timeout_seconds")
    x: f64 = alias("target.x")
    y: f64 = alias("target.y")
    theta: f64 = alias("target.theta")

    def is_position_reached(self, pose: Pose2D) -> bool:
        """Whether the place is near enough."""
        return self.target.distance_to(pose) <= self.tolerance_position

    def is_reached(self, pose: Pose2D) -> bool:
        """Whether place and heading are near enough."""
        turn = math.remainder(self.target.theta - pose.theta, math.tau)
        return self.is_position_reached(pose) and abs(turn) <= self.tolerance_angle

    def is_valid(self) -> bool:
        """Whether the target is finite, and tolerances and timeout are not negative."""
        limits = (self.tolerance_position, self.tolerance_angle, self.timeout_seconds)
        return self.target.is_valid() and all(limit >= 0.0 for limit in limits)


class GoalResult(Message, topic="nav_result"):
    """How a robot gets on with a goal."""

    goal_id: u32 = field(default=0, doc="Which goal.")
    status: GoalStatus | int = field(default=GoalStatus.PENDING, storage=u8, doc="What has become of it.")
    distance_to_goal: f64 = field(default=0.0, unit="m", doc="Still to go.")
    eta_seconds: f64 = field(default=0.0, unit="s", doc="Still to take, as estimated.")
    progress: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    error_message: str = text(64, doc="Why it failed.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was so; 0 is unset.")

    def is_done(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status not in {GoalStatus.PENDING, GoalStatus.ACTIVE}

    def is_valid(self) -> bool:
        """Whether the status is known, the progress within 0 and 1, and the rest not negative."""
        left = (self.distance_to_goal, self.eta_seconds)
        return (
            checks.known(self.status, GoalStatus)
            and checks.fractions(self.progress)
            and checks.finite(*left)
            and min(left) >= 0.0
        )


class Waypoint(Message, topic="waypoint"):
    """A place on a path, and how to pass it."""

    pose: Pose2D = field(default=Pose2D(), doc="Place and heading.")
    twist: Twist = field(default=Twist(), doc="Velocity there.")
    time_from_start: f64 = field(default=0.0, unit="s", doc="Since the path began.")
    curvature: f32 = field(default=0.0, unit="1/m", doc="Of the path there, positive to the left.")
    stop_required: bool_ = field(default=False, doc="Whether to stop there.")
    x: f64 = alias("pose.x")
    y: f64 = alias("pose.y")
    theta: f64 = alias("pose.theta")

    def is_valid(self) -> bool:
        """Whether all values are finite and the time is not negative."""
        finite = self.pose.is_valid() and self.twist.is_valid()
        return finite and checks.finite(self.curvature, self.time_from_start) and self.time_from_start >= 0.0


class NavPath(Message, topic="nav_path"):
    """A path with velocities and times: up to 4096 waypoints, which travel at their used length."""

    waypoints: "Sequence[Waypoint]" = array(Waypoint, MAX_WAYPOINTS, bounded=True, doc="In order.")
    total_length: f64 = field(default=0.0, unit="m", doc="Of the whole path.")
    duration: f64 = field(default=0.0, unit="s", doc="From its beginning to its end.")
    frame_id: str = text(32, doc="The frame of the poses.")
    algorithm: str = text(32, doc="What planned it.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was planned; 0 is unset.")

    @classmethod
    def from_waypoints(cls, waypoints: "Iterable[Waypoint]", *, frame_id: str = "") -> "Self":
        """Make the path through the waypoints, with its length, and the last one's time as duration."""
        points = list(waypoints)
        length = sum(one.pose.distance_to(two.pose) for one, two in itertools.pairwise(points))
        duration = points[-1].time_from_start if points else 0.0
        return cls(points, length, duration, frame_id)

    @property
    def count(self) -> int:
        """How many waypoints there are."""
        return len(self.waypoints)

    def nearest(self, pose: Pose2D) -> int | None:
        """Return the index of the waypoint nearest to a place; None without waypoints."""
        places = self.waypoints
        return min(range(len(places)), key=lambda i: places[i].pose.distance_to(pose), default=None)

    def is_valid(self) -> bool:
        """Whether all waypoints are valid, and length and duration finite and not negative."""
        figures = (self.total_length, self.duration)
        whole = checks.finite(*figures) and min(figures) >= 0.0
        return whole and all(one.is_valid() for one in self.waypoints)


class PathPlan(Message, topic="path_plan"):
    """A path as plain numbers: up to 4096 poses (x, y, theta), which travel at their used length."""

    waypoints: "NDArray[np.float32]" = array(
        f32,
        3 * MAX_WAYPOINTS,
        bounded=True,
        unit="m, m, rad",
        doc="x, y, theta of each pose, one after another.",
    )
    goal_pose: "NDArray[np.float32]" = array(f32, 3, unit="m, m, rad", doc="x, y, theta of its end.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was planned; 0 is unset.")

    @classmethod
    def from_poses(cls, poses: "Iterable[Sequence[float]]") -> "Self":
        """Make the path through poses of (x, y, theta); the last one is the goal."""
        points = [(float(x), float(y), float(theta)) for x, y, theta in poses]
        flat = [value for point in points for value in point]
        return cls(flat, points[-1] if points else (0.0, 0.0, 0.0))  # type: ignore[arg-type]

    @property
    def count(self) -> int:
        """How many poses there are."""
        return len(self.waypoints) // 3

    def poses(self) -> "NDArray[np.float32]":
        """Return the poses as a view of shape (count, 3)."""
        return self.waypoints[: self.count * 3].reshape(-1, 3)

    def is_valid(self) -> bool:
        """Whether there are three values to each pose and all are finite."""
        return len(self.waypoints) % 3 == 0 and checks.all_finite(self, "waypoints", "goal_pose")


class VelocityObstacle(Message, topic="velocity_obstacle"):
    """Something that moves and must not be hit."""

    position: "NDArray[np.float64]" = array(f64, 2, unit="m", doc="x and y of its middle.")
    velocity: "NDArray[np.float64]" = array(f64, 2, unit="m/s", doc="Along x and y.")
    radius: f32 = field(default=0.0, unit="m", doc="Of the circle that it is in.")
    time_horizon: f32 = field(default=0.0, unit="s", doc="How far to look ahead.")
    id: u32 = field(default=0, doc="Which obstacle.")

    def is_valid(self) -> bool:
        """Whether all values are finite, and radius and time not negative."""
        sizes = (self.radius, self.time_horizon)
        return checks.all_finite(self, "position", "velocity") and checks.finite(*sizes) and min(sizes) >= 0.0


class VelocityObstacles(Message, topic="velocity_obstacles"):
    """All that moves: up to 256 obstacles, which travel at their used length."""

    obstacles: "Sequence[VelocityObstacle]" = array(
        VelocityObstacle, MAX_OBSTACLES, bounded=True, doc="In any order."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When they were seen; 0 is unset.")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.obstacles)

    def is_valid(self) -> bool:
        """Whether each is."""
        return all(one.is_valid() for one in self.obstacles)


TYPES: tuple[type[Message], ...] = (
    NavGoal, GoalResult, Waypoint, NavPath, PathPlan, VelocityObstacle, VelocityObstacles,
)  # fmt: skip
