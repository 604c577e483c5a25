"""From a scan to a velocity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from horus import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    import horus

    Numbers = NDArray[np.floating[Any]]


class Steering:
    """Where to go next. Distances in metres, speeds in m/s and rad/s, angles in rad."""

    def __init__(
        self,
        max_speed: float,
        turn_speed: float,
        stop_distance: float,
        slow_distance: float,
        field_of_view: float,
    ) -> None:
        if min(max_speed, turn_speed, stop_distance, field_of_view) <= 0 or slow_distance <= stop_distance:
            raise ConfigError(
                f"Bad parameters of wander: expected all above 0, and slow_distance above stop_distance, got "
                f"max_speed={max_speed}, turn_speed={turn_speed}, stop_distance={stop_distance}, "
                f"slow_distance={slow_distance}, field_of_view={field_of_view}."
            )
        self._max_speed = max_speed
        self._turn_speed = turn_speed
        self._stop = stop_distance
        self._slow = slow_distance
        self._half_view = field_of_view / 2
        self._turning = 0.0
        """+1 while it turns left, -1 while right: a turn that has begun goes on in one direction."""

    def command(self, scan: horus.LaserScan) -> tuple[float, float]:
        """The forward and the turning velocity that the scan allows; (0, 0) when it saw nothing ahead at all."""
        angles, ranges = _measured(scan)
        ahead = ranges[np.abs(angles) <= self._half_view]
        if not ahead.size:
            return 0.0, 0.0
        room = float(ahead.min())
        if room > self._stop:
            self._turning = 0.0
            share = min(1.0, (room - self._stop) / (self._slow - self._stop))
            return self._max_speed * share, 0.0
        if not self._turning:
            left, right = (_room(ranges[side]) for side in (angles > 0, angles < 0))
            self._turning = 1.0 if left >= right else -1.0
        return 0.0, self._turn_speed * self._turning


def _measured(scan: horus.LaserScan) -> tuple[Numbers, Numbers]:
    """Angles (from -pi to pi) and ranges of a scan; what it did not hit within its reach counts as far away."""
    ranges = np.asarray(scan.ranges, dtype=np.float64)
    angles = scan.angle_min + scan.angle_increment * np.arange(ranges.size)
    angles = (angles + np.pi) % (2 * np.pi) - np.pi
    nothing_hit = ranges == np.inf
    good = nothing_hit | (np.isfinite(ranges) & (ranges > 0) & (ranges >= scan.range_min))
    return angles[good], ranges[good]


def _room(ranges: Numbers) -> float:
    """The mean distance on one side, of things up to 10 m; 0 where nothing was measured."""
    return float(np.minimum(ranges, 10.0).mean()) if ranges.size else 0.0
