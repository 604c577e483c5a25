"""Rt: what nodes ask of the kernel, what they get, and what they are told of it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from horus_core.errors import NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_plugins.monitor.nodes import stats as nodes_of


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


def looks(node):
    """Run such a node until it has looked."""
    scheduler = Scheduler().add(node)
    scheduler.start()
    deadline = time.monotonic() + 20
    while not scheduler.get_node_stats(node.name)["total_ticks"]:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    scheduler.stop()
    assert scheduler.join(20)


# spec: B17, D19
@privileged
def test_what_was_granted_is_the_kernels_truth(until, namespace):
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
    rows = {row["name"]: (row["granted"], row["refused"]) for row in nodes_of(namespace)}
    assert rows == {
        "pinned": (["SCHED_FIFO", "locked memory", "core"], []),
        "plain": (["SCHED_FIFO", "locked memory"], []),
        "ordinary": ([], []),
    }, "and other processes read the same"
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


# spec: F28
def test_a_core_that_is_not_there_is_a_degradation(capfd, namespace):
    """A refused wish is in degradations() with its fix and said once in the log; the node ticks all the same."""
    ticks = []
    nodes = [Node(name, tick=lambda: ticks.append(1), core=4095, rate=100) for name in ("a", "b")]
    scheduler = Scheduler()
    for node in nodes:
        scheduler.add(node)
    seen = []

    def look(node):
        seen.append([row["refused"][-1:] for row in nodes_of(namespace)])
        if ticks and seen[-1] == [["core"], ["core"], []]:
            node.request_stop()

    scheduler.add(Node("look", tick=look, rate=100, order=200))
    scheduler.run(20)
    assert seen[-1] == [["core"], ["core"], []], "for other processes, too"
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
policies, ticked = set(), set()

def tick(node):
    policies.add(os.sched_getscheduler(0))
    ticked.add(node.name)
    if len(ticked) == 2:
        node.request_stop()

for name in ("a", "b"):
    scheduler.add(Node(name, init=init, tick=tick, rt=rt))
try:
    scheduler.run(20)
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
            env={**os.environ, "HOME": "/", "HORUS_NAMESPACE": f"{horus_namespace}-nobody"},
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

    def tick(node):
        ticks.append(1)
        node.request_stop()

    Scheduler().add(Node("n", tick=tick, rt="require", rate=100)).run(20)
    assert ticks


def test_the_switch_interval_is_lowered_while_there_are_rt_threads(until):
    """It is lower inside a tick, and as before after the last of two runs that overlap; so is locked memory."""
    before, locked = sys.getswitchinterval(), locked_kb()
    seen = {}
    first = Scheduler().add(looker(seen, "a", rt=True, rate=100))
    first.start()
    until(lambda: seen.get("a"))
    looks(looker(seen, "b", rt=True, rate=100))
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
        looks(looker(seen, "n", rt=True))
        assert seen["n"][0]["switch_interval"] == own
        assert sys.getswitchinterval() == own
    finally:
        sys.setswitchinterval(before)


def test_require_names_the_core_that_is_not_there():
    """rt="require" with a core that the machine does not have refuses, as root, too."""
    node = Node("n", tick=lambda: None, init=lambda: pytest.fail("init"), rt="require", core=4095)
    with pytest.raises(NodeError, match=r"Starting node 'n' failed.*core 4095"):
        Scheduler().add(node).run(1)


# spec: F16
@privileged
def test_who_hears_emergency_stops_comes_before_all_that_is_ordinary(until):
    """The listening thread has the least real-time priority: no hog keeps it waiting, and it keeps no Rt node."""
    scheduler = Scheduler().add(Node("n", tick=lambda: None))
    scheduler.start()
    until(lambda: scheduler.safety_stats()["estop"]["listening"])
    (listener,) = [one for one in threading.enumerate() if one.name == "horus estop"]
    until(lambda: os.sched_getscheduler(listener.native_id) == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK)
    assert os.sched_getparam(listener.native_id).sched_priority == 1
    scheduler.stop()
    scheduler.join()
