"""`horus blackbox`: what a scheduler did last, whether it lives, has ended or was killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise

import pytest

from horus_core import _native
from horus_core.control import flights
from horus_core.shm import namespace, process
from horus_core.testing.namespaces import new_namespace, remove_namespace

ROBOT = """
    import sys
    import time
    import horus

    def see():
        pass

    def grip(node):
        if horus.tick() == 20:
            raise ValueError("kaputt: Überdruck \\x1b[31m \\u4f60\\u597d")
        if horus.tick() == 60:
            print("in a tick", flush=True)
            if "hang" in sys.argv:
                time.sleep(100)

    horus.run(
        horus.Node("camera", tick=see, rate=200, order=1),
        horus.Node("arm", tick=grip, rate=100, failure_policy="ignore"),
        name="robot",
    )
    """
RAISES = """
    import horus

    def grip(node):
        if horus.tick() == 3:
            raise RuntimeError("no power")

    horus.run(horus.Node("arm", tick=grip, rate=100), name="weak")
    """
CALM = """
    import horus
    horus.run(horus.Node({name!r}, tick=lambda: print("calm", flush=True), rate=50))
    """


@pytest.fixture
def shown(horus):
    """What `horus blackbox` prints with these arguments; it ends with 0."""

    def show(*arguments):
        command = horus("blackbox", *arguments)
        assert command.wait() == 0, command.stderr
        return command.stdout

    return show


@pytest.fixture
def report(shown):
    """The one report that `horus blackbox NAME --json` gives."""

    def read(*arguments):
        (one,) = json.loads(shown(*arguments, "--json"))["schedulers"]
        return one

    return read


@pytest.fixture(scope="module")
def left_behind(command, tmp_path_factory):
    """What a robot that was killed while the arm was in a tick left in its namespace's folder; its pid."""
    folder, name = tmp_path_factory.mktemp("robot"), new_namespace()
    (folder / "robot.py").write_text(textwrap.dedent(ROBOT))
    environment = {**os.environ, namespace.VARIABLE: name}
    robot = command("run", "robot.py", "--", "hang", cwd=folder, env=environment)
    try:
        robot.shows("in a tick")
        robot.signal(signal.SIGKILL)
        robot.wait()
        kept = shutil.copytree(namespace.path(name), folder / "namespace")
    finally:
        robot.close()
        remove_namespace(name)
    return kept, robot.pid


@pytest.fixture
def killed(left_behind, ns):
    """A robot that was killed while the arm was in a tick; its pid."""
    kept, pid = left_behind
    shutil.copytree(kept, namespace.path(ns))
    return pid


# spec: B12
def test_one_that_was_killed_in_a_tick(killed, shown, report):
    """Who, when, the nodes' figures, the failure with its traceback, and the tick that never ended."""
    text = shown("robot", "--last", "60")
    lines = text.splitlines()
    assert lines[0] == f"Scheduler robot, pid {killed}: was killed: it is gone without an end"
    assert "last sign of life" in text
    rows = [line.split() for line in lines]
    assert ["camera", "crashed", "best_effort", "200", "Hz"] in [row[:5] for row in rows]
    assert any(line.startswith("arm was in a tick that never ended, begun ") for line in lines)
    assert "failure arm  ValueError: kaputt: Überdruck \\x1b[31m 你好" in text
    assert "raise ValueError" in text
    assert "\x1b" not in text, "what a node raised cannot steer the terminal"
    one = report("robot", "--last", "60")
    assert (one["state"], one["pid"]) == ("killed", killed)
    camera, arm = one["nodes"]
    assert [node["figures"]["state"] for node in one["nodes"]] == ["crashed", "crashed"]
    assert arm["figures"]["total_ticks"] == 60
    assert arm["figures"]["errors_count"] == 1
    assert camera["in_tick_since"] is None
    assert arm["in_tick_since"][:4].isdigit()
    assert one["until"] >= arm["in_tick_since"] > one["since"]
    ticks = [tick for tick in one["ticks"] if tick["node"] == "arm"]
    assert [tick["kind"] for tick in ticks] == ["ok"] * 20 + ["failed"] + ["ok"] * 39
    assert all(before["time"] < after["time"] for before, after in pairwise(ticks))


