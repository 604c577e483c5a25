"""Files inside of files, nodes in groups, and loops over robots."""

from __future__ import annotations

import pytest
from launch_files import nodes, planned, problems, write

MANY = "{" + ", ".join(f"v{n}: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" for n in range(6)) + "}"
ROBOT = """\
params: {port: /dev/one, gain: 1}
env: {SIDE: none}
nodes:
  - {name: driver, command: ./motor, params: {name: "${robot:-alone}"}}
  - {name: arm, command: ./motor, namespace: /arm, depends_on: [driver]}
"""


# spec: C24, F19
def test_a_loop_makes_a_fleet(tmp_path):
    """Each copy has a name and a prefix of its own, and waits for those of its own copy first."""
    text = """\
nodes:
  - {name: map, command: ./motor}
  - foreach: {robot: [r1, r2, 3]}
    params: {who: "${robot}"}
    nodes:
      - {name: driver, command: ./motor, depends_on: [map]}
      - {name: arm, command: "./motor ${robot}", namespace: arm, depends_on: [driver]}
  - {name: watch, command: ./motor, depends_on: [r1.arm, r2.arm]}
"""
    plan = planned(tmp_path, text)
    names = ["map", "r1.driver", "r1.arm", "r2.driver", "r2.arm", "3.driver", "3.arm", "watch"]
    assert sorted(one.name for one in plan.nodes) == sorted(names)
    assert [one.node for one in plan.node("r2.arm").depends_on] == ["r2.driver"]
    assert plan.node("r1.driver").environment["HORUS_NODE_NAMESPACE"] == "r1"
    assert plan.node("r2.arm").environment["HORUS_NODE_NAMESPACE"] == "r2/arm"
    assert plan.node("r2.arm").environment["HORUS_NODE_NAME"] == "r2.arm"
    assert plan.node("3.arm").params == {"who": 3}
    assert "HORUS_NODE_NAMESPACE" not in plan.node("map").environment
    assert plan.places["r1.arm"] == plan.places["r2.arm"] == f"{tmp_path}/robot.yaml:7"


def test_loops_combine_nest_and_bind_mappings(tmp_path):
    """All combinations of two names; groups in groups; values with parts; a prefix that is given, or none."""
    text = """\
nodes:
  - foreach: {robot: [a, b], side: [left, right]}
    nodes: [{name: wheel, command: ./motor}]
  - foreach: {cell: [{name: c1, port: 7001}, {name: c2, port: 7002}]}
    prefix: "hall/${cell}"
    nodes:
      - prefix: gripper
        nodes: [{name: io, command: ./motor, params: {port: "${cell.port}"}}]
  - foreach: {n: [1, 2]}
    prefix: ""
    nodes: [{name: "log${n}", command: ./motor}]
"""
    plan = planned(tmp_path, text)
    assert {one.name: one.prefix for one in plan.nodes} == {
        **{f"{r}.{s}.wheel": f"{r}/{s}" for r in "ab" for s in ("left", "right")},
        "hall.c1.gripper.io": "hall/c1/gripper",
        "hall.c2.gripper.io": "hall/c2/gripper",
        "log1": "",
        "log2": "",
    }
    assert plan.node("hall.c2.gripper.io").params == {"port": 7002}


def test_files_are_included_with_prefix_and_parameters(tmp_path):
    """Names, topics and relative paths; who includes a file goes before what the file says for all of its nodes."""
    folder = tmp_path / "parts"
    folder.mkdir()
    write(folder, ROBOT, "robot.yaml")
    text = """\
params: {gain: 5, top: 1}
include:
  - parts/robot.yaml
  - file: parts/robot.yaml
    prefix: left
    params: {port: /dev/two}
    env: {SIDE: left}
nodes:
  - foreach: {robot: [r1]}
    include: parts/robot.yaml
"""
    plan = planned(tmp_path, text)
    assert sorted(one.name for one in plan.nodes) == sorted(
        [*(f"{prefix}{name}" for prefix in ("", "left.", "r1.") for name in ("driver", "arm"))]
    )
    left = plan.node("left.driver")
    assert left.params == {"gain": 1, "top": 1, "port": "/dev/two", "name": "alone"}
    assert (left.environment["SIDE"], left.cwd) == ("left", str(folder))
    assert plan.node("r1.driver").params["name"] == "r1"
    assert plan.node("left.arm").prefix == "left/arm"
    assert plan.places["left.arm"] == f"{tmp_path}/parts/robot.yaml:5"


