"""`horus node list` and `horus node info`: in a pipe, in a terminal, and of processes that do not answer."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from horus_core.shm import namespace
from horus_plugins.launch import manifest

ROBOT = """
    import sys
    import horus

    def grip(node):
        node.recv("rgb")
        if node.info.tick_count() == 5:
            node.log_info("grips \\x1b[31m")
            print("ready", flush=True)
            raise ValueError("no air \\x1b[31m")

    def see(node):
        node.send("rgb", {"frame": 1})

    horus.run(
        horus.Node("camera", tick=see, rate=100, order=1, pubs=["rgb"]),
        horus.Node("arm", tick=grip, rate=50, order=2, subs=["rgb"], pubs=["pose"], failure_policy="ignore"),
        name="robot",
    )
    """
OTHER = """
    import horus
    horus.run(horus.Node("planner", tick=lambda: print("planned", flush=True), rate=5))
    """
COLUMNS = ["NAME", "STATUS", "PRIORITY", "RATE", "TICKS", "SOURCE", "CPU"]


@pytest.fixture
def robot(horus, script):
    """A process of two nodes, which tick."""
    script("robot.py", ROBOT)
    started = horus("run", "robot.py")
    started.shows("ready")
    return started


def horus_list(horus, *options, code=0):
    command = horus("node", "list", *options)
    assert command.wait() == code, command.stderr
    return command


def rows_of(text):
    """{name: cells} of a table; the rule stands between head and rows."""
    return {cells[0]: cells for line in text.splitlines() if len(cells := line.split()) > 6}


# spec: C16 A53 F23
def test_the_table_is_grouped_by_launch_session(horus, script, robot, ns):
    """Title, a part for each session with its count, columns, a dashed rule, rows, the total; -v has more columns."""
    script("other.py", OTHER)
    horus("run", "other.py").shows("planned")
    session = manifest.Manifest(
        session="formation",
        namespace=ns,
        file="formation.yaml",
        pid=os.getpid(),
        ident=1,
        started_ns=time.time_ns(),
        started_monotonic_ns=time.monotonic_ns(),
        control_topic=manifest.control_topic("formation"),
    )
    session.nodes = [manifest.LaunchedNode("robot", pid=robot.pid)]
    manifest.write(session)
    lines = horus_list(horus).stdout.splitlines()
    assert lines[0] == "Running Nodes:"
    assert lines[2] == "Launch: formation (2 nodes)"
    assert lines[3].split() == COLUMNS
    assert set(lines[4]) == {"-"}
    assert lines[5].split()[:5] == ["camera", "Running", "1", "100", "Hz"]
    assert lines[6].split()[6] == str(robot.pid)
    assert lines[8] == "Not launched (1 node)"
    assert "Total: 3 node(s)" in lines
    assert "CPU is that of the whole process: nodes with the same SOURCE share it." in lines

    session.nodes = []
    manifest.write(session)
    alone = horus_list(horus).stdout.splitlines()
    assert not any(line.startswith(("Launch", "Not launched")) for line in alone)
    head = horus_list(horus, "-v").stdout.splitlines()[2].split()
    more = ["REACHED", "BUSY", "MEMORY", "MISSED", "TICK-p99", "UPTIME", "CLASS", "GRANTED", "REFUSED"]
    assert head == COLUMNS + more
    listed = json.loads(horus_list(horus, "--json").stdout)
    camera = next(node for node in listed["nodes"] if node["name"] == "camera")
    assert camera["figures"]["class"] == "best_effort"
    assert camera["reached_hz"] > 0

    _check_info(horus, robot)
    pipe = [sys.executable, "-m", "horus_cli", "node", "list"]
    with subprocess.Popen(pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b"", "a reader that goes is no error"


def _check_info(horus, robot):
    """All that can be told of a node: process, figures, topics, events, its last failure."""
    info = horus("node", "info", "arm")
    assert info.wait() == 0, info.stderr
    text = info.stdout
    assert text.startswith("Node arm: Running\n")
    assert f"pid {robot.pid} on " in text
    assert "robot.py" in re.search(r"command +(.*)", text)[1]
    assert "scheduler    robot, class best_effort, order 2" in text
    assert re.search(r"ticks +\d+: 1 failed, 0 missed", text)
    assert "publishes    pose, not open" in text
    assert re.search(r"subscribes +rgb \(dict\), received \d+", text)
    assert "  failure  ValueError: no air \\x1b[31m" in text
    assert "raise ValueError(" in text
    assert "  info  grips \\x1b[31m" in text
    assert "\x1b" not in text
    told = horus("node", "info", "camera", "--json")
    assert told.wait() == 0
    found = json.loads(told.stdout)
    assert found["process"]["pid"] == robot.pid
    assert [end["topic"] for end in found["publishes"]] == ["rgb"]
    assert found["publishes"][0]["messages"] > 0
    assert (found["crashed"], found["failure"]) == ("", "")

    wrong = horus("node", "info", "camra")
    assert wrong.wait() == 1
    assert "Did you mean 'camera'?" in wrong.stderr


# spec: F22
def test_frozen_and_killed_processes_are_listed_as_that(horus, robot):
    """The command waits for nobody: a stopped process's nodes are Stale, a killed one's Crashed, with the reason."""
    robot.signal(signal.SIGSTOP)
    frozen = horus_list(horus).stdout
    assert rows_of(frozen)["camera"][1] == "Stale"
    why = f"its process ({robot.pid}) is stopped by a signal: `kill -CONT {robot.pid}` lets it go on"
    assert f"camera, arm: {why}; it was running" in frozen
    robot.signal(signal.SIGKILL)
    robot.wait()
    killed = horus_list(horus).stdout
    assert rows_of(killed)["camera"][1] == "Crashed"
    assert f"its process ({robot.pid}) is gone without an end" in killed
    info = horus("node", "info", "arm")
    assert info.wait() == 0
    assert f"pid {robot.pid}, gone" in info.stdout
    assert "ValueError: no air" in info.stdout


def test_what_cannot_be_read_is_said_and_forges_nothing(horus, robot, ns):
    """Exit code 1 and a line on stderr for what is missing; names and texts of others steer no terminal."""
    nodes = namespace.path(ns) / "nodes"
    (nodes / "torn.json").write_text("{")
    presence = json.loads((nodes / "camera.json").read_text())
    hostile = {
        **presence,
        "ident": 0,
        "crashed": "\x1b]0;owned\x07\nTotal: 99 node(s)",
        "crashed_ns": -(1 << 62),
    }
    (nodes / "evil\x1b[2J\nforged.json").write_text(json.dumps(hostile))
    command = horus_list(horus, code=1)
    assert "the presence of node 'torn' cannot be read" in command.stderr
    assert "\x1b" not in command.stdout + command.stderr
    assert "evil\\x1b[2J\\x0aforged" in command.stdout
    assert command.stdout.splitlines().count("Total: 3 node(s)") == 1
    assert not any(line.startswith(("forged", "Total: 99")) for line in command.stdout.splitlines())
    assert horus("node", "list", "--json").wait() == 1
    (nodes / "torn.json").unlink()
    horus_list(horus)


def test_nothing_to_show_names_where_there_is_something(horus, robot, ns):
    """In another namespace: the line to type; looking makes nothing, and what has ended is offered."""
    other = {**os.environ, "HORUS_NAMESPACE": f"{ns}-other"}
    command = horus("node", "list", env=other)
    assert (command.wait(), command.stdout) == (0, "")
    assert f"No nodes in namespace '{ns}-other'." in command.stderr
    assert f"In namespace '{ns}' 1 scheduler runs: horus node list --namespace {ns}" in command.stderr
    assert not namespace.path(f"{ns}-other").exists()
    robot.signal(signal.SIGTERM)
    robot.wait()
    assert "2 that have ended are shown by --all." in horus_list(horus).stderr
    assert rows_of(horus_list(horus, "--all").stdout)["camera"][1] == "Stopped"
    for line in (("node", "list"), ("node", "kill", "camera"), ("param", "list")):
        command = horus(*line, env=other)
        command.wait()
        assert ns not in command.stderr.replace(f"{ns}-other", ""), "a record is nobody who runs"


def test_a_watch_in_a_pipe_prints_one_table_after_another(horus, robot):
    """No escape sequences, one object a line with --json, and Ctrl+C ends it with 130."""
    watch = horus("node", "list", "--watch", "0.05")
    watch.shows("Total: 2 node(s)", times=3)
    watch.signal(signal.SIGINT)
    assert watch.wait() == 130
    assert "\x1b" not in watch.stdout
    assert "Traceback" not in watch.stderr
    objects = horus("node", "list", "--watch", "0.05", "--json", "--timeout", "2")
    objects.shows('"camera"', times=2)
    assert objects.wait() == 124, "a --timeout that is given counts"


class Tmux:
    """A terminal of its own, with a shell in it."""

    def __init__(self, socket, folder, columns, rows):
        self._base = ["tmux", "-L", socket, "-f", "/dev/null"]
        shell = f"exec env PS1='$ ' PATH={Path(sys.executable).parent}:$PATH bash --norc --noprofile"
        size = ("-x", str(columns), "-y", str(rows))
        self("new-session", "-d", "-s", "t", *size, "-c", str(folder), shell)

    def __call__(self, *arguments):
        done = subprocess.run(
            [*self._base, *arguments], capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout

    def close(self):
        self("kill-server")
        folder = Path(os.environ.get("TMUX_TMPDIR", "/tmp")) / f"tmux-{os.getuid()}"
        (folder / self._base[2]).unlink(missing_ok=True)  # which tmux leaves

    def keys(self, *keys):
        self("send-keys", "-t", "t", *keys)

    def screen(self):
        return self("capture-pane", "-p", "-t", "t")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_a_watch_in_a_terminal(robot, tmp_path, ns, wait_for):
    """It draws in place, obeys keys, fits any size, stops and goes on, and gives the terminal back as it was."""
    terminal = Tmux(f"horus-{ns}", tmp_path, 100, 16)

    def shows(text, *others):
        wait_for(lambda: all(one in terminal.screen() for one in (text, *others)), f"{text!r} on the screen")

    try:
        shows("$")
        terminal.keys("clear; echo before; horus node list --watch 0.1", "Enter")
        shows("Running Nodes:", "q quits", "Total: 2 node(s)")
        assert "before" not in terminal.screen()
        ticks = int(rows_of(terminal.screen())["camera"][5])
        wait_for(lambda: int(rows_of(terminal.screen())["camera"][5]) > ticks, "more ticks in the same place")
        assert terminal.screen().count("camera") == 1
        terminal.keys("v")
        shows("REACHED")
        terminal("resize-window", "-t", "t", "-x", "40", "-y", "6")
        shows("more lines below")
        assert "Total" not in terminal.screen()
        terminal.keys("Down", "Down", "Down", "Down", "Down", "Down")
        shows("arm")
        terminal.keys("End")
        shows("Total: 2 node(s)", "the end")
        terminal("resize-window", "-t", "t", "-x", "100", "-y", "16")
        terminal.keys("v")
        wait_for(
            lambda: "REACHED" not in terminal.screen() and "q quits" in terminal.screen(), "the whole again"
        )
        robot.signal(signal.SIGSTOP)
        shows("Stale", "kill -CONT")
        robot.signal(signal.SIGCONT)
        wait_for(lambda: "Stale" not in terminal.screen(), "running again")
        terminal.keys("C-z")
        shows("before", "Stopped")
        terminal.keys("clear; fg", "Enter")
        shows("q quits", "Total: 2 node(s)")
        terminal.keys("q")
        wait_for(lambda: "q quits" not in terminal.screen(), "the shell")
        terminal.keys("clear; horus node list --watch; echo code $?", "Enter")
        shows("q quits", "every 1 s")
        terminal.keys("C-c")
        shows("code 130")
        terminal.keys("stty -a | tr ' ' '\\n' | grep -x -e '-*icanon;*' -e '-*echo;*'", "Enter")
        shows("\nicanon\n", "\necho\n")
        terminal.keys("echo typed", "Enter")
        shows("\ntyped\n")
    finally:
        terminal.close()
