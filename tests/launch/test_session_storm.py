"""Restarts and nodes of schedulers: kills at random, what a node's end means, and sessions from Python."""

import os
import threading
from pathlib import Path

import pytest
import storm
from launching import alive, ask, horus, until

import horus as face
from horus import launch as sessions
from horus.testing import launched
from horus_core.shm import namespace
from horus_plugins.monitor import control, steering

NODES, KILLS = 6, 20


# spec: A45 A46 C31
def test_every_kill_is_followed_by_a_restart_and_the_books_are_right(launch, tmp_path):
    """After each: the manifest, the events, no zombie, no orphan; who listened hears the new process."""
    robot = launch("robot", storm.file_of(tmp_path, nodes=NODES, talkers=1))
    robot.ready()
    storm.strike(robot, KILLS, talkers=1, until=until)
    pids = [node.pid for node in robot.manifest().nodes]
    until(lambda: robot.node("n0").schedulers, "its scheduler is found")
    assert robot.stop() == 0
    assert not any(map(alive, pids))
    assert [event["by"] for event in robot.events("NodeStopping", node="n0")] == ["GracefulShutdown"]


TWO = """
import horus
horus.run(horus.Node("left", tick=lambda node: None), horus.Node("right", tick=lambda node: None))
"""


# spec: C11 C22 F23
def test_a_node_that_was_stopped_by_name_is_not_restarted(launch, tmp_path):
    """`horus node kill` goes through the session: the process ends with its last node, whatever its policy."""
    (tmp_path / "arms.py").write_text(TWO)
    robot = launch(
        "robot", "nodes: [{name: arms, command: arms.py, restart: always}, {name: done, command: echo}]"
    )
    robot.ready()
    pid = robot.node("arms").pid
    until(lambda: not robot.node("done").pid, "it has ended")
    code, _, said = horus("node", "restart", "done")
    assert (code, "`horus launch --restart done` starts it again." in said) == (1, True), said
    code, _, said = horus("node", "kill", "left")
    assert code == 0, said
    until(lambda: robot.node("arms").schedulers[0].nodes == ["right"], "one is left")
    assert robot.node("arms").pid == pid
    answer = control.ask_topic(robot.namespace, "horus.launch.ctl.robot", "PauseNode", node="right")
    assert answer["process"] == "arms"
    until(lambda: "  Paused " in ask("--status")[1], "the status says so")
    control.ask_topic(robot.namespace, "horus.launch.ctl.robot", "StopNode", node="right")
    assert robot.wait() == 0
    assert not alive(pid)
    assert robot.events("NodeRestarted") == []
    end = robot.events("NodeExited")[-1]
    assert (end["asked"], end["exit_code"]) == (True, 0)


BETWEEN = """
nodes:
  - {name: waits, command: sleep 1000, start_delay: 1000}
  - {name: fails, command: ./fails.sh, restart: {policy: always, backoff: 0.01, max_backoff: 1000, max: 1000}}
"""


# spec: C22
def test_a_node_that_does_not_run_just_now_is_reached_too(launch, tmp_path):
    """Between two runs, or before the first: killing it keeps it from starting; why it cannot start is told."""
    program = tmp_path / "fails.sh"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    robot = launch("robot", BETWEEN)
    robot.reaches("fails", "backing-off")
    program.unlink()
    why = "Starting [fails] failed: No such file or directory"
    until(lambda: robot.node("fails").waiting_for.startswith(why), "why it does not start")
    until(lambda: why in ask("--status")[1], "the status tells it, too")
    names = [target.name for target in steering.targets(robot.namespace)]
    assert names == ["waits", "fails"]
    for name, status in (("fails", "crashed"), ("waits", "stopped")):
        chosen = steering.choose(robot.namespace, [name])
        (done,) = steering.steer(steering.STOP, chosen, robot.namespace, timeout_s=10).nodes
        assert done.text == f"{name} is not started any more by its launcher, session robot."
        if name == "fails":  # the session goes on
            robot.reaches(name, status)
    assert robot.wait() == 3


# spec: F31
def test_a_file_is_launched_in_a_test(tmp_path, monkeypatch):
    """horus.testing.launched: a namespace of its own, every node ready, messages there, and nothing left."""
    monkeypatch.delenv("HORUS_NAMESPACE", raising=False)
    (tmp_path / "talker.py").write_text(storm.TALKER.format("n0"))
    (tmp_path / "robot.yaml").write_text("nodes: [{name: n0, command: talker.py}]")
    with launched(tmp_path / "robot.yaml", topics=["from.n0"]) as session:
        where = os.environ["HORUS_NAMESPACE"]
        with face.Topic("from.n0") as topic:
            assert topic.latest()["pid"] == session.look().nodes[0].pid
    assert session.exit_code == 0
    assert "HORUS_NAMESPACE" not in os.environ
    assert not [entry for entry in Path("/dev/shm").iterdir() if where in entry.name]
    (tmp_path / "bad.yaml").write_text("nodes: [{name: n0, command: \"sh -c 'echo broken >&2; exit 9'\"}]")
    with (
        pytest.raises(face.LaunchError, match=r"exit code 9(.|\n)*\[n0\] broken"),
        launched(tmp_path / "bad.yaml"),
    ):
        pass
    assert not [entry for entry in Path("/dev/shm").iterdir() if where.partition("-")[0] in entry.name]


def test_a_namespace_that_was_given_is_not_removed(tmp_path, horus_namespace):
    """Whoever else is in it goes on."""
    (tmp_path / "bad.yaml").write_text("nodes: [{name: n0, command: sh -c 'exit 9'}]")
    with face.Topic("kept") as topic, face.Topic("kept") as peer:
        assert not peer.has_msg()
        with pytest.raises(face.LaunchError), launched(tmp_path / "bad.yaml", namespace=horus_namespace):
            pass
        assert namespace.path(horus_namespace).exists()
        topic.send({"n": 1})
        assert peer.recv() == {"n": 1}
        with face.Topic("kept") as late:
            assert late.latest() == {"n": 1}


def test_sessions_from_python(tmp_path, horus_namespace):
    """horus.launch.load().start(), from a thread; without its object the session ends."""
    (tmp_path / "robot.yaml").write_text("nodes: [{name: a, command: sleep 1000}]")
    started = []
    file = sessions.load(tmp_path / "robot.yaml")
    thread = threading.Thread(target=lambda: started.append(file.start()))
    thread.start()
    thread.join()
    (session,) = started
    pid = session.wait_ready().nodes[0].pid
    assert session.plan.namespace == horus_namespace
    session.release()  # as the end of this process would
    assert session.wait() == 0
    assert not alive(pid)
    text = "nodes: [{name: a, command: sleep 1000, ready_timeout: 0.2}]"  # it takes a second
    (tmp_path / "late.yaml").write_text(text)
    with (
        sessions.load(tmp_path / "late.yaml").start() as late,
        pytest.raises(
            face.LaunchError, match=r"'a' of session 'late' is not ready: expected that within 0.2 s"
        ),
    ):
        late.wait_ready()
    with sessions.start(file.plan(session="other")) as other:
        assert other.wait_ready().session == "other"
    assert other.exit_code == 0
