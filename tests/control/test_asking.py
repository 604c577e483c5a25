"""Asking processes that cannot answer: stopped, killed, ended in the middle, or never there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import horus
from horus_plugins.monitor.control import ask

ROBOT = """
import horus

horus.run(
    horus.Node("arm", tick=lambda: None, init=lambda: print("ready", flush=True), rate=100),
    name="robot",
)
print("ended", flush=True)
"""


# spec: F34 F22
def test_who_is_asked_may_be_stopped_dead_or_nobody(namespace, program, until):
    """Each has its own error, which says what is known of the process; what timed out is not done afterwards."""
    with pytest.raises(horus.NodeError, match="expected one of none, got 'robot'.*namespace"):
        ask(namespace, "robot", "Ping")
    robot = program(ROBOT)
    robot.wait_for("ready")
    pid = robot.process.pid
    assert until(lambda: ask(namespace, "robot", "Ping", timeout_s=10))["pid"] == pid
    with pytest.raises(horus.NodeError, match="expected one of robot, got 'robo'.*Did you mean 'robot'"):
        ask(namespace, "robo", "Ping")
    robot.process.send_signal(signal.SIGSTOP)
    until(lambda: _state(pid) == "T")
    with pytest.raises(
        horus.HorusTimeoutError, match=f"{pid} is stopped.*kill -CONT {pid}.*Nothing was done"
    ):
        ask(namespace, "robot", "GracefulShutdown", timeout_s=0.05)
    robot.process.send_signal(signal.SIGCONT)
    assert ask(namespace, "robot", "Ping", timeout_s=10)["stopping"] is False, (
        "the late request was not obeyed"
    )
    robot.process.send_signal(signal.SIGSTOP)
    until(lambda: _state(pid) == "T")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(horus.NodeError, match=f"(got one whose run was killed|end of its process).*{pid}"):
        ask(namespace, "robot", "Ping", timeout_s=10)
    robot.process.wait()
    with pytest.raises(horus.NodeError, match=f"was killed.*{pid}.*horus blackbox robot"):
        ask(namespace, "robot", "Ping")


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
