"""Every file in examples/launch runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from horus.testing import launched
from horus_core.shm import namespace

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "launch"
TOPICS = {
    "minimal": ["computer.load"],
    "pipeline": ["camera.rgb", "detections", "cmd_vel"],
    "fleet": ["r1/pose", "r2/pose", "r3/pose", "r1/cmd_vel", "r2/cmd_vel", "r3/cmd_vel"],
    "mixed": ["cmd_vel", "wheel_speeds"],
}


# spec: A14 A60 C2 C3 C17 C33 F19
@pytest.mark.parametrize("name", sorted(TOPICS))
def test_an_example_runs_and_stops(name):
    """All nodes become ready, something comes on every topic, and a stop leaves nothing."""
    if name == "mixed":
        if shutil.which("make") is None:
            pytest.skip("needs make and a C compiler")
        subprocess.run(["make", "-s", "-C", ROOT / "examples" / "motor"], check=True)
    with launched(EXAMPLES / f"{name}.yaml", topics=TOPICS[name]) as session:
        where = os.environ[namespace.VARIABLE]
        assert {node.status for node in session.look().nodes} == {"running"}
        assert all(node.schedulers for node in session.look().nodes if node.name != "motor")
    assert session.exit_code == 0, session.said
    assert repr(session).endswith(f"(pid {session.pid}) ended with exit code 0>")
    assert not namespace.path(where).exists()


def test_no_example_is_left_out():
    """A file that is added there is added above; robot.yaml is what the fleet has three of."""
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {*TOPICS, "robot"}
