"""Plugins of the group horus.lifecycle are told of a launcher's processes, and hold no launcher up."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import storm
from launching import WAITS, alive, until

WATCH = """
import json
import horus

@horus.hookimpl
def horus_process_spawned(session, name, pid, command, restarts):
    print(json.dumps(["spawned", session, name, pid, command, restarts]), flush=True)

@horus.hookimpl
def horus_process_exited(session, name, pid, exit_code, signal, reason, asked, restarts):
    print(json.dumps(["exited", session, name, pid, exit_code, signal, reason, asked, restarts]), flush=True)
"""
RAISES = """
import horus

@horus.hookimpl
def horus_process_spawned(name):
    raise ValueError(f"no room for {name}")
"""
HANGS = """
import os
import time
import horus

@horus.hookimpl
def horus_process_spawned():
    with open(f"hangs.{os.getpid()}", "w"):
        pass
    while True:
        time.sleep(1000)
"""
OF_NODES = """
import horus

@horus.hookimpl
def horus_node_started():
    pass
"""
NODES = f"""
nodes:
  - name: stays
    command: {WAITS}
  - name: fails
    command: sh -c 'exit 3'
    restart: {{policy: on-failure, max: 1, backoff: 0.01}}
"""


@pytest.fixture
def plugins(tmp_path):
    """Make tmp_path a project with these one-file plugins, by name."""

    def write(**sources):
        (tmp_path / "horus.toml").write_text('[plugins]\nfolder = "mine"\n')
        (tmp_path / "mine").mkdir()
        for name, source in sources.items():
            (tmp_path / "mine" / f"{name}.py").write_text(source)

    return write


def told(text):
    """What WATCH has printed, by launcher's label."""
    lines = [line.removeprefix("[observers] ") for line in text.splitlines()]
    return [json.loads(line) for line in lines if line.startswith('["')]


def observers_of(pid):
    """The launcher's observers' processes that live."""
    return [
        child for child in storm.children(pid) if "horus-obser" in Path(f"/proc/{child}/comm").read_text()
    ]


def test_observers_are_told_of_each_start_and_end(launch, plugins):
    """Name, pid, command, restarts, exit code or signal, whether it was asked to; one that raises is said once."""
    plugins(watch=WATCH, raises=RAISES)
    robot = launch("robot", NODES)
    until(lambda: sum(one[:3] == ["exited", "robot", "fails"] for one in told(robot.out.read_text())) == 2)
    pid = robot.node("stays").pid
    fails = [event["pid"] for event in robot.events("NodeSpawned", "NodeRestarted", node="fails")]
    (helper,) = observers_of(robot.pid)
    assert robot.stop() == 3
    assert not alive(helper)
    found = told(robot.out.read_text())
    shell, runs = shutil.which("sh"), ["-c", "exit 3"]
    assert found[0] == ["spawned", "robot", "stays", pid, [shell, "-c", "echo up; exec sleep 1000"], 0]
    assert [one for one in found if one[2] == "fails"] == [
        ["spawned", "robot", "fails", fails[0], [shell, *runs], 0],
        ["exited", "robot", "fails", fails[0], 3, None, "exit code 3", False, 0],
        ["spawned", "robot", "fails", fails[1], [shell, *runs], 1],
        ["exited", "robot", "fails", fails[1], 3, None, "exit code 3", False, 1],
    ]
    assert found[-1] == ["exited", "robot", "stays", pid, None, "SIGTERM", "ended by SIGTERM", True, 0]
    said = robot.err.read_text()
    assert said.count("raised in horus_process_spawned(), and is told nothing any more") == 1
    assert "ValueError: no room for stays" in said


def test_one_that_hangs_holds_up_nothing(launch, plugins, tmp_path):
    """Nodes start, restart and stop beside it; its process is ended with the session. One that dies is said."""
    plugins(hangs=HANGS)
    robot = launch("robot", NODES)
    robot.ready()
    robot.reaches("fails", "crashed")
    (hung,) = until(lambda: list(tmp_path.glob("hangs.*")), "the observer's call")
    robot.signal(signal.SIGINT)
    robot.says("observers were not told everything within 2 s: their process is ended")
    assert robot.wait() == 3
    assert not alive(int(hung.suffix[1:]))
    again = launch("again", NODES)
    until(lambda: len(list(tmp_path.glob("hangs.*"))) == 2, "the observer's call")
    (helper,) = observers_of(again.pid)
    os.kill(helper, signal.SIGKILL)
    again.says(f"observers are told nothing any more: their process (pid {helper}) ended with signal 9")
    assert again.stop() == 3


def test_one_of_nodes_alone_costs_no_process(launch, plugins):
    """Where no plugin listens to processes, the one of the observers ends by itself, and nothing is said."""
    plugins(nodes=OF_NODES)
    robot = launch("robot", NODES)
    robot.reaches("fails", "crashed")
    until(lambda: not observers_of(robot.pid), "its end")
    assert robot.stop() == 3
    assert "observers" not in robot.err.read_text()


def test_several_targets_are_told_of_too(plugins, tmp_path, horus_namespace):
    """`horus run` with two files: the session is the id that it prints, the name the label."""
    plugins(watch=WATCH)
    (tmp_path / "one.py").write_text("raise SystemExit(4)")
    (tmp_path / "two.py").write_text("import os; os.kill(os.getpid(), 9)")
    done = subprocess.run(
        [sys.executable, "-m", "horus_cli", "run", "one.py", "two.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 137, done
    found = told(done.stdout)
    ends = {one[2]: one[4:] for one in found if one[0] == "exited"}
    assert ends == {
        "one": [4, None, "exit code 4", False, 0],
        "two": [None, "SIGKILL", "ended by SIGKILL", False, 0],
    }
    assert {one[1] for one in found} == {done.stderr.partition("Session: ")[2].split()[0]}
