"""What the nodes of a namespace are said to be: each state where it is true, and where it is not any more."""

from __future__ import annotations

import os
import shlex
import signal
import struct
import sys
import threading
import time

import pytest

import horus
from horus_core import _native
from horus_core.control import flights
from horus_core.shm import namespace, process
from horus_plugins.launch import manifest
from horus_plugins.monitor import estop, node_list, node_pace, processes, schedulers

MS = 1_000_000
ROBOT = """
import sys, threading
import horus

release, gate = threading.Event(), threading.Event()
fail, hang = [], []

def arm():
    if fail:
        raise ValueError("no air")

def grip():
    if hang:
        release.wait()

def break_down(node):
    if node.info.tick_count() == 3:
        raise RuntimeError("gear lost")

def quiet(node, error):
    pass

robot = horus.Scheduler(name="robot")
robot.add(horus.Node("camera", tick=lambda: None, rate=100, order=1, pubs=["rgb"]))
robot.add(horus.Node("arm", tick=arm, rate=100, order=2, on_error=quiet))
robot.add(horus.Node("grip", tick=grip, rate=50, rt=True, watchdog=0.05, order=3))
robot.add(horus.Node("wheel", tick=break_down, rate=50, failure_policy="isolate", order=4))
robot.add(horus.Node("ear", tick=lambda: None, on="rgb", order=5))
robot.start()
print("started", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
robot.stop()
robot.join()
"""
HAS_CRASHED = """
import horus

def tick():
    raise RuntimeError("no power")

try:
    horus.run(horus.Node("weak", tick=tick), horus.Node("fine", tick=lambda: None, order=200), name="weak")
except RuntimeError:
    print("ended", flush=True)
"""


@pytest.fixture
def look(horus_namespace):
    """The nodes by name, as an observer sees them now."""

    def see(**options):
        listed = node_list.Observer(horus_namespace, **options).look(0.03)
        return {node.name: node for node in listed.nodes}

    return see


@pytest.fixture
def state(look, until):
    """Wait until a node is shown in that state; the node."""

    def wait(name, wanted):
        return until(lambda: (node := look().get(name)) is not None and node.state == wanted and node)

    return wait


def order(robot, line):
    robot.tell(line)
    robot.wait_for("done")


# spec: F22 F23 A56
def test_each_state_comes_and_goes(program, look, state, until):
    """Running, Paused, Error, Hung, Crashed and Stale are shown while they are true, and not afterwards."""
    robot = program(ROBOT)
    robot.wait_for("started")
    camera = state("camera", "running")
    assert (camera.pid, camera.scheduler, camera.order) == (robot.process.pid, "robot", 1)
    assert (camera.note, camera.rate_hz, camera.session) == ("", 100.0, "")
    assert camera.memory_bytes > 1_000_000
    assert 0 <= camera.cpu_percent < 10_000
    assert until(lambda: look()["camera"].reached_hz)
    assert look()["camera"].ticks >= camera.ticks
    ear = look()["ear"]
    assert (ear.state, ear.rate_hz, ear.reached_hz) == ("running", 0.0, 0.0)

    order(robot, "robot.pause('camera')")
    assert state("camera", "paused").note == ""
    assert look()["arm"].state == "running"
    order(robot, "robot.resume('camera')")
    state("camera", "running")

    order(robot, "fail.append(1)")
    assert "failures in a row, the last: ValueError: no air" in state("arm", "error").note
    order(robot, "fail.clear()")
    order(robot, "robot.remove_node('arm'); robot.add(horus.Node('arm', tick=arm, rate=100))")
    assert state("arm", "running").note == ""

    order(robot, "hang.append(1)")
    assert "in a tick for" in state("grip", "hung").note
    order(robot, "hang.clear(); release.set()")
    state("grip", "running")

    wheel = state("wheel", "crashed")
    assert wheel.note.startswith("RuntimeError: gear lost, 2")
    assert wheel.uptime_s is None

    _check_starts_stops_and_holds(robot, look, state, until)
    order(robot, "robot.remove_node('ear')")
    assert "ear" not in look(everything=True), "it is no node of the robot any more"

    _check_frozen(robot, look, state)
    order(robot, "robot.stop(); robot.join()")
    after = look(everything=True)
    assert after["wheel"].state == "crashed", "the run had trouble, so its record stays"
    assert {after[name].state for name in ("camera", "arm", "grip")} == {"stopped"}
    assert set(look()) == {"wheel"}, "who has ended is left out, who has crashed is not"


