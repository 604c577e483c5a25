"""The examples of launch files are right, and so is what `horus.launch` offers to Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import horus.launch
from horus_core.errors import LaunchError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "launch"
NODES = {
    "minimal": ["talker", "listener"],
    "pipeline": ["camera", "detector", "controller"],
    "robot": ["driver", "planner"],
    "fleet": [*(f"r{n}.{name}" for n in (1, 2, 3) for name in ("driver", "planner")), "dispatcher"],
    "mixed": ["motor", "teleop"],
}


# spec: A14, A57, A58, A59, A60, C2, C33
@pytest.mark.parametrize("name", sorted(NODES))
def test_an_example_can_be_planned(name, monkeypatch):
    """Every file and program that it names is there; each node runs a Python file or the compiled controller."""
    if name == "mixed":
        if shutil.which("make") is None:
            pytest.skip("needs make and a C compiler")
        subprocess.run(["make", "-s", "-C", ROOT / "examples" / "motor"], check=True)
    monkeypatch.delenv("HORUS_NAMESPACE", raising=False)
    plan = horus.launch.load(EXAMPLES / f"{name}.yaml").plan(namespace="examples")
    assert sorted(one.name for one in plan.nodes) == sorted(NODES[name])
    assert {Path(one.command[0]).name for one in plan.nodes} <= {
        Path(sys.executable).name,
        "motor_controller",
    }
    assert {one.environment["HORUS_NAMESPACE"] for one in plan.nodes} == {"examples"}


def test_no_example_is_left_out():
    """A file that is added here is added above."""
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == set(NODES)


# spec: C3
def test_the_robots_of_the_fleet_have_topics_of_their_own():
    """Each driver and planner of a robot has its prefix, and waits for its own driver; the dispatcher sees all."""
    plan = horus.launch.load(EXAMPLES / "fleet.yaml").plan(namespace="examples")
    assert {one.name: one.prefix for one in plan.nodes if one.name != "dispatcher"} == {
        f"r{n}.{name}": f"r{n}" for n in (1, 2, 3) for name in ("driver", "planner")
    }
    assert [one.node for one in plan.node("r2.planner").depends_on] == ["r2.driver"]
    assert plan.node("r3.driver").params == {"radius": 1.0, "label": "r3"}
    assert plan.nodes[-1].name == "dispatcher"


def test_the_files_of_the_guide_can_be_read(tmp_path):
    """Each launch file that docs/launch.md shows has the form that the loader wants."""
    page = (ROOT / "docs" / "launch.md").read_text()
    shown = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for name in ("base.yaml", "arm.yaml"):
        _write(tmp_path / name, f"nodes: [{{name: {name[:-5]}, command: x}}]\n")
    files = [text for text in shown if not text.startswith("# yaml-language-server")]
    names = [
        [one.name for one in horus.launch.load(_write(tmp_path / "x.yaml", text)).nodes] for text in files
    ]
    assert names == [
        ["camera", "detector", "wander"],
        [*(f"r{n}.{name}" for n in (1, 2, 3) for name in ("driver", "planner")), "dispatcher"],
        ["base", "left.arm"],
    ]


# spec: F30
def test_python_gets_files_plans_and_errors(tmp_path):
    """load() checks the file, plan() what it needs of the machine; both raise LaunchError, which is a ValueError."""
    path = tmp_path / "robot.yaml"
    path.write_text('session: s\nnodes:\n  - {name: a, command: ./nothing, priority: "${P:-2}"}\n')
    file = horus.launch.load(path, environ={"P": "7"})
    assert (file.session, file.namespace, file.nodes[0].priority) == ("s", None, 7)
    assert horus.launch.load(path, environ={}).nodes[0].priority == 2
    with pytest.raises(LaunchError, match=r"robot.yaml:3:24: command of node 'a'"):
        file.plan(namespace="x")
    with pytest.raises(ValueError, match="unknown key 'nods'"):
        horus.launch.load(_write(path, "nods: []\n"))


def _write(path, text):
    path.write_text(text)
    return path
