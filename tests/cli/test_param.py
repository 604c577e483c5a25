"""`horus param`: parameters of running processes, seen and set from outside."""

from __future__ import annotations

import json
import os
import shlex
import signal

import click
import pytest
from click.testing import CliRunner
from horus_cli.param import param as command

from horus_core.errors import HorusError, HorusTimeoutError, RegionError
from horus_plugins.monitor import control, params

ROBOT = """
import sys
import horus

params = horus.RuntimeParams()
seen = []

def say(line):  # on two threads, so each line at once
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()

def no_shaking(speed):
    if speed == 1.3:
        raise ValueError("at 1.3 m/s it shakes \\x1b[31m\\nhorus: all is well")

def changed(speed):
    say(f"changed to {speed}")
    if speed == 0.7:
        raise RuntimeError("no such gear")

speed = params.declare("max_speed", default=1.0, unit="m/s", doc="How fast it may drive.", min=0, max=3,
                       validator=no_shaking, on_change=changed)
params.declare("gains", default={"p": 1.0})
params.declare("slow", default=1, validator=lambda value: value != 2 or time.sleep(60))

def tick(node):
    label = params.get("label", default="none")
    if (speed.value, label) not in seen:
        seen.append((speed.value, label))
        say(f"ticks with {speed.value} {label}")

import time
nodes = horus.Node(sys.argv[1], tick=tick, rate=100), horus.Node(sys.argv[1] + "2", tick=lambda: None)
horus.run(*nodes, name=sys.argv[1])
"""


@pytest.fixture
def robots(horus, script):
    """Two processes, arm and leg, whose nodes tick."""
    file = script("robot.py", ROBOT)
    given = {**os.environ, "HORUS_PARAM_MAX_SPEED": "2", "HORUS_PARAMS_JSON": '{"lable": "x", "label": "7"}'}
    started = horus("run", file, "--", "arm", env=given), horus("run", file, "--", "leg")
    started[0].shows("ticks with 2.0 7")
    started[1].shows("ticks with 1.0 none")
    return started


def param(*arguments):
    """(exit code, stdout, stderr) of `horus param`, in this process."""
    done = CliRunner().invoke(command, list(map(str, arguments)))
    if isinstance(done.exception, HorusError):
        return (124 if isinstance(done.exception, HorusTimeoutError) else 1), done.stdout, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def listed(*arguments):
    """{(name, scheduler): the parameter} of `horus param list --json`."""
    code, out, err = param("list", "--json", *arguments)
    assert code == 0, err
    return {(one["name"], one["scheduler"]): one for one in json.loads(out)["params"]}


# spec: C18, C19, F21, F22
def test_two_processes_at_100_hz(robots, horus, tmp_path, ns):
    """List, get, set, veto, delete, save and load while nodes tick: what is said is what the nodes then see."""
    _see(robots, horus)
    _set(robots, horus)
    _refuse(robots, horus)
    _keep(robots, tmp_path / "tuned.yaml")


def _see(robots, horus):
    arm, _ = robots
    found = listed()
    everywhere = {
        (name, robot) for name in ("gains", "label", "max_speed", "slow") for robot in ("arm", "leg")
    }
    assert set(found) == everywhere | {("lable", "arm")}
    assert found["max_speed", "arm"].items() >= {
        "value": 2.0, "type": "float", "unit": "m/s", "doc": "How fast it may drive.", "min": 0.0, "max": 3.0,
        "layer": "environment", "origin": "HORUS_PARAM_MAX_SPEED", "pid": arm.pid, "fixed": False,
    }.items()  # fmt: skip
    assert found["max_speed", "leg"]["layer"] == "default"
    assert (found["label", "arm"]["type"], found["label", "arm"]["origin"]) == ("str", "HORUS_PARAMS_JSON")
    assert (found["lable", "arm"]["asked"], found["label", "arm"]["asked"]) == (False, True)

    shown = horus("param", "list")
    assert shown.wait() == 0, shown.stderr
    assert "0 to 3" in shown.stdout
    assert [line.split()[0] for line in shown.stdout.splitlines()].count("max_speed") == 2
    assert "read by nothing" in next(line for line in shown.stdout.splitlines() if line.startswith("lable"))