def _check_starts_stops_and_holds(robot, look, state, until):
    """Initializing and Stopping while init() and shutdown() run; a pause by an emergency stop says so."""
    order(robot, "slow = horus.Node('slow', tick=lambda: None, init=gate.wait, shutdown=gate.wait)")
    order(robot, "threading.Thread(target=robot.add, args=(slow,)).start()")
    state("slow", "initializing")
    order(robot, "gate.set()")
    state("slow", "running")
    order(robot, "gate.clear(); threading.Thread(target=robot.remove_node, args=('slow',)).start()")
    state("slow", "stopping")
    order(robot, "gate.set()")
    until(lambda: "slow" not in look(everything=True))

    order(robot, "robot.emergency_stop('test')")
    assert until(lambda: look()["camera"].note).startswith("held by an emergency stop")
    estop.release()
    assert until(lambda: not look()["camera"].note)


def _check_frozen(robot, look, state):
    """Stale as long as a signal stops the process; what has crashed before has crashed."""
    robot.process.send_signal(signal.SIGSTOP)
    camera = state("camera", "stale")
    assert f"`kill -CONT {robot.process.pid}`" in camera.note
    assert "it was running" in camera.note
    assert camera.cpu_percent == 0
    assert look()["wheel"].state == "crashed"
    robot.process.send_signal(signal.SIGCONT)
    assert state("camera", "running").note == ""


# spec: F22 A53
def test_the_killed_have_crashed_until_their_name_lives_again(program, look, state, until):
    """A killed process's nodes are Crashed, with its last sign of life; a new one of that name takes their place."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    robot.kill()
    camera = look()["camera"]
    assert camera.state == "crashed"
    assert f"its process ({robot.process.pid}) is gone without an end" in camera.note
    assert "last sign of life 2" in camera.note
    assert (camera.cpu_percent, camera.memory_bytes, camera.uptime_s) == (None, None, None)
    again = program(ROBOT.replace('name="robot"', 'name="other"'))
    again.wait_for("started")
    assert state("camera", "running").pid == again.process.pid
    assert {node.pid for node in look().values()} == {again.process.pid}


def test_what_crashed_of_itself_says_why_and_when(program, look):
    """The record of a crash stays after the process has ended; who was only stopped with it is left out."""
    weak = program(HAS_CRASHED)
    weak.wait_for("ended")
    weak.process.wait()
    (found,) = look().values()
    assert (found.name, found.state) == ("weak", "crashed")
    assert found.note.startswith("RuntimeError: no power, 2")
    assert look(everything=True)["fine"].state == "stopped"


def test_a_first_look_that_is_held_up_tells_cpu_all_the_same(look, horus_namespace, monkeypatch):
    """CPU is counted for the whole window, from when the processes were met, however late that is."""
    nodes = node_list._Look.nodes

    def held_up(self):
        time.sleep(0.05)
        return nodes(self)

    monkeypatch.setattr(node_list._Look, "nodes", held_up)
    with horus.Scheduler().add(horus.Node("camera", tick=lambda: None)) as scheduler:
        scheduler.tick_once()
        assert look()["camera"].cpu_percent is not None


def test_what_no_record_tells_is_unknown(program, look, state, horus_namespace):
    """A node that lives, but has no record, is called neither running nor dead; later its process is gone."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    (flights.folder(horus_namespace) / "robot.flight").unlink()
    camera = look()["camera"]
    assert (camera.state, camera.ticks, camera.figures) == ("unknown", None, None)
    assert camera.pid == robot.process.pid
    assert camera.memory_bytes
    robot.process.send_signal(signal.SIGSTOP)
    assert state("camera", "stale").note.endswith("lets it go on")
    robot.kill()
    assert "is gone without an end; it had started 2" in look()["camera"].note
    assert look()["camera"].state == "crashed"


