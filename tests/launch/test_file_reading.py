"""YAML as people write it: each trap is told with its line and column, and nothing is guessed."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest
from launch_files import planned, problems, write

from horus_core.errors import InvalidNameError, LaunchError
from horus_plugins.launch.file.launch_file import Choice, plan

PARAMS = "nodes:\n  - name: a\n    command: ./motor\n    params:\n      x: {}\n"


# spec: C26, C28, F21
@pytest.mark.parametrize(
    ("written", "value", "mirror"),
    [
        ("1", 1, "1"),
        ("1.0", 1.0, "1.0"),
        ("1e-3", 0.001, "0.001"),
        ("123E5", 12300000.0, "12300000.0"),
        ('"123E5"', "123E5", "123E5"),
        ("!!str 5", "5", "5"),
        ("!!float 3", 3.0, "3.0"),
        ("&here !!str 5", "5", "5"),
        ("0x1F", 31, "31"),
        ("0o17", 15, "15"),
        ("true", True, "true"),
        ('"on"', "on", "on"),
        ("12:30:45", "12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01", "2024-01-01"),
        ("00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7"),
        ("yolov8n", "yolov8n", "yolov8n"),
        ("[1, 2.0, {a: b}]", [1, 2.0, {"a": "b"}], '[1, 2.0, {"a": "b"}]'),
    ],
)
def test_a_parameter_keeps_its_type(tmp_path, written, value, mirror):
    """What stands in the file arrives as that type, and its mirror in the environment says the same."""
    node = planned(tmp_path, PARAMS.format(written)).node("a")
    assert (node.params["x"], type(node.params["x"])) == (value, type(value))
    assert node.environment["HORUS_PARAM_X"] == mirror


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("on", "Write true"),
        ("No", "Write false"),
        ("y", "Write true"),
        ("0123", "plain number"),
        ("00042", '"00042" in quotes'),
        ("1_000", "plain number"),
        ("0b101", "plain number"),
        (".inf", "finite"),
        ("-.INF", "finite"),
        (".nan", "finite"),
        ("1e999", "double"),
        ("99999999999999999999", "64 bits"),
        ("", "expected a value for 'x', got nothing"),
        ("~", "got nothing"),
        ("[1, null]", "got nothing"),
        ("!thing 3", "the tag !thing"),
        ("!!int three", "!!int"),
        ("!!int true", "!!int"),
        ('"\\0"', "NUL"),
    ],
)
def test_what_readers_of_yaml_disagree_on_is_refused(tmp_path, written, said):
    """Words that are booleans to some and text to others, octal numbers, infinities: one problem, with its place."""
    found = problems(tmp_path, PARAMS.format(written))
    assert len(found) == 1, found
    assert next(iter(found)).startswith("robot.yaml:5:")
    assert said in next(iter(found.values()))


# spec: F19
@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "robot.yaml", "empty file"),
        ("# only a comment\n", "robot.yaml", "empty file"),
        ("- a\n- b\n", "robot.yaml:1:1", "got a list"),
        ("hello", "robot.yaml:1:1", "got one value"),
        (b"\x7fELF\0\0", "robot.yaml", "binary"),
        (b"nodes: \xff", "robot.yaml", "UTF-8"),
        (b"#" * (1 << 20) + b"#", "robot.yaml", "at most 1 MiB"),
        ("nodes:\n\t- name: a\n", "robot.yaml:2:1", "got a tab"),
        ("nodes: [a\n", "robot.yaml:2:1", "expected YAML"),
        ("nodes: []\n---\nnodes: []\n", "robot.yaml:2:1", "one document"),
        ("nodes: *nobody\n", "robot.yaml:1:8", "undefined alias"),
        ("x-a: &a [*a]\n", "robot.yaml:1:6", "alias contain itself"),
        ("[" * 5000, "robot.yaml", "nested too deeply"),
        ("? [a]\n: 1\nnodes: []\n", "robot.yaml:1:3", "a list or a mapping"),
        ("session: a\nnodes: []\nsession: b\n", "robot.yaml:3:1", "line 1, too"),
        ("nodes: []\n", "robot.yaml:1:8", "a list of nodes"),
        ("session: a\n", "robot.yaml:1:1", "got neither"),
        ("nodes: {a: {command: x}}\n", "robot.yaml:1:8", "expected a list"),
    ],
)
def test_a_file_that_is_none_is_told_where(tmp_path, text, place, said):
    """Empty, binary, huge, of another encoding, nested or cut off: no traceback, but the place and what to do."""
    found = problems(tmp_path, text)
    assert place in found, found
    assert said in found[place]


def test_a_bomb_of_aliases_is_refused(tmp_path):
    """A few lines that stand for ten million values cost neither memory nor time."""
    lines = ["x-0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    found = problems(tmp_path, "\n".join([*lines, "nodes: []"]))
    assert "100000 values" in next(iter(found.values()))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_told(tmp_path, kind):
    """A name that is none, a folder, a named pipe: nobody waits for it."""
    path = tmp_path / "robot.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    from horus_plugins.launch.file.launch_file import load

    with pytest.raises(LaunchError, match="expected a launch file"):
        load(path)


def test_anchors_and_merge_keys_work(tmp_path):
    """`<<` gives keys that a node does not have itself; what starts with x- is the user's own."""
    text = """
x-defaults: &defaults
  command: ./motor
  rate_hz: 30
  restart: always
x-more: &more {priority: 3, rate_hz: 99}
nodes:
  - {name: a, <<: *defaults, rate_hz: 5}
  - {name: b, <<: [*defaults, *more]}
"""
    plan = planned(tmp_path, text)
    assert [plan.node(name).rate_hz for name in "ab"] == [5.0, 30.0]
    assert [plan.node(name).priority for name in "ab"] == [0, 3]
    assert plan.node("a").restart.policy == "always"
    said = problems(tmp_path, "nodes:\n  - {name: a, command: ./motor, <<: 5}\n")
    assert "to merge" in said["robot.yaml:2:37"]


def test_no_bytes_are_a_traceback(tmp_path, monkeypatch):
    """A few hundred damaged files: each can be planned or has its problems told, nothing else ever comes out."""
    write(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    chance = random.Random(5)
    for _ in range(300):
        damaged = bytearray(WHOLE)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(damaged) + 1)
            if chance.random() < 0.6:
                damaged[at:at] = chance.choice(PIECES)
            else:
                del damaged[at : at + chance.randint(1, 12)]
        path = tmp_path / "robot.yaml"
        path.write_bytes(damaged)
        with suppress(LaunchError, InvalidNameError):
            plan(path, Choice("launch-test"))


WHOLE = b"""\
x-a: &a {restart: {policy: always, max: 3}}
session: s
params: {p: 1}
include: {file: robot.yaml, prefix: x}
nodes:
  - {name: a, <<: *a, command: "./motor ${param:p} ${HOME}", depends_on: {b: started}}
  - foreach: {r: [r1, {name: r2, port: 5}]}
    nodes: [{name: b, cmd: horus run node.py, env: {A: "${r}"}, args: [1.0, true]}]
"""
PIECES = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"\n",
        b"\t",
        b"*a",
        b"&a ",
        b"<<: ",
        b"${",
        b"$",
        b"null",
        b"on",
        b"'",
        b'"',
    ),
    *(
        b"!!int ",
        b"1e400",
        b"foreach: ",
        b"nodes: ",
        b"include: ",
        b"prefix: ",
        b"\xff",
        b"name: ",
        b"command: ",
        b"? ",
    ),
]