def _set(robots, horus):
    arm, leg = robots
    done = horus("param", "set", "max_speed", "1.5", "--json")
    assert done.wait() == 0, done.stderr
    assert [(one["value"], one["scheduler"]) for one in json.loads(done.stdout)["taken"]] == [
        (1.5, "arm"),
        (1.5, "leg"),
    ]
    for robot, label in ((arm, "7"), (leg, "none")):
        robot.shows("changed to 1.5")
        robot.shows(f"ticks with 1.5 {label}")
    code, out, _ = param("set", "max_speed", 2, "--node", "leg2")
    assert (code, out.count("\n")) == (0, 1)
    leg.shows("ticks with 2.0 none")
    code, out, _ = param("get", "max_speed")
    assert code == 0
    assert out.splitlines()[0].startswith("max_speed = 1.5 m/s  (set by ")
    assert out.splitlines()[1].startswith("max_speed = 2.0 m/s  (set by ")
    assert json.loads(param("get", "max_speed", "--json", "--node", "arm")[1])["params"][0]["value"] == 1.5


def _refuse(robots, horus):
    arm, _ = robots
    veto = horus("param", "set", "max_speed", "1.3")
    assert veto.wait() == 1
    assert veto.stderr.count("at 1.3 m/s it shakes") == 2
    assert "\x1b" not in veto.stderr
    assert not any(line.startswith("horus: all is well") for line in veto.stderr.splitlines())
    for value, why in {
        "-1": "expected 0 to 3 m/s",
        "fast": "expected float",
        "[1]": "expected float",
    }.items():
        code, out, err = param("set", "max_speed", value, "--node", "arm")
        assert (code, out) == (1, "")
        assert why in err
    assert param("get", "max_speed", "--node", "arm")[1].startswith("max_speed = 1.5")

    code, _, err = param("set", "max_sped", 1)
    assert (code, "Did you mean 'max_speed'?" in err) == (1, True)
    code, _, err = param("set", "lable", 1)
    assert (code, "nothing has read" in err) == (1, True)
    assert param("set", "lable", 1, "--new", "--node", "arm")[0] == 0
    assert param("set", "label", "007", "--node", "arm")[1].startswith('label = "007"')
    arm.shows("ticks with 1.5 007")
    assert param("set", "label", "[]", "--json-value")[0] == 1
    assert param("set", "label", "1.0", "--text")[0] == 0


def _keep(robots, saved):
    arm, _ = robots
    code, _, err = param("save", saved)
    assert code == 1
    assert "max_speed: 1.5 in arm, 2.0 in leg" in err
    assert not saved.exists()
    assert param("save", saved, "--node", "leg", "--json")[0] == 0
    assert saved.read_text().splitlines()[1:] == [
        "gains: {p: 1.0}", 'label: "1.0"', "max_speed: 2.0  # m/s How fast it may drive.", "slow: 1",
    ]  # fmt: skip
    assert param("save", saved, "--node", "leg")[0] == 1, "the file is there"
    code, out, err = param("load", saved)
    assert (code, out.count("max_speed = 2.0")) == (0, 2), err

    saved.write_text("label: new\nmax_speed: 7\nspeeed: 1\nslow: text\nlabel: twice\n")
    code, _, err = param("load", saved)
    assert code == 1
    told = [line.removeprefix(f"{saved}:") for line in err.splitlines() if line.startswith(str(saved))]
    assert [line.split(":")[0] for line in told] == ["2", "2", "3", "4", "4", "5"]
    assert listed()["label", "arm"]["value"] == "1.0", "nothing was set"

    code, out, _ = param("delete", "max_speed")
    assert code == 0
    assert out.splitlines()[0].startswith("max_speed = 2.0 m/s  (HORUS_PARAM_MAX_SPEED; ")
    assert out.splitlines()[1].startswith("max_speed = 1.0 m/s  (default; ")

    assert param("set", "max_speed", 0.7, "--node", "arm")[0] == 0
    arm.shows("no such gear")
    assert param("get", "max_speed", "--node", "arm")[1].startswith("max_speed = 0.7"), "the value stands"


# spec: C19, F22
def test_one_that_does_not_answer_and_one_that_is_gone(robots, ns, wait_for):
    """A stopped process is named and holds up nobody, does nothing late; a killed one is gone."""
    _, leg = robots
    os.kill(leg.pid, signal.SIGSTOP)
    code, out, err = param("set", "max_speed", 2.5)
    assert code == 124
    assert out.startswith("max_speed = 2.5")
    assert f"rocess {leg.pid} is stopped" in err
    code, _, err = param("get", "theirs")
    assert code == 124, "nobody can say that it is unknown"
    assert f"rocess {leg.pid} is stopped" in err
    line = control._Line(ns, "horus.ctl.leg")
    with line:
        line.send({"cmd": "SetParam", "name": "max_speed", "value": 2.9, "id": "x", "expires_ns": 1})
        os.kill(leg.pid, signal.SIGCONT)
    wait_for(lambda: param("get", "max_speed", "--node", "leg")[1].startswith("max_speed = 1.0"), "an answer")
    os.kill(leg.pid, signal.SIGKILL)
    leg.wait()
    code, out, _ = param("get", "max_speed")
    assert (code, out.count("\n")) == (0, 1)
    code, _, err = param("list", "--node", "leg")
    assert code == 1
    assert "expected one of arm, arm2, got 'leg'" in err