# spec: F19
def test_problems_of_included_files_name_those(tmp_path):
    """Circles, missing files and mistakes, each in the file where it stands."""
    write(tmp_path, "include: b.yaml\n", "a.yaml")
    write(tmp_path, "include: [robot.yaml, nowhere.yaml]\nnodes: [{name: x, comand: y}]\n", "b.yaml")
    found = problems(tmp_path, "include: a.yaml\n")
    assert "robot.yaml -> a.yaml -> b.yaml -> robot.yaml" in found["b.yaml:1:11"]
    assert "nowhere.yaml" in found["b.yaml:1:23"]
    assert "Did you mean 'command'?" in found["b.yaml:2:19"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: [{foreach: {r: []}, nodes: []}]", "a list of values for 'r'"),
        ("nodes: [{foreach: {}, nodes: []}]", "names, and a list"),
        ("nodes: [{foreach: {r: [a, a]}, nodes: []}]", "'a' again"),
        ("nodes: [{foreach: {r: [a b]}, nodes: []}]", "A-Z a-z"),
        ("nodes: [{foreach: {r: [{port: 1}]}, nodes: []}]", "such a `name`"),
        ("nodes: [{foreach: {'1r': [a]}, nodes: []}]", "letters, digits and _"),
        ("nodes: [{foreach: {r: [a]}}]", "`nodes` or `include`"),
        ("nodes: [{foreach: {r: [a]}, node: []}]", "Did you mean 'nodes'?"),
        ("nodes: [{prefix: a b, nodes: []}]", "slashes between"),
        ("include: [{prefix: a}]", "to have a 'file'"),
        ("include: 5", "a launch file, got 5"),
        (
            nodes(
                "{foreach: {r: [a]}, prefix: '', nodes: [{name: x, command: ./motor}]}",
                "{name: x, command: ./motor}",
            ),
            "each name once",
        ),
        (
            f"nodes: [{{foreach: {MANY}, nodes: [{{name: x, command: ./motor}}]}}]",
            "at most 5000 nodes",
        ),
    ],
)
def test_bad_groups_are_told(tmp_path, text, said):
    """What is wrong with loops and includes."""
    found = problems(tmp_path, text)
    assert any(said in one for one in found.values()), found


# spec: C21
def test_only_takes_dependencies_along_and_except_does_not(tmp_path):
    """--only starts what a node needs, too; --except leaves nodes out, and nobody waits for them."""
    text = nodes(
        "{name: camera, command: ./motor}",
        "{name: detector, command: ./motor, depends_on: [camera]}",
        "{name: control, command: ./motor, depends_on: [detector]}",
        "{name: log, command: ./motor}",
    )

    def names(**choice):
        return [one.name for one in planned(tmp_path, text, **choice).nodes]

    assert names(only=("detector",)) == ["camera", "detector"]
    assert names(only=("det*,log",)) == ["camera", "detector", "log"]
    plan = planned(tmp_path, text, exclude=("camera",))
    assert [one.name for one in plan.nodes] == ["detector", "control", "log"]
    assert plan.node("detector").depends_on == ()
    assert plan.warnings == ("detector does not wait for camera, which is left out.",)
    assert names(only=("control",), exclude=("camera",)) == ["detector", "control"]
    assert "Did you mean 'camera'?" in problems(tmp_path, text, only=("camra",))["--only"]
    assert "at least one" in problems(tmp_path, text, only=("log",), exclude=("log",))["--only and --except"]