# spec: F22
def test_what_cannot_be_read_is_said(program, state, horus_namespace):
    """Records and presence that make no sense are named with the reason, and the rest is shown."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    folder = namespace.path(horus_namespace)
    (folder / "schedulers" / "torn.flight").write_bytes(b"HORUSFLT" + os.urandom(5000))
    (folder / "nodes" / "torn.json").write_text('{"name": "torn", "pid": ')
    (folder / "nodes" / "\x1b[31mred\n.json").write_text("[]")
    (folder / "launch").mkdir()
    (folder / "launch" / "torn.json").write_text("null")
    listed = node_list.Observer(horus_namespace).look(0.0)
    assert "camera" in {node.name for node in listed.nodes}
    assert set(listed.unreadable) == {
        "the record of scheduler 'torn'",
        "the presence of node 'torn'",
        "the presence of node '\\\\x1b[31mred\\\\x0a'",
        "the manifest of session 'torn'",
    }


def test_a_record_that_is_cut_off_while_it_is_read(program, state, horus_namespace, monkeypatch):
    """One scheduler's record that makes no sense any more does not keep the others from being shown."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    made = Recorded(flights.folder(horus_namespace), 100, "ghost")
    opened = schedulers.schedulers

    def cut_off(where):
        found = opened(where)
        os.truncate(made.path, 4096)
        return found

    monkeypatch.setattr(schedulers, "schedulers", cut_off)
    listed = node_list.Observer(horus_namespace).look(0.0)
    assert set(listed.unreadable) == {"the record of scheduler 'made'"}
    assert "camera" in {node.name for node in listed.nodes}


def test_another_version_is_named_and_nobody_is_called_dead(program, state, look, horus_namespace):
    """Where a living process uses an index of other layouts, all that can be said is that."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    index = namespace.SHM / namespace.region(horus_namespace, process.INDEX)
    with index.open("r+b") as file:
        file.seek(8)
        layout = file.read(4)
        file.seek(8)
        file.write(struct.pack("<I", 9999))
        file.flush()
        listed = node_list.Observer(horus_namespace).look(0.0)
        file.seek(8)
        file.write(layout)
    assert str(robot.process.pid) in listed.unreadable["the namespace"]
    assert {node.state for node in listed.nodes} == {"unknown"}
    assert look()["camera"].state == "running"


def test_nothing_is_made_where_nobody_is(horus_namespace):
    """Looking at a namespace that is not there makes none."""
    listed = node_list.Observer(horus_namespace).look()
    assert (listed.nodes, listed.unreadable) == ([], {})
    assert not namespace.path(horus_namespace).exists()


# spec: C16
def test_nodes_of_a_launch_session_are_known_by_their_process(program, look, state, horus_namespace):
    """The process that a launcher started, or one of its descendants, belongs to the session; others do not."""
    robot = program(ROBOT)
    robot.wait_for("started")
    state("camera", "running")
    session = manifest.Manifest(
        session="formation",
        namespace=horus_namespace,
        file="formation.yaml",
        pid=os.getpid(),
        ident=1,
        started_ns=time.time_ns(),
        started_monotonic_ns=time.monotonic_ns(),
        control_topic=manifest.control_topic("formation"),
    )
    session.nodes = [manifest.LaunchedNode("robot", pid=robot.process.pid)]
    manifest.write(session)
    assert look()["camera"].session == "formation"
    session.nodes[0].pid = os.getpid()
    manifest.write(session)
    assert look()["camera"].session == "formation", "our child belongs to us"
    ended = manifest.Exit(at_ns=1, pid=robot.process.pid, signal="SIGSEGV", text="ended by SIGSEGV")
    session.nodes = [manifest.LaunchedNode("robot", status="crashed", last_exit=ended)]
    manifest.write(session)
    robot.kill()
    camera = look()["camera"]
    assert camera.session == "formation"
    assert camera.note.startswith(f"its process ({robot.process.pid}): ended by SIGSEGV; last sign of life 2")
    manifest.remove(session)
    assert look()["camera"].session == ""


class Recorded:
    """A scheduler's record, written here with ticks at chosen times."""

    def __init__(self, folder, rate, name="camera"):
        self.path = folder / "made.flight"
        self.path.write_bytes(bytes(_native.flight_size(rows=4)))
        fd = os.open(self.path, os.O_RDWR)
        self.flight = _native.Flight(fd, name="made", rows=4)
        os.close(fd)
        self.node = horus.Node(name, tick=lambda: None, rate=rate)
        self.node._horus_attach(self.flight, name)
        self.node._horus_class, self.node._horus_state = "best_effort", 2
        self.node._horus_period_ns = int(1e9 / rate)
        self._run = _native.Run(self.node, int, float(rate))

    def tick(self, *starts_ns, lasts_ns=MS):
        for start in starts_ns:
            self._run.begin(start)
            self._run.count(start, start + lasts_ns, False, 1)

    def pace(self, now_ns):
        record = schedulers.SchedulerRecord(self.path, None)
        rows = record.rows()
        self.row = rows[0]
        return node_pace.paces(record, rows, now_ns, measure=True)[rows[0]["row"]]

    def state(self, now_ns):
        pace = self.pace(now_ns)
        return schedulers.shown_state(self.row, schedulers.RUNNING, pace.last_tick_ns, now_ns)


