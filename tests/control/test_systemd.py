"""What a run tells systemd, read at the other end of a real socket."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from horus_core.control import systemd
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler


class Manager:
    """A socket as systemd has one, and what came."""

    def __init__(self, address):
        self.said = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def next(self):
        self.said.append(self.socket.recv(4096).decode())
        return self.said[-1]

    def waiting(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.next()
        except BlockingIOError:
            return self.said
        finally:
            self.socket.settimeout(20)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No test inherits the line of the one before."""
    monkeypatch.setattr(systemd, "_notifier", None)
    for variable in (systemd.SOCKET, systemd.WATCHDOG_US, systemd.WATCHDOG_PID):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    opened = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv(systemd.SOCKET, str(tmp_path / "notify"))
    yield opened
    opened.socket.close()


# spec: D7
def test_ready_when_all_have_started_and_stopping_before_they_shut_down(manager):
    """READY=1 follows the last init(), STOPPING=1 precedes the first shutdown(), and children hear of no service."""
    seen = []
    nodes = [
        Node(
            name,
            tick=lambda: None,
            init=lambda: seen.append((manager.waiting()[:], os.environ.get(systemd.SOCKET))),
            shutdown=lambda: seen.append(manager.waiting()[:]),
            rate=200,
        )
        for name in ("a", "b")
    ]
    run(*nodes, name="robot", duration=0.01)
    assert seen[0] == seen[1] == ([], None)
    assert manager.said[0] == "READY=1\nSTATUS=robot: 2 nodes"
    assert seen[2][-1] == "STOPPING=1\nSTATUS=stopping robot"
    assert not [said for said in manager.said if "WATCHDOG" in said], "nobody asked for it"


def test_a_run_whose_init_fails_is_never_ready(manager):
    """Neither READY=1 nor STOPPING=1: the service has failed to start."""

    def fail():
        raise ValueError("no motor")

    with pytest.raises(ValueError, match="no motor"):
        run(Node("a", tick=lambda: None, init=fail))
    assert manager.waiting() == []


def test_the_watchdog_hears_nothing_while_a_node_hangs(manager, monkeypatch, gate, until):
    """WATCHDOG=1 comes twice in its time, ceases while a node hangs, which the status names, and goes on."""
    monkeypatch.setenv(systemd.WATCHDOG_US, "40000")
    monkeypatch.setenv(systemd.WATCHDOG_PID, str(os.getpid()))
    hang, hangs = threading.Event(), threading.Event()

    def tick():
        if hang.is_set():
            hangs.set()
            gate.wait(30)

    scheduler = Scheduler(name="robot").add(Node("good", tick=lambda: None, rate=200))
    scheduler.add(Node("bad", tick=tick, rate=200, rt=True))
    scheduler.start()
    while manager.next() != "WATCHDOG=1":
        pass
    hang.set()
    assert hangs.wait(20)
    while manager.next() != "STATUS=robot: 2 nodes, hanging: bad":
        pass
    ticks = scheduler.get_node_stats("good")["total_ticks"]
    manager.waiting()
    silent_from = len(manager.said)
    until(lambda: scheduler.get_node_stats("good")["total_ticks"] > ticks + 20)
    assert manager.waiting()[silent_from:] == []
    hang.clear()
    gate.set()
    while manager.next() != "WATCHDOG=1":
        pass
    scheduler.stop()
    assert scheduler.join(20)
    assert manager.waiting()[-1].startswith("STOPPING=1")


def test_what_does_not_count(manager, monkeypatch, caplog, tmp_path):
    """Another process's watchdog, values that are none, and a socket that is gone cost a warning at most."""
    for variable, value in (
        (systemd.WATCHDOG_PID, "1"),
        (systemd.WATCHDOG_US, "soon"),
        (systemd.WATCHDOG_US, "-5"),
    ):
        monkeypatch.setenv(systemd.SOCKET, str(tmp_path / "notify"))
        monkeypatch.setenv(systemd.WATCHDOG_US, "40000")
        monkeypatch.setenv(variable, value)
        assert systemd.notifier().watchdog_s == float("inf")
        assert not {systemd.SOCKET, systemd.WATCHDOG_US, systemd.WATCHDOG_PID} & {*os.environ}
    monkeypatch.setattr(systemd, "_notifier", None)
    monkeypatch.setenv(systemd.SOCKET, "vsock:2:1")
    run(Node("a", tick=lambda: None), duration=0)
    assert "expected a path, or @ and a name, got 'vsock:2:1'" in caplog.text
    monkeypatch.setenv(systemd.SOCKET, str(tmp_path / "gone"))
    run(Node("a", tick=lambda: None), duration=0)
    assert caplog.text.count("systemd is not told how this run goes") == 1
    assert manager.waiting() == []


def test_abstract_sockets_and_several_runs(monkeypatch):
    """`@name` is an abstract socket; the first run makes the process ready, and only the last one's end stops it."""
    address = f"@horus-test-{os.getpid()}"
    manager = Manager("\0" + address[1:])
    monkeypatch.setenv(systemd.SOCKET, address)
    with Scheduler(name="outer").add(Node("a", tick=lambda: None)) as outer:
        outer.tick_once()
        with Scheduler(name="inner").add(Node("b", tick=lambda: None)) as inner:
            inner.start()
            while manager.next() != "STATUS=inner: 1 node":
                pass
            inner.stop()
            inner.join()
    manager.waiting()
    manager.socket.close()
    assert [said.partition("\n")[0] for said in manager.said if "=1" in said] == ["READY=1", "STOPPING=1"]
    assert manager.said[-1] == "STOPPING=1\nSTATUS=stopping outer"
