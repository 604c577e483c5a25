"""Each small example runs as its reader runs it, and does what its first line says."""

import math
import re

import pytest

GUIDE = ("guide/camera.py", "guide/detector.py", "guide/controller.py")


# spec: A2, A3, A4, A5, A12
def test_talker_and_listener(start):
    """The README's pair hears each other under one `horus run`; Ctrl+C ends both with exit code 0."""
    example = start("talker.py", "listener.py")
    example.wait_for(": load ")
    example.interrupt()
    assert example.finish() == 0


# spec: A6, A10, A33
@pytest.mark.parametrize("first", ["talker.py", "listener.py"])
def test_two_terminals(start, first):
    """Started one by one with one HORUS_NAMESPACE, in either order, talker and listener find each other."""
    second = "listener.py" if first == "talker.py" else "talker.py"
    both = {script: start(script, alone=True) for script in (first, second)}
    both["listener.py"].wait_for(": load ")
    for example in both.values():
        example.interrupt()
        assert example.finish() == 0


# spec: A16, A21
def test_typed_pair(start):
    """The base follows the driver's CmdVel: it turns left about a point half a metre to its left."""
    example = start("cmd_vel/driver.py", "cmd_vel/base.py")
    example.wait_for("heading +9")
    example.interrupt()
    assert example.finish() == 0
    x, y, heading = map(float, re.findall(r"x (\S+) m  y (\S+) m  heading (\S+) deg", example.out)[-1])
    assert x == pytest.approx(0.5 * math.sin(math.radians(heading)), abs=0.03)
    assert y == pytest.approx(0.5 - 0.5 * math.cos(math.radians(heading)), abs=0.03)


def test_base_stops_without_commands(start):
    """When the driver is gone, the base stands still a fifth of a second later."""
    base = start("cmd_vel/base.py", alone=True)
    driver = start("cmd_vel/driver.py", alone=True)
    base.wait_for("heading +1")
    driver.interrupt()
    assert driver.finish() == 0
    base.wait_until(lambda lines: len(lines) > 5 and len(set(lines[-5:])) == 1)
    base.interrupt()
    assert base.finish() == 0


# spec: A57, A58, A59, A60
def test_guide_under_one_run(start, probe):
    """Noise has no bright block: the detector says 999.0, the controller drives at 0.5 m/s."""
    example = start(*GUIDE)
    assert probe("detections", count=10) == [{"count": 0, "closest_distance": 999.0}] * 10
    assert probe("cmd_vel", count=10) == [{"linear": 0.5, "angular": 0.0}] * 10
    example.interrupt()
    assert example.finish() == 0


# spec: A6, A60
def test_guide_in_three_terminals(start, probe):
    """Each script by itself, all with the same HORUS_NAMESPACE, is the same pipeline."""
    examples = [start(script, alone=True) for script in GUIDE]
    assert probe("cmd_vel", count=10) == [{"linear": 0.5, "angular": 0.0}] * 10
    for example in examples:
        example.interrupt()
        assert example.finish() == 0


# spec: A16, A59
@pytest.mark.parametrize(("distance", "speed"), [(0.99, 0.0), (1.0, 0.5), (999.0, 0.5)])
def test_guide_controller_stops_below_a_metre(start, probe, distance, speed):
    """What is closer than 1.0 m stops the robot, anything else does not."""
    example = start("guide/controller.py", alone=True)
    told = {"count": 1, "closest_distance": distance}
    assert probe("cmd_vel", count=3, tell=("detections", told)) == [{"linear": speed, "angular": 0.0}] * 3
    example.interrupt()
    assert example.finish() == 0
