"""Rt: what nodes ask of the kernel, what they get, and what becomes of a run when they fail or hang."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.node import Node
from horus_core.nodes.spec import Sub
from horus_core.scheduler.scheduler import Scheduler
from horus_plugins.execution import rt


def may_fifo():
    """Whether the kernel gives this process SCHED_FIFO: asked, not guessed."""
    granted = []

    def ask():
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            granted.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(granted)


privileged = pytest.mark.skipif(not may_fifo(), reason="the kernel gives this user no SCHED_FIFO")
unprivileged = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="gives up root's rights with setpriv"
)


def locked_kb():
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmLck:"):
            return int(line.split()[1])
    raise AssertionError("no VmLck")


def kernels_truth():
    """What the kernel says of the calling thread."""
    tid = threading.get_native_id()
    return {
        "tid": tid,
        "policy": os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK,
        "inherited": not os.sched_getscheduler(tid) & os.SCHED_RESET_ON_FORK,
        "priority": os.sched_getparam(tid).sched_priority,
        "cores": os.sched_getaffinity(tid),
        "locked_kb": locked_kb(),
        "switch_interval": sys.getswitchinterval(),
    }


def looker(seen, name, **options):
    """A node that asks the kernel in each tick."""
    return Node(name, tick=lambda: seen.setdefault(name, []).append(kernels_truth()), **options)


# spec: B17, D19
@privileged
def test_what_was_granted_is_the_kernels_truth(until):
    """Each Rt node has a thread of its own with the priority, core and locked memory that capabilities() shows."""
    seen = {}
    core = max(os.sched_getaffinity(0))
    cores = os.sched_getaffinity(0)
    nodes = [
        looker(seen, "pinned", priority=70, core=core, rate=200),
        looker(seen, "plain", rt=True, rate=200),
        looker(seen, "ordinary", rate=200),
    ]
    scheduler = Scheduler()
    for node in nodes:
        scheduler.add(node)
    scheduler.start()
    until(lambda: len(seen) == 3)
    assert scheduler.capabilities() == {
        "pinned": ["SCHED_FIFO", "locked memory", "core"],
        "plain": ["SCHED_FIFO", "locked memory"],
    }
    assert scheduler.degradations() == []
    scheduler.stop()
    scheduler.join()
    pinned, plain, ordinary = (seen[name][0] for name in ("pinned", "plain", "ordinary"))
    assert (pinned["policy"], pinned["priority"], pinned["cores"]) == (os.SCHED_FIFO, 70, {core})
    assert (plain["policy"], plain["priority"], plain["cores"]) == (os.SCHED_FIFO, 50, cores)
    assert (ordinary["policy"], ordinary["cores"]) == (os.SCHED_OTHER, cores)
    assert not pinned["inherited"]
    assert pinned["locked_kb"] > 0
    assert len({one["tid"] for ticks in seen.values() for one in ticks}) == 3
    assert [scheduler.get_node_stats(name)["class"] for name in seen if name != "ordinary"] == ["rt", "rt"]


# spec: F27
@pytest.mark.parametrize(
    "options", [{"budget": 0.5}, {"deadline": 0.5}, {"priority": 3}, {"core": 0}, {"rt": True}]
)
def test_each_keyword_of_time_chooses_rt(options):
    """budget, deadline, priority, core or rt=True each give a node a thread of its own."""
    threads = []
    scheduler = Scheduler().add(Node("n", tick=lambda: threads.append(threading.get_ident()), **options))
    assert repr(scheduler) == "<Scheduler n {n: not started}>"
    scheduler.run(0.05)
    assert repr(scheduler) == "<Scheduler n {n: rt}>"
    assert set(threads).isdisjoint({threading.get_ident()})
    assert len(set(threads)) == 1


# spec: D19
def test_a_scheduler_with_rt_gives_it_to_every_node_that_can():
    """Scheduler(rt=True): nodes that say nothing tick as Rt; one that names its class keeps it."""
    scheduler = Scheduler(tick_rate=1000, rt=True)
    scheduler.add(Node("sensor", tick=lambda: None))
    scheduler.add(Node("log", tick=lambda: None, rate=10, execution="best_effort"))
    scheduler.run(0.05)
    assert scheduler.get_node_stats("sensor")["class"] == "rt"
    assert scheduler.get_node_stats("sensor")["rate"] == 1000
    assert scheduler.get_node_stats("log")["class"] == "best_effort"
    with pytest.raises(ConfigError, match="Bad rt"):
        Scheduler(rt="yes")


# spec: F28
def test_a_core_that_is_not_there_is_a_degradation(capfd):
    """A refused wish is in degradations() with its fix and said once in the log; the node ticks all the same."""
    ticks = []
    nodes = [Node(name, tick=lambda: ticks.append(1), core=4095, rate=100) for name in ("a", "b")]
    scheduler = Scheduler()
    for node in nodes:
        scheduler.add(node)
    scheduler.run(0.1)
    refused = [one for one in scheduler.degradations() if one["asked"] == "core"]
    assert {one["node"] for one in refused} == {"a", "b"}
    assert all("Invalid argument for core 4095" in one["why"] for one in refused)
    assert all("taskset" in one["fix"] for one in refused)
    assert all("core" not in granted for granted in scheduler.capabilities().values())
    assert ticks
    err = capfd.readouterr().err
    assert err.count("asked for core, and runs without it") == 1
    assert refused[0]["fix"] in err


AS_NOBODY = """
import json, os, sys
from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler

def init(node):
    print("init", node.name, flush=True)

rt = json.loads(sys.argv[1])
scheduler = Scheduler(rt=json.loads(sys.argv[2]))
for name in ("a", "b"):
    scheduler.add(Node(name, init=init, tick=lambda: policies.add(os.sched_getscheduler(0)), rt=rt))
policies = set()
try:
    scheduler.run(0.1)
except NodeError as error:
    print("refused", error, flush=True)
print(json.dumps([sorted(policies), scheduler.capabilities(), scheduler.degradations()]))
"""


@pytest.fixture
def as_nobody(tmp_path, horus_namespace):
    """Runs the program above without any rights; (lines of its stdout, stderr)."""

    def run(node_rt, scheduler_rt, *rights):
        setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *rights]
        path = tmp_path / "program.py"
        path.write_text(AS_NOBODY, encoding="utf-8")
        tmp_path.chmod(0o755)
        for parent in itertools.takewhile(lambda one: one != Path("/tmp"), tmp_path.parents):
            parent.chmod(0o755)
        done = subprocess.run(
            [*setpriv, sys.executable, "-W", "error", str(path), node_rt, scheduler_rt],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "HORUS_NAMESPACE": f"{horus_namespace}-nobody"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), done.stderr

    yield run
    for left in Path("/dev/shm").glob(f"horus_{horus_namespace}-nobody*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


# spec: F28
@unprivileged
def test_without_rights_each_refusal_is_said_once_with_its_fix(as_nobody):
    """As a user without rights nodes run all the same; each refusal is one warning, with limit and fix."""
    lines, err = as_nobody("true", "false")
    assert lines[:2] == ["init a", "init b"]
    policies, granted, refused = json.loads(lines[2])
    assert policies == [os.SCHED_OTHER]
    assert granted == {}
    assert sorted((one["node"], one["asked"]) for one in refused) == [
        (node, asked) for node in ("a", "b") for asked in ("SCHED_FIFO", "locked memory")
    ]
    assert err.count("WARNING") == 2
    assert "asked for SCHED_FIFO, and runs without it: Operation not permitted: RLIMIT_RTPRIO is 0" in err
    assert "AmbientCapabilities=CAP_SYS_NICE or LimitRTPRIO=99" in err
    assert "RLIMIT_MEMLOCK is" in err


# spec: F27
@unprivileged
@pytest.mark.parametrize(("node_rt", "scheduler_rt"), [('"require"', "false"), ("false", '"require"')])
def test_require_refuses_to_start_before_any_init(as_nobody, node_rt, scheduler_rt):
    """rt="require" without rights: run() raises with the reasons and fixes, and no node's init() was called."""
    lines, _ = as_nobody(node_rt, scheduler_rt)
    assert lines[0].startswith("refused Starting node 'a' failed: expected real-time scheduling")
    assert "RLIMIT_RTPRIO is 0" in lines[0]
    assert "CAP_SYS_NICE" in lines[0]
    assert not any(line.startswith("init") for line in lines)


# spec: F27
@unprivileged
def test_the_fix_fixes_it(as_nobody):
    """With the two capabilities that the fix names, the same user's rt="require" starts, with SCHED_FIFO."""
    rights = ("--inh-caps=+sys_nice,+ipc_lock", "--ambient-caps=+sys_nice,+ipc_lock")
    lines, err = as_nobody('"require"', "false", *rights)
    policies, granted, refused = json.loads(lines[2])
    assert policies == [os.SCHED_FIFO | os.SCHED_RESET_ON_FORK]
    assert granted == {name: ["SCHED_FIFO", "locked memory"] for name in ("a", "b")}
    assert refused == []
    assert err == ""


@privileged
def test_require_with_rights_starts():
    """rt="require" where the kernel grants all runs like any other node."""
    ticks = []
    scheduler = Scheduler().add(Node("n", tick=lambda: ticks.append(1), rt="require", rate=100))
    scheduler.run(0.05)
    assert ticks