# spec: F22
def test_the_rate_reached_is_counted_from_ticks(tmp_path):
    """Half of the ticks: half of the rate; and busy is the share of the time in ticks. Silence lowers it."""
    made = Recorded(tmp_path, 100)
    start = _native.now_ns() + 10 * MS
    assert made.pace(start).reached_hz is None, "nothing is known of a node that has just begun"
    made.tick(*range(start, start + 1000 * MS, 20 * MS), lasts_ns=5 * MS)
    pace = made.pace(start + 990 * MS)
    assert pace.reached_hz == pytest.approx(50)
    assert pace.busy_percent == pytest.approx(25, abs=2)
    assert made.pace(start + 1180 * MS).reached_hz == pytest.approx(50 * 15 / 24, rel=0.2)
    assert made.pace(start + 9_000 * MS).reached_hz == 0


def test_silence_is_stale_after_three_seconds_and_ten_periods(tmp_path):
    """Stale is who has begun no tick for longer than that; a slow node has more time."""
    made = Recorded(tmp_path, 100)
    start = _native.now_ns() + 10 * MS
    made.tick(start)
    assert made.state(start + 2_900 * MS) == "running"
    assert made.state(start + 3_100 * MS) == "stale"
    slow = Recorded(tmp_path, 1)
    slow.tick(start)
    assert slow.state(start + 9_900 * MS) == "running"
    assert slow.state(start + 10_100 * MS) == "stale"


def test_a_slow_node_is_found_behind_many_ticks_of_a_fast_one(tmp_path):
    """The last tick of each node is known, however many the others made since."""
    made = Recorded(tmp_path, 1)
    start = _native.now_ns() + 10 * MS
    made.tick(start)
    fast = horus.Node("fast", tick=lambda: None, rate=1000)
    fast._horus_attach(made.flight, "fast")
    fast._horus_period_ns = MS
    run = _native.Run(fast, int, 1000.0)
    for number in range(3000):
        run.begin(start + number * MS)
        run.count(start + number * MS, start + number * MS + 1000, False, 1)
    assert made.pace(start + 3000 * MS).last_tick_ns == start


def test_a_process_is_the_namespaces_only_if_it_is(horus_namespace):
    """A pid that was written elsewhere may be anybody's here: who does not map the namespace is not it."""
    assert processes.of_namespace(1 << 22, horus_namespace) is None
    assert processes.of_namespace(os.getpid(), horus_namespace) is None
    with horus.Topic("t", dict):
        mine = processes.of_namespace(os.getpid(), horus_namespace)
    assert (mine.pid, mine.parent, mine.stopped_by) == (os.getpid(), os.getppid(), "")
    assert mine.threads >= threading.active_count() > 0
    assert shlex.split(processes.command_line(os.getpid()))[0] == sys.orig_argv[0]


def test_cpu_is_that_of_the_time_between_two_looks():
    """A process that works uses a core; over a moment too short nothing is said, of the dead neither."""
    meter = processes.CpuMeter()
    meter.start(os.getpid())
    assert meter.percent(os.getpid()) is None
    end = time.process_time_ns() + 40 * MS
    while time.process_time_ns() < end:
        pass
    assert 1 < meter.percent(os.getpid()) < 10_000
    assert meter.percent(1 << 22) is None