def test_a_validator_that_hangs_is_said_and_holds_up_nobody(robots, ns):
    """The command ends in time, other commands are answered meanwhile, and nodes tick on."""
    arm, _ = robots
    code, _, err = param("set", "slow", 2, "--node", "arm")
    assert code == 124
    assert "not done within" in err
    assert param("set", "max_speed", 0.5, "--node", "arm")[0] == 0
    arm.shows("ticks with 0.5 7")


def test_what_fails_at_our_end_is_no_refusal(ns):
    """A /dev/shm without room for the question is told as such: no process said no, and none was too slow."""

    def ask(_process):
        raise RegionError("no room")

    with pytest.raises(RegionError):
        params.ask_all([params.Process(ns, one, 1, []) for one in ("arm", "leg")], ask)


def test_hostile_requests(robots, ns):
    """Whatever lies in a control message is answered in words, and the process goes on."""
    for fields in (
        {}, {"name": 5, "value": 1}, {"name": "a\nb", "value": 1, "new": True}, {"name": "max_speed"},
        {"name": "max_speed", "value": {"deep": [float("nan")]}}, {"values": [1]}, {"values": {"max_speed": 1}},
        {"name": "max_speed", "value": 1.0, "new": "yes"}, {"name": "max_speed", "text": 5},
        {"name": "x", "value": "x" * 100_000, "new": True}, {"values": {7: {"value": 1}}},
    ):  # fmt: skip
        with pytest.raises(control.RefusalError) as caught:
            control.ask(ns, "arm", "SetParam", **fields)
        assert len(str(caught.value)) < 1000
    forged = {"name": "label", "value": "\x1b[2J\nforged", "from": "\x1b[31m\nme"}
    control._good(control._Line(ns, "horus.ctl.arm").ask("SetParam", forged, 2.0, lambda: None))
    code, out, _ = param("get", "label", "--node", "arm")
    assert (code, out.count("\n"), "\x1b" in out) == (0, 1, False)


def test_the_examples_of_the_help(horus, script, tmp_path):
    """Each does what it says, and so does a process that is started with what was saved."""
    horus("run", script("robot.py", ROBOT), "--", "arm").shows("ticks with")
    context = click.Context(command)
    verbs = {name: command.get_command(context, name).help for name in command.list_commands(context)}
    for name in ("list", "get", "set", "save", "load", "delete"):
        lines = [
            line.split("  ")[0]
            for line in map(str.strip, verbs[name].splitlines())
            if line.startswith("horus ")
        ]
        assert lines
        for line in lines:
            assert param(*shlex.split(line)[2:])[0] == 0, line
    assert json.loads(param("get", "gains", "--json")[1])["params"][0]["value"] == {"p": 1.5, "i": 0.1}
    again = horus(
        "run", "robot.py", "--", "leg", env={**os.environ, "HORUS_PARAMS_FILE": str(tmp_path / "tuned.yaml")}
    )
    again.shows("ticks with 0.5 none")
    assert listed()["gains", "leg"]["origin"] == f"{tmp_path}/tuned.yaml:2"


def test_with_nobody_there(ns, tmp_path):
    """Nothing is said to be set, or saved, where nothing runs: an error that says where values for later stand."""
    for arguments in (
        ("get", "a"), ("set", "a", 1), ("set", "a", 1, "--new"), ("delete", "a"),
        ("save", tmp_path / "a.yaml"),
    ):  # fmt: skip
        code, out, err = param(*arguments)
        assert (code, out) == (1, "")
        assert "expected a process that runs nodes or uses RuntimeParams, got none" in err
        assert "HORUS_PARAM_NAME" in err
    assert not (tmp_path / "a.yaml").exists()
    code, out, err = param("list", "--json")
    assert (code, json.loads(out)["params"]) == (0, [])
    assert "nobody runs" in err.lower()
    assert param("set", "a", "x", "--json-value")[0] == 2
    assert param("set", "a", "x", "--json-value", "--text")[0] == 2
