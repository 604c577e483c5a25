"""`horus node kill`, `pause`, `resume` and `restart`, of real processes."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest
from click.testing import CliRunner
from horus_cli.node import node

from horus_core.errors import NodeError
from horus_plugins.launch import manifest
from horus_plugins.launch.file.launch_file import Choice, plan
from horus_plugins.launch.session import background
from horus_plugins.monitor import steering

ROBOT = """
    import horus


    def node(name, **options):
        return horus.Node(
            name,
            tick=lambda: None,
            init=lambda: print("init", name, flush=True),
            shutdown=lambda: print("shutdown", name, flush=True),
            rate=100,
            **options,
        )


    horus.run(node("arm.left"), node("arm.right", rt=True), node("leg"), name="robot")
    print("ended", flush=True)
"""


@pytest.fixture
def here(ns):
    """`here(*arguments)`: the command in this process; (exit code, stdout), or what it raises."""

    def run(*arguments):
        result = CliRunner().invoke(node, arguments, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.return_value or 0, result.stdout

    return run


# spec: F23 F22 F34
def test_nodes_are_steered_by_name_or_pattern(horus, here, ns, script, alive, wait_for):
    """Each verb reaches the nodes that are named, says what is so already, and the last kill ends the process."""
    robot = horus("run", script("robot.py", ROBOT))
    robot.shows("init leg")
    wait_for(lambda: len(steering.targets(ns)) == 3, "three nodes")
    paused = horus("node", "pause", "arm.*", "--json")
    assert paused.wait() == 0
    nodes = json.loads(paused.stdout)["nodes"]
    assert [(one["name"], one["state"], one["already"]) for one in nodes] == [
        ("arm.left", "paused", False),
        ("arm.right", "paused", False),
    ]
    assert here("pause", "arm.left") == (0, f"arm.left (pid {robot.pid}) was paused already.\n")
    code, out = here("restart", "leg", "arm.left")
    assert (code, "leg" in out, "arm.left" in out) == (1, True, False), (
        "one that fails keeps no other from it"
    )
    assert here("resume", "arm.left", "arm.right", "arm.*") == (
        0,
        f"arm.left (pid {robot.pid}) is resumed: running.\narm.right (pid {robot.pid}) is resumed: running.\n",
    )
    robot.shows("shutdown leg")
    robot.shows("init leg", times=2)
    _refuses_what_it_does_not_know(here)
    robot.signal(signal.SIGSTOP)
    frozen = horus("node", "kill", "leg", "--timeout", "3")
    assert frozen.wait() == 124
    assert f"kill -CONT {robot.pid}" in frozen.stderr
    robot.signal(signal.SIGCONT)
    killed = horus("node", "kill", "arm.left", "leg")
    assert killed.wait() == 0
    assert killed.stdout == f"arm.left (pid {robot.pid}) is removed.\nleg (pid {robot.pid}) is removed.\n"
    assert here("kill", "*")[1].endswith("It was the last node of its scheduler, whose run ends.\n")
    assert robot.wait() == 0
    assert robot.stdout.split("init leg\n")[-1].split("\n")[:4] == [
        "shutdown arm.left",
        "shutdown leg",
        "shutdown arm.right",
        "ended",
    ]
    with pytest.raises(NodeError, match="expected one that runs, and none does, got 'leg'"):
        here("kill", "leg")


def _refuses_what_it_does_not_know(here):
    """A name that nobody has changes nothing for the others that were named with it."""
    with pytest.raises(
        NodeError, match="expected one of arm.left, arm.right, leg, got 'arm.lef'.*mean 'arm.left'"
    ):
        here("kill", "leg", "arm.lef")
    with pytest.raises(NodeError, match=r"got 'x\*'"):
        here("kill", "x*")
    assert len(here("pause", "*")[1].splitlines()) == 3
    assert len(here("resume", "*")[1].splitlines()) == 3


LAUNCH = """
    session: demo
    nodes:
      - name: robot
        command: {python} robot.py
        restart: always
      - name: camera
        command: sleep 1000
        restart: always
"""


# spec: C22 C11 F23
def test_a_launcher_is_told_of_what_is_killed(here, ns, script, tmp_path, wait_for, alive):
    """A node of a session goes by its launcher, which does not start the process again; nor one without nodes."""
    script("robot.py", ROBOT)
    file = script("demo.yaml", LAUNCH.format(python=sys.executable))
    with background.start(plan(str(file), Choice(ns))) as session:
        session.wait_ready()

        def row(name):
            found = manifest.sessions(ns)[0]
            return next(one for one in found.nodes if one.name == name)

        pid = wait_for(lambda: row("camera").pid, "a process")
        assert f"camera (pid {pid}) is stopped by its launcher, session demo." in here("kill", "camera")[1]
        wait_for(lambda: row("camera").status == "stopped", "its end")
        assert not alive(pid)
        pid, launcher = row("robot").pid, manifest.sessions(ns)[0].pid
        os.kill(launcher, signal.SIGSTOP)
        frozen = steering.steer("StopNode", steering.choose(ns, ["leg"]), ns, timeout_s=0.1)
        os.kill(launcher, signal.SIGCONT)
        assert frozen.timed_out
        assert f"Process {launcher} is stopped" in frozen.nodes[0].text
        assert here("pause", "leg")[1] == f"leg (pid {pid}) is paused.\n"
        for name in ("leg", "arm.left", "arm.right"):
            assert f"{name} (pid {pid}) is removed by its launcher, session demo." in here("kill", name)[1]
        wait_for(lambda: not manifest.sessions(ns) or row("robot").status == "stopped", "its end")
        assert not alive(pid)