def test_the_switch_interval_is_lowered_while_there_are_rt_threads():
    """It is lower inside a tick, and as before after the last of two runs that overlap; so is locked memory."""
    before, locked = sys.getswitchinterval(), locked_kb()
    seen = {}
    first, second = (Scheduler().add(looker(seen, name, rt=True, rate=100)) for name in ("a", "b"))
    first.start()
    second.run(0.05)
    between = sys.getswitchinterval()
    first.stop()
    first.join()
    assert between < before
    assert all(one["switch_interval"] < before for one in seen["b"])
    assert sys.getswitchinterval() == before
    assert locked_kb() == locked == 0
    ordinary = {}
    Scheduler().add(looker(ordinary, "c")).run(0)
    assert ordinary["c"][0]["switch_interval"] == before


def test_a_switch_interval_that_is_lower_already_stays():
    """The user's own interval is never raised."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    try:
        own = sys.getswitchinterval()
        seen = {}
        Scheduler().add(looker(seen, "n", rt=True)).run(0.05)
        assert seen["n"][0]["switch_interval"] == own
        assert sys.getswitchinterval() == own
    finally:
        sys.setswitchinterval(before)


# spec: B17
def test_releases_that_go_by_while_the_thread_is_made_ready_are_not_skipped(monkeypatch):
    """A node counts as skipped what it could have had; the account opens when its thread is ready to tick."""
    prepare, ready = rt.prepare, []

    def prepare_long(host, entry):
        prepare(host, entry)
        ready.append(time.monotonic() + 0.05)
        while time.monotonic() < ready[0]:
            pass

    monkeypatch.setattr(rt, "prepare", prepare_long)
    skipped = []
    node = Node("n", tick=lambda: skipped.append(node._horus_skipped), rate=2000, rt=True)
    Scheduler().add(node).run(0.1)
    assert skipped[0] == 0


# spec: E9, F13
@pytest.mark.parametrize("error", [ValueError("bad reading"), SystemExit(3)])
def test_a_fatal_failure_in_an_rt_thread_ends_the_run(error):
    """run() raises the exception itself, after all nodes were shut down, in reverse order."""
    seen = []

    def fail():
        raise error

    scheduler = Scheduler()
    for name, options in (("a", {"rt": True}), ("b", {"rt": True, "tick": fail}), ("c", {})):
        scheduler.add(
            Node(name, **{"tick": lambda: None, **options}, shutdown=lambda node: seen.append(node.name))
        )
    with pytest.raises(type(error)) as caught:
        scheduler.run()
    assert caught.value is error
    assert any(entry.name == "fail" for entry in caught.traceback)
    assert seen == ["c", "b", "a"]
    assert not scheduler.is_running()


def test_an_isolated_rt_node_leaves_the_others_alone(until):
    """An Rt node whose policy isolates it ticks no more; Rt and ordinary nodes beside it go on."""
    ticks = {"good": 0, "plain": 0}

    def count(node):
        ticks[node.name] += 1

    def fail():
        raise ValueError("broken")

    scheduler = Scheduler()
    scheduler.add(Node("bad", tick=fail, rt=True, failure_policy="isolate", rate=200))
    scheduler.add(Node("good", tick=count, rt=True, rate=200))
    scheduler.add(Node("plain", tick=count, rate=200))
    scheduler.start()
    until(lambda: scheduler.get_node_stats("bad")["state"] == "crashed")
    before = dict(ticks)
    until(lambda: all(ticks[name] > before[name] + 3 for name in ticks))
    scheduler.stop()
    scheduler.join()
    assert scheduler.get_node_stats("bad")["failed_ticks"] == 1


# spec: B17, F28
def test_two_rt_nodes_and_ordinary_ones_talk(until):
    """Rt nodes on their threads and ordinary ones in order on the main thread, joined by topics, lose nothing."""
    got, threads = [], {}

    def sense(node):
        threads["sense"] = threading.get_ident()
        node.send("raw", {"k": node.info.tick_count()})

    def filter_(node):
        threads["filter"] = threading.get_ident()
        for message in node.recv_all("raw"):
            node.send("clean", message)

    def log(node):
        threads["log"] = threading.get_ident()
        got.extend(message["k"] for message in node.recv_all("clean"))

    scheduler = Scheduler()
    scheduler.add(Node("sense", tick=sense, rt=True, rate=500, pubs="raw", capacity=1024))
    scheduler.add(
        Node(
            "filter",
            tick=filter_,
            rt=True,
            rate=500,
            subs=Sub("raw", depth=None),
            pubs="clean",
            capacity=1024,
        )
    )
    scheduler.add(Node("log", tick=log, rate=50, subs=Sub("clean", depth=None)))
    scheduler.start()
    until(lambda: len(got) > 100)
    scheduler.stop()
    scheduler.join()
    assert got == list(range(got[0], got[0] + len(got)))
    assert len(set(threads.values())) == 3


# spec: F17
def test_no_tick_begins_after_stop_was_asked(until):
    """When an Rt node asks for a stop, no node on any thread begins a tick any more, and all ticks end first."""
    events = []
    asked = threading.Event()

    def tick(node):
        if asked.is_set():
            events.append(f"late tick of {node.name}")

    def stopper(node):
        if node.info.tick_count() >= 20:
            node.request_stop()
            asked.set()

    def slow(node):
        if asked.is_set():
            events.append("late tick of slow")
        elif node.info.tick_count() == 0:
            asked.wait(20)
            events.append("slow ends")

    scheduler = Scheduler()
    order = itertools.count()
    for name, function in (("slow", slow), ("a", tick), ("stopper", stopper), ("b", tick)):
        scheduler.add(
            Node(
                name,
                tick=function,
                rt=True,
                rate=1000,
                order=next(order),
                shutdown=lambda node: events.append(f"shutdown {node.name}"),
            )
        )
    scheduler.run()
    assert events == ["slow ends", "shutdown b", "shutdown stopper", "shutdown a", "shutdown slow"]


HANGS = """
import time
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler

