"""`horus launch FILE --check | --list | --dry-run | --schema`: nothing is started, and scripts can read all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from horus_cli import shapes
from horus_cli.launch import launch
from jsonschema import Draft202012Validator
from launch_files import nodes, write

from horus_core.errors import LaunchError

TEXT = "session: s\nnamespace: launch-test\n" + nodes(
    "{name: b, command: ./motor --fast, depends_on: {a: started}, start_delay: 0.5, restart: always}",
    "{name: a, command: python3 node.py, params: {x: 1}, on_exit: shutdown}",
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the command in the folder of a file; its exit code and output. JSON is held against its schema."""

    def call(*words, text=TEXT):
        write(tmp_path, text)
        monkeypatch.chdir(tmp_path)
        got = CliRunner().invoke(launch, words, standalone_mode=False)
        if got.exception is not None:
            raise got.exception
        if "--json" in words:
            verb = next(word for word in words if word in ("--check", "--list", "--dry-run"))
            validator = Draft202012Validator(json.loads(shapes.file(f"launch {verb}").read_text()))
            validator.validate(json.loads(got.stdout))
        return got.return_value, got.stdout, got.stderr

    return call


# spec: C21, C34, F20
def test_list_shows_nodes_and_dependencies_in_either_order_of_words(run, tmp_path):
    """`horus launch --list FILE` is `horus launch FILE --list`."""
    code, out, _ = run("robot.yaml", "--list")
    assert (code, out) == run("--list", "robot.yaml")[:2]
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["NAME", "KIND", "DEPENDS", "ON", "RESTART", "WHERE"],
        ["a", "python", "-", "never", "robot.yaml:5"],
        ["b", "executable", "a", "(started)", "always", "robot.yaml:4"],
    ]
    listing = json.loads(run("robot.yaml", "--list", "--json")[1])
    assert [(one["name"], one["depends_on"]) for one in listing["nodes"]] == [
        ("a", []),
        ("b", [{"node": "a", "condition": "started"}]),
    ]
    assert (listing["session"], listing["namespace"]) == ("s", "launch-test")
    assert listing["file"] == str(tmp_path / "robot.yaml")


# spec: C34
def test_dry_run_shows_the_whole_plan(run, tmp_path):
    """Order, commands, environment and waits; the namespace of the option; what was set."""
    out = run("robot.yaml", "--dry-run", "--namespace", "r1", "--set", "a.x=2")[1]
    assert out.index("1. a (python)") < out.index("2. b (executable)")
    for shown in (
        f"command   {sys.executable} node.py",
        f"command   {tmp_path}/motor --fast",
        "env       HORUS_PARAM_X=2",
        "env       HORUS_NAMESPACE=r1",
        "waits for a (started)",
        "then      0.5 s",
        "restart   always, 10 times at most, after 0.1 s, doubled up to 10 s",
        "at its end the session stops",
        "sends SIGTERM after 2 s and SIGKILL 3 s on",
    ):
        assert shown in out
    plan = json.loads(run("robot.yaml", "--dry-run", "--json")[1])
    assert [one["command"] for one in plan["nodes"]] == [
        [sys.executable, "node.py"],
        [f"{tmp_path}/motor", "--fast"],
    ]


# spec: F19, F22
def test_check_tells_problems_and_fails(run):
    """Exit code 0 for a good file, 1 for one with problems, which are data: on stdout, one a line."""
    assert run("robot.yaml", "--check")[:2] == (0, "robot.yaml: 2 nodes, nothing wrong.\n")
    bad = TEXT.replace("python3 node.py", "python3 nod.py").replace("restart", "restrt")
    code, out, _ = run("robot.yaml", "--check", text=bad)
    assert code == 1
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["robot.yaml:4:84", "robot.yaml:5:24"]
    checked = json.loads(run("robot.yaml", "--check", "--json", text=bad)[1])
    assert (checked["ok"], checked["nodes"]) == (False, [])
    assert [(one["file"], one["line"], one["column"]) for one in checked["problems"]] == [
        ("robot.yaml", 4, 84),
        ("robot.yaml", 5, 24),
    ]
    for verb in ("--list", "--dry-run"):
        with pytest.raises(LaunchError, match="2 problems; nothing was started"):
            run("robot.yaml", verb, text=bad)


def test_only_except_and_warnings(run):
    """Options reach the plan; what is to be said goes to stderr."""
    code, out, err = run("robot.yaml", "--list", "--except", "a")
    assert (code, "python" in out) == (0, False)
    assert err == "horus: b does not wait for a, which is left out.\n"
    assert "executable" not in run("robot.yaml", "--list", "--only", "a")[1]


@pytest.mark.parametrize("words", [(), ("robot.yaml", "--check", "--list"), ("robot.yaml", "--json")])
def test_what_makes_no_sense_is_a_usage_error(run, words):
    """No file, two verbs, --json without one."""
    import click

    with pytest.raises(click.UsageError):
        run(*words)


def test_the_command_from_outside(tmp_path):
    """A real process, from another folder: schema, a good file, a bad one; nothing in shared memory."""
    path = write(tmp_path, TEXT)

    def horus(*words):
        return subprocess.run(
            [sys.executable, "-m", "horus_cli", *words],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            env={**os.environ, "HORUS_NAMESPACE": "launch-test"},
        )

    Draft202012Validator.check_schema(json.loads(horus("launch", "--schema").stdout))
    assert horus("launch", str(path), "--check").returncode == 0
    first = ("--namespace", "first", "launch", str(path), "--list", "--json")
    assert json.loads(horus(*first).stdout)["namespace"] == "first"
    path.write_text("nods: []\n")
    bad = horus("launch", "--list", str(path))
    assert (bad.returncode, bad.stdout) == (1, "")
    assert f"{path}:1:1: unknown key 'nods' in the launch file. Did you mean 'nodes'?" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert not Path("/dev/shm/horus_launch-test").exists()
