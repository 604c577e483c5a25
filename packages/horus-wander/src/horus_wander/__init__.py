"""A HORUS node that drives a robot about, by its laser scanner, without running into things."""

from __future__ import annotations

import horus
from horus_wander.steering import Steering

__version__ = "0.1.0"
__all__ = ["Steering", "wander"]


def wander(
    *,
    max_speed: float = horus.param(default=0.3, unit="m/s", doc="The speed where there is room."),
    turn_speed: float = horus.param(default=0.8, unit="rad/s", doc="How fast it turns in place."),
    stop_distance: float = horus.param(default=0.5, unit="m", doc="Nearer things ahead make it turn."),
    slow_distance: float = horus.param(default=1.5, unit="m", doc="Nearer things ahead make it slower."),
    field_of_view: float = horus.param(
        default=1.2, unit="rad", doc="What counts as ahead, half to each side."
    ),
    scan_timeout: float = horus.param(default=0.5, unit="s", doc="Older scans count as none."),
) -> horus.Node:
    """Drives on where there is room, turns to the freer side where there is not."""
    steering = Steering(max_speed, turn_speed, stop_distance, slow_distance, field_of_view)

    def tick(node: horus.Node) -> None:
        scan = None if node.is_stale("scan", scan_timeout) else node.latest("scan")
        linear, angular = (0.0, 0.0) if scan is None else steering.command(scan)
        node.send("cmd_vel", horus.CmdVel(linear=linear, angular=angular))

    def stand_still(node: horus.Node) -> None:
        node.send("cmd_vel", horus.CmdVel.zero())

    return horus.Node(
        "wander",
        tick=tick,
        shutdown=stand_still,
        enter_safe_state=stand_still,
        pubs={"cmd_vel": horus.CmdVel},
        subs={"scan": horus.LaserScan},
        rate=20,
    )