def test_what_is_asked_for(killed, shown, report):
    """--last, --node and --ticks leave out and show what they say."""
    assert "failure arm" not in shown("--last", "0.1")
    few = report("--last", "0.1")
    assert 0 < len(few["ticks"]) < len(report("--last", "60")["ticks"])
    assert not few["events"]
    camera = report("robot", "--last", "60", "--node", "camera")
    assert {tick["node"] for tick in camera["ticks"]} == {"camera"}
    assert {event["node"] for event in camera["events"]} == {"camera", None}
    assert len(camera["nodes"]) == 1
    assert "ticks, all ok, until" in shown("--last", "60")
    every = shown("--last", "60", "--ticks")
    assert "ticks, all ok" not in every
    assert sum(" tick arm  ok" in line for line in every.splitlines()) == 59


# spec: F3 F22
def test_one_that_raised(horus, script, report):
    """It has ended, of its own failure; the reason and the traceback are there."""
    script("weak.py", RAISES)
    assert horus("run", "weak.py").wait() == 1
    one = report("weak")
    assert one["state"] == "ended"
    assert one["nodes"][0]["figures"]["state"] == "crashed"
    kinds = [event["kind"] for event in one["events"]]
    assert kinds[0] == "start"
    assert kinds[-1] == "stop"
    assert one["events"][-1]["text"] == "by RuntimeError: no power"
    assert any(
        "RuntimeError: no power" in event["text"] for event in one["events"] if event["kind"] == "failure"
    )


# spec: B12
def test_one_that_lives_is_followed_to_its_end(horus, script):
    """--follow shows what happens as it happens, and ends when the scheduler is gone."""
    script("robot.py", ROBOT)
    robot = horus("run", "robot.py")
    robot.shows("in a tick")
    follower = horus("blackbox", "robot", "--follow", "--node", "arm", "--ticks")
    follower.shows("pid ")
    assert f"Scheduler robot, pid {robot.pid}: runs" in follower.stdout
    before = follower.stdout.count("tick arm")
    follower.shows("tick arm", before + 20)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0
    assert follower.wait() == 0
    assert "state arm  stopped" in follower.stdout
    assert "stop scheduler  as asked" in follower.stdout
    assert follower.stdout.endswith("Scheduler robot has ended.\n")
    begun = [line.split()[0] for line in follower.stdout.splitlines() if "tick arm" in line]
    assert len(begun) == len(set(begun)), "no tick comes twice"


def test_following_as_json(horus, script):
    """One JSON object a line: the report, then events and ticks, then how it is gone. No tick is lost or doubled."""
    script("robot.py", ROBOT)
    robot = horus("run", "robot.py")
    robot.shows("in a tick")
    follower = horus("blackbox", "--follow", "--json", "--last", "60")
    follower.shows('{"tick"', 50)
    robot.signal(signal.SIGKILL)
    robot.wait()
    assert follower.wait() == 0
    lines = [json.loads(line) for line in follower.stdout.splitlines()]
    assert lines[0]["report"]["state"] == "running"
    assert lines[-1] == {"state": "killed"}
    ticks = lines[0]["report"]["ticks"] + [line["tick"] for line in lines if "tick" in line]
    (one,) = json.loads(horus_json(horus))["schedulers"]
    assert sorted(tick["time_ns"] for tick in ticks) == sorted(tick["time_ns"] for tick in one["ticks"])


def horus_json(horus):
    command = horus("blackbox", "--json", "--last", "60")
    assert command.wait() == 0, command.stderr
    return command.stdout


# spec: F22
def test_interrupted_and_unread(horus, script, ns):
    """Ctrl+C ends a follower with 130 and without a traceback; a reader that has gone ends it, too."""
    script("robot.py", ROBOT)
    robot = horus("run", "robot.py")
    robot.shows("in a tick")
    follower = horus("blackbox", "-f")
    follower.shows("runs")
    follower.signal(signal.SIGINT)
    assert follower.wait() == 130
    assert follower.stderr.strip() == ""
    for options in ("--follow --ticks", "--ticks --last 60", "--json --last 60"):
        command = f"'{sys.executable}' -m horus_cli blackbox {options} | head -c 10"
        piped = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
        assert len(piped.stdout) == 10
        assert piped.stderr == ""


