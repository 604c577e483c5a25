"""The scheduler's record in shared memory: live for other processes, and there after a crash."""

from __future__ import annotations

import os
import signal
import time

import pytest

from horus_core import _native
from horus_core.control import flights
from horus_core.errors import InvalidNameError, RegionError
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import cleaner, process
from horus_core.shm import namespace as namespaces

PROGRAM = """
import time
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def tick(node):
    print("tick", flush=True)

def flaky():
    raise ValueError("bad reading")

run(Node("camera", tick=tick, rate=100), Node("arm", tick=flaky, rate=50, failure_policy="ignore", order=107))
"""


def reader(namespace, name):
    return _native.FlightReader(flights.folder(namespace) / f"{name}.flight")


# spec: D20, D22
def test_another_process_reads_it_live(program, namespace, until):
    """While a process runs, its nodes' figures, ticks and events can be read without asking it."""
    one = program(PROGRAM, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    flight = reader(namespace, "robot")
    until(lambda: all(row["ticks"] > 3 for row in flight.rows()))
    header = flight.header()
    assert header["pid"] == one.process.pid
    assert header["name"] == "robot"
    assert flights.is_alive(header, process.member(namespace))
    camera, arm = flight.rows()
    assert (camera["name"], camera["class"], camera["state"], camera["order"]) == (
        "camera",
        "best_effort",
        "running",
        100,
    )
    assert camera["period_ns"] == 10_000_000
    assert camera["failed"] == 0
    assert arm["failed"] == arm["failed_in_row"] > 0
    assert 0 < camera["min_ns"] <= camera["max_ns"]
    assert camera["duration_p50_ns"] <= camera["duration_p99_ns"]
    before = flight.rows()[0]["ticks"]
    until(lambda: flight.rows()[0]["ticks"] > before)
    ticks = flight.ticks()
    assert [tick[0] for tick in ticks] == list(range(1, len(ticks) + 1))
    assert {(row, kind) for _, row, kind, *_ in ticks} == {(0, "ok"), (1, "failed")}
    assert all(tick[-1] == one.process.pid for tick in ticks), "the main thread's id is the process's"
    newer = until(lambda: flight.ticks(ticks[-1][0]))
    assert newer[0][0] == ticks[-1][0] + 1


# spec: B12, F13
def test_a_killed_process_leaves_it(program, namespace, until):
    """After SIGKILL the record tells the last ticks, the failures with their traceback, and of no end."""
    one = program(PROGRAM, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    until(lambda: any(event["kind"] == "failure" for event in reader(namespace, "robot").events()))
    one.kill()
    cleaner.clean_quietly()
    flight = reader(namespace, "robot")
    assert flight.header()["ended_ns"] == 0
    assert not flights.is_alive(flight.header(), process.member(namespace))
    assert flight.ticks()
    failure = next(event for event in flight.events() if event["kind"] == "failure")
    assert failure["whole"]
    assert failure["node"] == 1
    assert "raise ValueError" in failure["text"]
    assert failure["text"].endswith("ValueError: bad reading\n")
    states = [(event["node"], event["state"]) for event in flight.events() if event["kind"] == "state"]
    assert states == [(0, "initializing"), (0, "running"), (1, "initializing"), (1, "running")]
    assert flights.listed(namespace) == [flights.folder(namespace) / "robot.flight"]


# spec: F3
def test_it_stays_until_the_name_starts_again(program, namespace):
    """A scheduler of the name of a dead one takes its place."""
    one = program(PROGRAM, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    one.kill()
    pids = []
    scheduler = Scheduler(name="robot")
    scheduler.add(Node("n", tick=lambda: pids.append(reader(namespace, "robot").header()["pid"])))
    scheduler.run(0)
    assert pids == [os.getpid()]
    assert flights.listed(namespace) == []


# spec: F3
def test_a_run_with_trouble_leaves_it_and_one_without_does_not(namespace):
    """What failed can be looked up afterwards; a run in which nothing did leaves nothing."""
    run(Node("n", tick=lambda: None), duration=0)
    assert flights.listed(namespace) == []

    def fail():
        raise ValueError("bad reading")

    with pytest.raises(ValueError):
        run(Node("n", tick=fail), duration=0)
    flight = reader(namespace, "n")
    assert flight.header()["ended_ns"] > 0
    assert flight.rows()[0]["state"] == "crashed"
    assert flight.rows()[0]["ticks"] == 1
    kinds = [event["kind"] for event in flight.events()]
    assert kinds[0] == "start"
    assert kinds[-1] == "stop"
    assert flight.events()[-1]["text"] == "by ValueError: bad reading"
    before = (flights.folder(namespace) / "n.flight").stat()
    assert before.st_blocks * 512 < before.st_size / 2, "what was not written is given back"
    removed = cleaner.clean([namespace], records=True)
    assert f"horus_{namespace}/schedulers/n.flight" in removed


LOCKED = """
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def fail():
    raise ValueError("bad reading")

run(Node("n", tick=fail, rt=True, failure_policy="ignore"), duration=0.05)
"""


def test_locked_memory_is_given_back(program, namespace):
    """A process with a real-time node locks its memory; its record gives back what was never written all the same."""
    program(LOCKED).finish()
    left = (flights.folder(namespace) / "n.flight").stat()
    assert left.st_blocks * 512 < left.st_size / 2


# spec: F3
def test_the_record_of_a_living_scheduler_is_never_cleaned(program, namespace, until):
    """Not by `horus clean`, and not for its age."""
    one = program(PROGRAM, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    path = flights.folder(namespace) / "robot.flight"
    cleaner.clean([namespace], records=True)
    assert path.exists()
    with namespaces.locked(namespace):
        os.utime(path, (1, 1))
        until(lambda: path.stat().st_mtime > time.time() - 10)  # it says now and then that it is young
    one.process.send_signal(signal.SIGINT)
    one.finish()
    assert path.exists(), "it had trouble"
    cleaner.clean([namespace], records=True)
    assert not path.exists()


def test_two_of_a_name_have_two_records(program, namespace):
    """A second scheduler of a name that lives gets another, in this process and in others."""
    one = program(PROGRAM, HORUS_NODE_NAME="robot")
    one.wait_for("tick")
    seen = []
    inner = Scheduler(name="robot").add(Node("b", tick=lambda: seen.extend(flights.listed(namespace))))

    def nested():
        import threading

        thread = threading.Thread(target=inner.run, args=(0,))
        thread.start()
        thread.join(20)

    Scheduler(name="robot").add(Node("a", tick=nested)).run(0)
    pid = os.getpid()
    names = {path.name.removesuffix(".flight") for path in seen}
    assert {"robot", f"robot-{pid}"} < names
    assert len(names) == 3


# spec: C5
def test_its_name(monkeypatch):
    """As given, else HORUS_NODE_NAME, else its only node's, else with the pid."""
    monkeypatch.delenv("HORUS_NODE_NAME", raising=False)
    one, two = Node("one", tick=print), Node("two", tick=print)
    assert Scheduler().add(one).name == "one"
    assert Scheduler().add(one).add(two).name == f"scheduler-{os.getpid()}"
    monkeypatch.setenv("HORUS_NODE_NAME", "arm")
    assert Scheduler().add(one).name == "arm"
    assert Scheduler(name="robot").add(one).name == "robot"
    monkeypatch.setenv("HORUS_NODE_NAME", "a/b")
    with pytest.raises(InvalidNameError, match="HORUS_NODE_NAME is set"):
        Scheduler()


def test_no_room_is_no_reason_not_to_run(namespace, monkeypatch, capfd):
    """Where the record cannot be made, the nodes run all the same, and the log says so."""

    def full(*_):
        raise OSError(28, "No space left on device")

    seen = []
    process.member(namespace)
    monkeypatch.setattr(cleaner, "clean_quietly", lambda _: None)  # it would take the membership away again
    monkeypatch.setattr(os, "posix_fallocate", full)
    run(Node("n", tick=lambda: seen.append(1)), duration=0)
    assert seen == [1]
    assert "has no record in shared memory: [Errno 28]" in capfd.readouterr().err
    assert list(flights.folder(namespace).glob("*")) == []


def test_more_nodes_than_rows(namespace):
    """A record has a row for each node, however many there are; a node without one counts at home."""
    seen = []
    nodes = [Node(f"n{i}", tick=lambda: None) for i in range(200)]
    last = Node("last", order=200, tick=lambda: seen.append(len(reader(namespace, "many").rows())))
    scheduler = Scheduler(name="many").add(last)
    for node in nodes:
        scheduler.add(node)
    scheduler.run(0)
    assert seen == [201]
    flight = _native.Flight(rows=1)
    assert nodes[0]._horus_attach(flight, "a") == 0
    assert nodes[1]._horus_attach(flight, "b") == -1
    assert nodes[1]._horus_ticks == 1
    nodes[0]._horus_detach(True)
    assert nodes[1]._horus_attach(flight, "b") == 0
    assert (nodes[0]._horus_ticks, nodes[1]._horus_ticks) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"HORUSFLT", b"x" * 5000, b"HORUSFLT" + b"\xff" * 100_000])
def test_a_reader_refuses_what_is_no_record(tmp_path, content):
    """Any bytes are an error that says what was expected, or figures without sense; never a crash."""
    path = tmp_path / "n.flight"
    path.write_bytes(content)
    with pytest.raises(RegionError, match="Cannot read a scheduler's record"):
        _native.FlightReader(path)


def test_a_reader_survives_what_becomes_of_the_file(tmp_path):
    """A file that is spoilt or cut short while it is read gives less, or an error."""
    path = tmp_path / "n.flight"
    path.write_bytes(b"\0" * _native.flight_size())
    with path.open("r+b") as file:
        flight = _native.Flight(file.fileno(), name="n", ident=5)
    flight.event("note", "x" * 1000, detail=3)
    flight.event("note", b"\xff\xfe")
    node = Node("node", tick=print)
    node._horus_attach(flight, "node")
    one = _native.FlightReader(str(path))
    assert [len(event["text"]) for event in one.events()] == [1000, 2]
    assert one.rows()[0]["name"] == "node"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x11" * 100_000)
        file.seek(600_000)
        file.write(b"\xfe" * 200_000)
    assert one.rows()[0]["state"] == "unknown"
    one.ticks()
    one.events()
    del flight, node
    with path.open("r+b") as file:
        file.truncate(5000)
    with pytest.raises(RegionError):
        one.rows()
    with pytest.raises(RegionError):
        one.ticks()


def test_bad_use_of_a_flight_is_refused(tmp_path):
    """A file of another length, kinds that do not exist, arguments of other types."""
    path = tmp_path / "short"
    path.write_bytes(b"\0" * 100)
    with path.open("r+b") as file, pytest.raises(ValueError, match="expected a file of"):
        _native.Flight(file.fileno())
    with pytest.raises(ValueError, match="not a kind of event"):
        _native.Flight().event("nonsense")
    with pytest.raises(TypeError):
        Node("n", tick=print)._horus_attach(3, "n")
    with pytest.raises(FileNotFoundError):
        _native.FlightReader(tmp_path / "none")


# spec: E13
def test_percentiles_of_the_duration():
    """p50 and p99 lie where the durations do, between the least and the most."""
    node = Node("n", tick=lambda: None, rate=1000)
    assert node._horus.info.get_metrics()["p50_tick_duration_ms"] == 0.0
    from horus_core.scheduler.entry import Entry

    entry = Entry(node, None)
    for i in range(1, 1001):
        entry.begin(i * 1_000_000)
        entry.count(0, i * 10_000, False, 0)  # 0.01 to 10 ms
    metrics = node._horus.info.get_metrics()
    assert metrics["p50_tick_duration_ms"] == pytest.approx(5, rel=0.1)
    assert metrics["p99_tick_duration_ms"] == pytest.approx(9.9, rel=0.1)
    assert metrics["min_tick_duration_ms"] == 0.01
    assert metrics["max_tick_duration_ms"] == 10
    assert namespaces.SHM.exists()
