"""Typed messages through topics: what arrives is the receiver's own."""

import numpy as np
import pytest

import horus


class Reading(horus.Message):
    sensor: horus.u8 = 0
    value: horus.f32 = 0.0


class Pair(horus.Message):
    n: horus.u32 = 0
    left: Reading = Reading(1, 2.0)
    right: Reading = Reading(3, 4.0)


@pytest.mark.usefixtures("horus_namespace")
class TestTopics:
    # spec: A21
    def test_a_cmd_vel_arrives_as_one(self) -> None:
        """The receiver gets a CmdVel object with the values sent."""
        with horus.Topic(horus.CmdVel) as topic:
            assert topic.send(horus.CmdVel(linear=1.0, angular=0.5))
            command = topic.recv()
            assert type(command) is horus.CmdVel
            assert command == horus.CmdVel(linear=1.0, angular=0.5)

    def test_a_received_message_is_a_private_copy(self) -> None:
        """Writing to it changes neither the sent one nor what another subscriber sees."""
        with horus.Topic("pair", Pair) as topic, horus.Topic("pair", Pair) as other:
            sent = Pair(7)
            topic.send(sent)
            got = topic.recv()
            got.left.value = 99.0
            assert sent.left.value == 2.0
            assert other.recv() == Pair(7)

    def test_a_part_of_a_message_can_be_sent(self) -> None:
        """Also one that does not lie at a multiple of 8 bytes."""
        with horus.Topic("reading", Reading) as topic:
            pair = Pair()
            for part in (pair.left, pair.right):
                assert topic.send(part)
            assert topic.recv_all() == [Reading(1, 2.0), Reading(3, 4.0)]

    def test_bounded_arrays_travel_at_their_used_length(self) -> None:
        """A scan of 360 ranges and one of 4096, with all that follows the arrays."""
        with horus.Topic(horus.LaserScan) as topic:
            for count in (0, 1, 360, 4096):
                scan = horus.LaserScan(np.arange(count), np.ones(count), angle_min=-1.0, timestamp_ns=count)
                assert topic.send(scan)
                assert topic.recv() == scan
            joints = horus.JointState(["a", "ellbow"], [1.0, 2.0])
            with horus.Topic(horus.JointState) as states:
                states.send(joints)
                assert states.recv() == joints

    def test_views_of_received_arrays_stay(self) -> None:
        """The array of a received message is its own memory, whatever the ring does afterwards."""
        with horus.Topic(horus.LaserScan) as topic:
            topic.send(horus.LaserScan([1.0, 2.0]))
            ranges = topic.recv().ranges
            for i in range(100):
                topic.send(horus.LaserScan([float(i)] * 4096))
                topic.recv()
            assert ranges.tolist() == [1.0, 2.0]
