"""What a session tells systemd, read at the other end of a real socket."""

import socket

import pytest
from launching import LIMIT_S, WAITS

from horus_core.control import systemd

HANGS = """
import time
import horus
horus.run(horus.Node("arm", tick=lambda: None, init=lambda: time.sleep(1000)))
"""
NEVER_READY = f"""
stop: {{graceful: 0.05, terminate: 0.05}}
nodes:
  - {{name: arm, command: arm.py, ready_timeout: 1.5}}
  - {{name: camera, command: {WAITS}}}
"""


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A socket as systemd has one; the next message that came."""
    address = str(tmp_path / "notify")
    monkeypatch.setenv(systemd.SOCKET, address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(address)
        opened.settimeout(LIMIT_S)
        yield lambda: opened.recv(4096).decode()


def next_else(manager):
    """The next message that is no asking for more time: a busy machine may need some."""
    while (said := manager()).startswith("EXTEND"):
        pass
    return said


# spec: D7
def test_the_limit_of_a_start_is_the_launch_files(launch, manager, tmp_path):
    """The manager is told to wait on, until a node has taken longer than its own time: then the service fails."""
    ready = launch("ready", "nodes: [{name: a, command: 'sleep 1000'}]")
    assert manager() == "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=0 of 1 nodes are ready"
    assert next_else(manager) == "READY=1\nSTATUS=1 of 1 nodes run"
    assert ready.stop() == 0
    assert manager() == "STOPPING=1\nSTATUS=stopping (Ctrl+C)"
    (tmp_path / "arm.py").write_text(HANGS)
    robot = launch("robot", NEVER_READY)
    assert manager().startswith("EXTEND_TIMEOUT_USEC=30000000\n")
    assert next_else(manager) == "STOPPING=1\nSTATUS=stopping ([arm] was not ready within 1.5 s)"
    assert robot.wait() != 0
    assert robot.events("SessionStop")[0]["reason"] == "[arm] was not ready within 1.5 s"
    assert robot.events("SessionStop")[0]["exit_code"] != 0