# spec: F22
def test_several_and_none(horus, script, ns):
    """Without NAME several are listed; a wrong name says which there are; nothing is an empty list, and explained."""
    empty = horus("blackbox", "--json")
    assert empty.wait() == 0
    assert json.loads(empty.stdout) == {"namespace": ns, "schedulers": []}
    assert "No records of schedulers" in empty.stderr
    assert not namespace.path(ns).exists(), "looking creates nothing"
    started = []
    for name in ("left", "right"):
        script(f"{name}.py", CALM.format(name=name))
        started.append(horus("run", f"{name}.py"))
        started[-1].shows("calm")
    listed = horus("blackbox")
    assert listed.wait() == 0
    first, *rows = listed.stdout.splitlines()
    assert first.split() == ["SCHEDULER", "STATE", "PID", "NODES", "SINCE"]
    assert [row.split()[:4] for row in rows] == [
        [name, "running", str(one.pid), "1"] for name, one in zip(("left", "right"), started, strict=True)
    ]
    wrong = horus("blackbox", "middle")
    assert wrong.wait() == 1
    assert "expected one of 'left', 'right', got 'middle'" in wrong.stderr
    for option in ("--follow", "--trace=t.json", "--follow --trace=t.json left"):
        assert horus("blackbox", *option.split()).wait() == 2
    assert horus("blackbox", "left", "--last", "-1").wait() == 2
    other = horus("blackbox", env={**os.environ, "HORUS_NAMESPACE": f"{ns}-other"})
    assert other.wait() == 0
    assert f"horus blackbox --namespace {ns}" in other.stderr


def test_a_silent_node_is_stale(horus, script, report, wait_for):
    """A node whose process is stopped, or whose tick does not end, is not called running for long."""
    script("calm.py", CALM.format(name="calm"))
    calm = horus("run", "calm.py")
    calm.shows("calm")
    assert report("calm")["nodes"][0]["figures"]["state"] == "running"
    calm.signal(signal.SIGSTOP)
    wait_for(lambda: report("calm")["nodes"][0]["figures"]["state"] == "stale", "stale")
    assert report("calm")["state"] == "running"
    calm.signal(signal.SIGCONT)
    wait_for(lambda: report("calm")["nodes"][0]["figures"]["state"] == "running", "running again")


def test_a_trace_for_perfetto(killed, horus, tmp_path):
    """--trace: the trace event format; every tick with its thread and duration, threads named, the open tick open."""
    command = horus("blackbox", "robot", "--trace", "trace.json")
    assert command.wait() == 0
    assert "ticks to trace.json" in command.stderr
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    events = trace["traceEvents"]
    for event in events:
        assert event["ph"] in "XBiM"
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert isinstance(event["ts"], (int, float))
        assert event["ts"] >= 0
        assert isinstance(event["name"], str)
        assert event["ph"] != "X" or event["dur"] >= 0
        assert event["ph"] != "i" or event["s"] in ("g", "p", "t")
        assert isinstance(event["args"], dict)
    ticks = [event for event in events if event["ph"] == "X"]
    assert sum(tick["name"] == "arm" for tick in ticks) == 60
    assert {tick["tid"] for tick in ticks} == {killed}, "the main thread's id is the process's"
    threads = {one["tid"]: one["args"]["name"] for one in events if one["name"] == "thread_name"}
    assert threads == {killed: "camera, arm"}
    (unended,) = (event for event in events if event["ph"] == "B")
    assert (unended["name"], unended["cat"]) == ("arm", "never ended")
    assert unended["ts"] >= max(tick["ts"] for tick in ticks if tick["name"] == "arm")
    starts = [tick["ts"] for tick in ticks if tick["name"] == "camera"]
    assert starts == sorted(starts)
    assert any("Überdruck" in event["args"]["text"] for event in events if event["ph"] == "i")
    nowhere = horus("blackbox", "--trace", "no/such/folder/t.json")
    assert nowhere.wait() == 1
    assert "expected a file that can be made" in nowhere.stderr


@pytest.mark.parametrize("seed", range(6))
def test_hostile_bytes(killed, horus, ns, seed):
    """Whatever stands in the file, the command ends by itself, without a traceback, and steers no terminal."""
    import random

    dice = random.Random(seed)
    path = flights.folder(ns) / "robot.flight"
    size = path.stat().st_size
    with path.open("r+b") as file:
        if seed == 0:
            file.truncate(5000)
        elif seed == 1:
            file.seek(256)  # all but the header
            file.write(dice.randbytes(size - 256))
        elif seed == 2:
            file.seek(320)
            file.write(b"\xff" * (size - 320))
        else:
            for _ in range(200):
                file.seek(dice.randrange(24, size - 200))
                file.write(dice.randbytes(dice.randrange(1, 200)))
    for options in ((), ("--json",), ("--trace", "t.json"), ("--last", "1e9", "--ticks"), ("--follow",)):
        command = horus("blackbox", "robot", *options)
        assert command.wait() in (0, 1)
        assert "Traceback" not in command.stderr
        assert "\x1b" not in command.stdout
    alone = horus("blackbox")
    assert alone.wait() == 0
    if seed == 0:
        assert "the record of scheduler 'robot' cannot be read" in alone.stderr


