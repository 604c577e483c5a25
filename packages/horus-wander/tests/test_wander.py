"""The node wander: what it does with scans, without scans, and with bad parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from horus_wander import Steering, wander

import horus
from horus.testing import make_nodes, run_ticks

DEFAULTS = {
    "max_speed": 0.3,
    "turn_speed": 0.8,
    "stop_distance": 0.5,
    "slow_distance": 1.5,
    "field_of_view": 1.2,
}


def scan(ahead, left=5.0, right=5.0):
    """181 ranges from right to left: the middle third is ahead."""
    ranges = np.concatenate([np.full(60, right), np.full(61, ahead), np.full(60, left)]).astype(np.float32)
    return horus.LaserScan(
        ranges=ranges, angle_min=-math.pi / 2, angle_max=math.pi / 2, angle_increment=math.pi / 180
    )


@pytest.mark.parametrize(
    ("ahead", "linear"), [(9.0, 0.3), (math.inf, 0.3), (1.5, 0.3), (1.0, 0.15), (0.75, 0.075)]
)
def test_it_drives_where_there_is_room(ahead, linear):
    """At full speed, slower between the two distances."""
    assert Steering(**DEFAULTS).command(scan(ahead)) == pytest.approx((linear, 0.0))


def test_it_turns_to_the_freer_side_and_keeps_turning():
    """In place, to the side with more room; the direction stays until the way is free."""
    steering = Steering(**DEFAULTS)
    assert steering.command(scan(0.3, left=1.0, right=4.0)) == (0.0, -0.8)
    assert steering.command(scan(0.4, left=4.0, right=1.0)) == (0.0, -0.8)
    assert steering.command(scan(2.0)) == (0.3, 0.0)
    assert steering.command(scan(0.4, left=4.0, right=1.0)) == (0.0, 0.8)


@pytest.mark.parametrize("ranges", [[], [0.0] * 181, [math.nan] * 181])
def test_a_scan_that_saw_nothing_is_no_free_way(ranges):
    """Invalid ranges are not room."""
    blind = horus.LaserScan(ranges=np.array(ranges, np.float32), angle_min=-1.5, angle_increment=0.0166)
    assert Steering(**DEFAULTS).command(blind) == (0.0, 0.0)


def test_the_node(horus_namespace):
    """Its topics, its commands from scans, and that it stands still without fresh ones and at its end."""
    (node,) = make_nodes(wander, max_speed=1)
    assert (node.name, node.publishers(), node.subscribers()) == ("wander", ["cmd_vel"], ["scan"])
    with horus.Topic("scan", horus.LaserScan) as scans, horus.Topic(horus.CmdVel) as commands:
        with horus.Scheduler(deterministic=True) as scheduler:
            scheduler.add(node)
            run_ticks(scheduler, 1)
            assert commands.recv().linear == 0.0
            scans.send(scan(9.0))
            run_ticks(scheduler, 1)
            assert commands.recv().linear == 1.0
            scheduler.tick_for(1.0)
            assert commands.recv_all()[-1].linear == 0.0
            scans.send(scan(9.0))
            run_ticks(scheduler, 1)
            assert commands.recv().linear == 1.0
        assert commands.recv().linear == 0.0


def test_bad_parameters_are_refused():
    """Before anything runs."""
    with pytest.raises(horus.ConfigError, match="slow_distance above stop_distance"):
        make_nodes(wander, stop_distance=2.0)
    with pytest.raises(horus.ParamError, match="expected float"):
        make_nodes(wander, max_speed="fast")
