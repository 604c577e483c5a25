"""Steering what runs while /dev/shm is full, and starting something then."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess, sys
import horus
from horus_core.control import room
from horus_core.shm import namespace
from horus_plugins.monitor import params, steering

ROBOT = '''
import horus
params = horus.RuntimeParams()
speed = params.declare("speed", default=1.0)
for number in range(20):
    params.declare(f"other{number}", default=number, doc="x" * 100)
arm = horus.Node("arm", tick=lambda: None, rate=20)
leg = horus.Node("leg", tick=lambda: None, rate=20, init=lambda: print("ready", flush=True))
horus.run(arm, leg, name="robot")
'''

def start():
    program = subprocess.Popen([sys.executable, "-c", ROBOT], stdout=-1, stderr=-1, text=True)
    assert program.stdout.readline() == "ready\\n"
    return program

def fill():
    with open("/dev/shm/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass

def do(command, *names):
    done = steering.steer(command, steering.choose(here, names), here, timeout_s=10)
    assert done.is_good, done
    return [node.state for node in done.nodes]

here = namespace.current()
kept = namespace.path(here) / room.FOLDER
robot = start()
fill()
assert do(steering.PAUSE, "arm", "leg") == ["paused", "paused"]
assert len(params.listed(here).params) == 21, "one by one"
(taken,) = params.change(here, "SetParam", "speed", value=0.5).taken
assert taken.value == 0.5
assert params.of_name(here, "speed").params[0].value == 0.5
assert do(steering.RESUME, "arm") == ["running"]
assert not list(kept.glob("horus.ctl.robot.*")), "both topics are there"
try:
    horus.run(horus.Node("new", tick=lambda: None), duration=0)
except horus.RegionError as error:
    print(error)
do(steering.STOP, "arm", "leg")
assert robot.wait(20) == 0
os.unlink("/dev/shm/filler")

robot = start()  # is asked before the disk is full, little, and much then
assert do(steering.PAUSE, "arm") == ["paused"]
fill()
assert params.change(here, "SetParam", "speed", value=0.7).taken[0].value == 0.7
do(steering.STOP, "arm", "leg")
assert robot.wait(20) == 0
os.unlink("/dev/shm/filler")

robot = start()
assert len(list(kept.glob("horus.ctl.robot.*"))) == 2
robot.kill()
robot.wait()
from horus_core.shm import cleaner
cleaner.clean([here])
assert not kept.exists() or not list(kept.iterdir()), "it goes with who kept it"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small /dev/shm takes root")
def test_nodes_and_parameters_are_steered_while_shared_memory_is_full():
    """Pause, resume, kill and set take no new memory; what starts then is told what it needs (LESSONS 12)."""
    command = 'mount -t tmpfs -o size=3m tmpfs /dev/shm && exec "$0" -W error -c "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "HORUS_NAMESPACE": "full"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (told,) = done.stdout.splitlines()
    assert told.startswith("Creating shared memory failed: expected ")
    for word in ("nodes/new.json", "got 0: no room", "horus clean", "--shm-size"):
        assert word in told
