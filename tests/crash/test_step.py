"""A publisher is killed, or stopped, after each machine instruction of one send: the others go on.

And a sleeper is sent a message after each instruction of its falling asleep: it wakes.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def step() -> Path:
    """The program that single-steps; the claims are checked in it (horus_core/native/tests/step.c)."""
    subprocess.run(["make", "-s", "build/c/step"], cwd=ROOT, check=True)
    return ROOT / "build/c/step"


@pytest.mark.parametrize(
    ("fault", "scene", "every"),
    [
        ("kill", "plain", 1),
        ("kill", "sleeper", 1),
        ("kill", "held", 4),
        ("stop", "plain", 1),
        ("stop", "sleeper", 4),
        ("stop", "held", 4),
        ("wake", "plain", 1),
    ],
)
def test_peers_go_on_after_each_instruction(step: Path, fault: str, scene: str, every: int) -> None:
    """Other publishers' sends return, subscribers get what was sent, nothing is torn or out of order, and the
    accounts close; a publisher that was stopped sends what was revoked again.
    """
    environ = {**os.environ, "LD_BIND_NOW": "1"}
    done = subprocess.run(
        [step, fault, scene, str(every)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "within one" in done.stdout