def test_a_file_that_is_none(horus, ns):
    """What is no record is told of, and hides no other."""
    where = namespace.directory(ns) / "schedulers"
    where.mkdir(mode=0o700)
    (where / "odd.flight").write_bytes(b"x" * 1000)
    os.mkfifo(where / "pipe.flight")
    good = where / "good.flight"
    good.write_bytes(b"\0" * _native.flight_size())
    with good.open("r+b") as file:
        _native.Flight(file.fileno(), name="good", ident=5).end()
    command = horus("blackbox", "--json")
    assert command.wait() == 0
    assert [one["name"] for one in json.loads(command.stdout)["schedulers"]] == ["good"]
    assert "'odd' cannot be read" in command.stderr
    assert "'pipe' cannot be read" in command.stderr
    refused = horus("blackbox", "odd")
    assert refused.wait() == 1
    assert "cannot be read" in refused.stderr


# spec: F22
def test_it_takes_no_longer_for_a_huge_record(horus, ns):
    """The largest record that there can be, of hostile figures, is read as far as anybody wants to see it."""
    where = namespace.directory(ns) / "schedulers"
    where.mkdir(mode=0o700)
    shape = {"rows": 4096, "ticks": 1 << 24, "events": 1 << 20}
    path = where / "huge.flight"
    member = process.member(ns)
    with namespace.locked(ns), path.open("w+b") as file:  # nobody cleans it meanwhile
        file.truncate(_native.flight_size(**shape))
        # Of a living process: else the cleaner takes what is larger than 64 MiB.
        flight = _native.Flight(file.fileno(), name="huge", ident=member.ident, **shape)
        flight.event("note", "here")
        del flight
        heads = _native.FlightReader(file.fileno()).header()
        assert heads["event_head"] == 1
        for offset in (256, 320):  # the two heads
            file.seek(offset)
            file.write(b"\xff" * 8)
    for options in ((), ("--json",), ("--trace", "t.json")):
        command = horus("blackbox", "huge", *options)
        assert command.wait() == 0, command.stderr


# spec: F22
def test_a_namespace_that_somebody_holds_is_looked_at_all_the_same(horus, killed, ns):
    """Looking needs no lock: who holds it, perhaps for ever, as a process that was stopped, holds up no tool."""
    with namespace.locked(ns):
        command = horus("blackbox")
        assert command.wait() == 0
        assert "robot" in command.stdout
        listed = horus("node", "list")
        assert listed.wait() == 0
        assert "camera" in listed.stdout


# spec: F22
@pytest.mark.parametrize("seconds", ["nan", "1e300", "inf", "-1", "soon"])
def test_times_that_are_none(horus, seconds):
    """--last with no number of seconds is an error of usage, not a traceback."""
    command = horus("blackbox", "--last", seconds)
    assert command.wait() == 2
    assert "--last" in command.stderr
    assert "Traceback" not in command.stderr


# spec: F22
@pytest.mark.parametrize("more", [(), ("--json",), ("--trace", "-")])
def test_a_node_that_is_nowhere_in_the_record(killed, horus, more):
    """--node with a name that is misspelt fails, and says so."""
    command = horus("blackbox", "robot", "--node", "typo", *more)
    assert command.wait() == 1
    assert "No node 'typo' in the record of scheduler 'robot'" in command.stderr
    assert command.stdout == ""


# spec: F22
def test_where_a_trace_can_go(killed, horus, tmp_path):
    """--trace - is stdout; a file that cannot be made is told with its name and why."""
    command = horus("blackbox", "robot", "--trace", "-")
    assert command.wait() == 0
    assert json.loads(command.stdout)["traceEvents"]
    command = horus("blackbox", "robot", "--trace", "nowhere/t.json")
    assert command.wait() == 1
    assert "Writing the trace failed: expected a file that can be made, got No such file" in command.stderr
    assert list(tmp_path.glob("**/-")) == []
