"""A compiled node and a Python node in the same rings."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MOTOR = Path(__file__).parents[2] / "examples" / "motor"


# spec: A35, A36, A37, A38
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make and a C compiler")
def test_a_compiled_controller_drives_what_python_commands(horus_namespace):
    """`horus run` starts the executable beside the script; CmdVel goes one way, the wheels' speeds the other."""
    subprocess.run(["make", "-s", "-C", MOTOR], check=True)
    robot = subprocess.Popen(
        [sys.executable, "-m", "horus_cli", "run", MOTOR / "motor_controller", MOTOR / "teleop.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    turning = [robot.stdout.readline() for _ in range(3)]
    robot.send_signal(signal.SIGINT)
    out, err = robot.communicate(timeout=20)
    assert robot.returncode == 0, err
    assert all("wheels: left" in line for line in turning)
    assert "left 0.00" not in turning[-1]
    assert "motor_controller:" in out
    assert not list(Path("/dev/shm").glob(f"horus_{horus_namespace}*"))