def say(text):
    print(text, flush=True)

def hang(node):
    say("hangs")
    time.sleep(1000)

scheduler = Scheduler()
for name in ("a", "b"):
    scheduler.add(Node(name, tick=hang, rt=True, shutdown=lambda node: say(f"shutdown {node.name}")))
scheduler.add(Node("c", tick=lambda: None, shutdown=lambda: say("shutdown c")))
scheduler.run()
say("after run")
"""


# spec: F17
def test_a_second_signal_cuts_waiting_for_hung_rt_ticks_short(program, ended):
    """One signal waits for Rt ticks that hang; the second gives them up, shuts all nodes down and exits with 0."""
    one = program(HANGS)
    one.wait_for("hangs")
    one.wait_for("hangs")
    one.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(0.3)
    one.process.send_signal(signal.SIGINT)
    code, out, err = ended(one)
    assert out == ["shutdown c", "shutdown b", "shutdown a", "after run"]
    assert "its tick does not end; a second signal cut the waiting short" in err
    assert "Traceback" not in err
    assert code == 0


def test_a_tick_that_was_given_up_may_still_end(program, ended):
    """A tick that was left behind and ends after the run does no harm: it ticks no more, nothing crashes."""
    source = HANGS.replace("time.sleep(1000)", "gate.wait(); say('ends')").replace(
        "import time", "import threading, time\ngate = threading.Event()"
    )
    one = program(
        source + "gate.set()\nwhile threading.active_count() > 1:\n    time.sleep(0.01)\nsay('quiet')\n"
    )
    one.wait_for("hangs")
    one.wait_for("hangs")
    one.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(0.3)
    one.process.send_signal(signal.SIGINT)
    code, out, err = ended(one)
    assert out == ["shutdown c", "shutdown b", "shutdown a", "after run", "ends", "ends", "quiet"]
    assert "Traceback" not in err
    assert code == 0


# spec: B8, E21
def test_30_and_100_hz_without_drift():
    """Over 3 s of real time each tick is by exact arithmetic at its release, as an Rt and as an ordinary node."""
    from horus_core.scheduler import clock

    began = {}
    off_grid = []

    def tick(node):
        entry = clock.here().current
        base = began[node.name] = entry.base_ns
        index = round((entry.release_ns - base) * node.rate / 1e9)
        if entry.release_ns != base + int(index * (1e9 / node.rate) + 0.5):
            off_grid.append((node.name, index))

    rates = {"slow": 30, "fast": 100, "slow rt": 30, "fast rt": 100}
    scheduler = Scheduler()
    for name, rate in rates.items():
        scheduler.add(Node(name.replace(" ", "_"), tick=tick, rate=rate, rt="rt" in name))
    scheduler.run(3.0)
    assert off_grid == []
    assert len(set(began.values())) == 1
    for name, rate in rates.items():
        stats = scheduler.get_node_stats(name.replace(" ", "_"))
        assert stats["total_ticks"] + stats["skipped_releases"] == 3 * rate


def test_refused_inside():
    """A stop asked for in init() leaves no Rt thread behind, and no tick."""
    ticks = []
    before = threading.active_count()
    node = Node("n", init=lambda node: node.request_stop(), tick=lambda: ticks.append(1), rt=True)
    Scheduler().add(node).run()
    assert ticks == []
    assert threading.active_count() == before


def test_require_names_the_core_that_is_not_there():
    """rt="require" with a core that the machine does not have refuses, as root, too."""
    node = Node("n", tick=lambda: None, init=lambda: pytest.fail("init"), rt="require", core=4095)
    with pytest.raises(NodeError, match=r"Starting node 'n' failed.*core 4095"):
        Scheduler().add(node).run(1)
