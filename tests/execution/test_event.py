"""Event: nodes that messages wake."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest

import horus
from horus_core import _native
from horus_core.errors import ConfigError, NodeError, TopicTypeError
from horus_core.nodes.node import Node
from horus_core.scheduler import clock as clocks
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler

PUBLISHER = """
import sys
import horus

topic = horus.Topic("scan", dict)
print("ready", flush=True)
for line in sys.stdin:
    topic.send({"n": int(line)})
"""


def reader(seen, name="reader", **options):
    """A node that notes all it can read at each wake."""
    return Node(
        name, tick=lambda node: seen.append([m["n"] for m in node.recv_all("scan")]), on="scan", **options
    )


# spec: B9, F27
def test_wakes_for_publishers_of_another_process(running, until, program):
    """Each message from another process wakes the node, though its topic appeared later; nothing else does."""
    seen = []
    scheduler = running(reader(seen))
    until(lambda: scheduler.get_node_stats("reader")["state"] == "running")
    other = program(PUBLISHER)
    other.wait_for("ready")
    for n in range(20):
        other.tell(str(n))
        until(lambda: sum(seen, []) == list(range(n + 1)))  # noqa: B023, RUF017
    assert len(seen) == 20
    stats = scheduler.get_node_stats("reader")
    assert stats["class"] == "event"
    assert stats["total_ticks"] == 20
    assert stats["skipped_releases"] == 0


# spec: B9
def test_wakes_for_a_node_of_the_same_process():
    """A message of a neighbour wakes the node, on a thread of its own."""
    seen = []

    def tick(node):
        seen.append((node.recv("scan")["n"], threading.get_ident()))
        node.request_stop()

    run(
        Node("lidar", tick=lambda node: node.send("scan", {"n": 7}), rate=50), Node("n", tick=tick, on="scan")
    )
    assert seen[0][0] == 7
    assert seen[0][1] != threading.get_ident()


def test_several_topics_one_sleep(running, until):
    """A node with several topics wakes for each of them, those that did not exist before included."""
    woken = []

    def tick(node):
        woken.extend(name for name in ("left", "right") if node.recv(name))

    running(Node("n", tick=tick, on=["left", "right"]))
    for name in ("right", "left", "right", "left"):
        before = len(woken)
        with horus.Topic(name, dict) as topic:
            topic.send({"n": 1})
            until(lambda: len(woken) > before)  # noqa: B023
        assert woken[before:] == [name]


# spec: F6
def test_strict_fifo(running, until):
    """What waits is never passed over: one message a tick, and the node ticks until none is left."""
    seen, gate = [], threading.Event()

    def tick(node):
        gate.wait(20)
        seen.append(node.recv("scan")["n"])

    running(Node("n", tick=tick, on="scan"))
    with horus.Topic("scan", dict, capacity=64) as topic:
        for n in range(40):
            topic.send({"n": n})
        gate.set()
        until(lambda: len(seen) == 40)
    assert seen == list(range(40))


# spec: F6
def test_no_depth():
    """A depth on a node with on= would do nothing: it is refused."""
    with pytest.raises(ConfigError, match=r"depth of topic 'scan'.*got 2"):
        Node("n", tick=lambda: None, on="scan", subs=horus.Sub("scan", depth=2))


def test_a_node_that_reads_nothing_is_woken_once_a_message(running, until):
    """A message that nobody reads wakes once, and the next one again: no busy loop."""
    scheduler = running(Node("n", tick=lambda: None, on="scan"))

    def ticks():
        return scheduler.get_node_stats("n")["total_ticks"]

    with horus.Topic("scan", dict) as topic:
        for n in range(1, 6):
            topic.send({"n": n})
            until(lambda: ticks() >= n)  # noqa: B023
    cpu = time.process_time()
    alarm = _native.Alarm()
    alarm.wait_until(time.monotonic_ns() + 300_000_000)  # nothing is sent meanwhile, so nothing may happen
    assert ticks() == 5
    assert time.process_time() - cpu < 0.15


def test_the_release_is_the_wake(running, until):
    """A deadline counts from the wake: quick ticks never miss, however long the node slept; a slow one does."""
    slow = threading.Event()

    def tick(node):
        node.recv("scan")
        if slow.is_set():
            time.sleep(0.35)

    scheduler = running(Node("n", tick=tick, on="scan", deadline=0.3, rt=False))
    with horus.Topic("scan", dict) as topic:
        for n in range(3):
            if n == 2:
                time.sleep(0.35)  # the node sleeps for longer than its tick may take
            topic.send({"n": n})
            until(lambda: scheduler.get_node_stats("n")["total_ticks"] == n + 1)  # noqa: B023
        assert scheduler.get_node_stats("n")["missed_deadlines"] == 0
        slow.set()
        topic.send({"n": 3})
        until(lambda: scheduler.get_node_stats("n")["missed_deadlines"] == 1)


# spec: F29
def test_time_inside(running, until):
    """horus.tick and horus.dt are the node's own."""
    seen = []

    def tick(node):
        node.recv("scan")
        seen.append((horus.tick(), horus.dt()))

    running(Node("n", tick=tick, on="scan"))
    with horus.Topic("scan", dict) as topic:
        for n in range(3):
            topic.send({"n": n})
            until(lambda: len(seen) == n + 1)  # noqa: B023
    assert [tick for tick, _ in seen] == [0, 1, 2]
    assert all(dt > 0 for _, dt in seen)


def test_halts_at_once_while_it_sleeps():
    """A node that nothing wakes does not hold up the end of a run, and never ticked."""
    seen = []
    run(
        Node("n", tick=lambda: seen.append("tick"), shutdown=lambda: seen.append("down"), on=["a", "b"]),
        Node("clock", tick=lambda node: node.request_stop()),
    )
    assert seen == ["down"]


def test_pause_keeps_messages(running, until):
    """A paused node is not woken; resumed, it reads what came meanwhile."""
    seen = []
    scheduler = running(reader(seen))
    with horus.Topic("scan", dict) as topic:
        topic.send({"n": 0})
        until(lambda: scheduler.get_node_stats("reader")["total_ticks"] == 1)
        assert seen == [[0]]
        scheduler.pause("reader")
        topic.send({"n": 1})
        topic.send({"n": 2})
        assert scheduler.get_node_stats("reader")["total_ticks"] == 1
        scheduler.resume("reader")
        until(lambda: seen == [[0], [1, 2]])


# spec: F13
def test_policies_apply(running, until):
    """A tick that raises restarts its node, after which messages wake it as before."""
    inits, seen = [], []

    def tick(node):
        n = node.recv("scan")["n"]
        if n == 0:
            raise ValueError("bad scan")
        seen.append(n)

    running(
        Node("n", init=lambda: inits.append(1), tick=tick, on="scan",
             failure_policy=horus.Restart(max_retries=3, backoff=0.01))
    )  # fmt: skip
    with horus.Topic("scan", dict) as topic:
        topic.send({"n": 0})
        until(lambda: len(inits) == 2)
        topic.send({"n": 1})
        until(lambda: seen == [1])


# spec: F7
def test_a_topic_of_another_type_is_a_failure():
    """What the node cannot read ends the run by its failure policy, as a recv() would."""
    with horus.Topic("scan", horus.CmdVel) as topic:
        topic.send(horus.CmdVel())
        node = Node("n", tick=lambda: None, subs=horus.Sub("scan", type=dict), on="scan")
        with pytest.raises(TopicTypeError):
            run(node)


def test_duration_zero_ticks_it_too():
    """By hand every node ticks, as if it had been woken."""
    seen = []
    scheduler = Scheduler().add(Node("n", tick=lambda: seen.append(1), on="scan"))
    scheduler.run(duration=0)
    scheduler.run(duration=0)
    assert seen == [1, 1]


def test_a_real_time_event_node_says_what_it_got(running, until):
    """A priority on an Event node is asked for, and what became of it is told."""
    scheduler = running(Node("n", tick=lambda node: node.recv("scan"), on="scan", priority=10))
    until(
        lambda: (
            "SCHED_FIFO" in scheduler.capabilities().get("n", [])
            or any(one["asked"] == "SCHED_FIFO" for one in scheduler.degradations())
        )
    )


@pytest.mark.parametrize("bad", ["", [], 3, [3], "a b"])
def test_on_takes_topics(bad):
    """on= takes a topic's name or several."""
    with pytest.raises((ConfigError, ValueError)):
        Node("n", tick=lambda: None, on=bad)


OLD_KERNEL = """
import ctypes
import platform
import struct

# A seccomp filter that answers futex_waitv (449) with ENOSYS, as kernels before 5.16 do.
ALLOW, ENOSYS = 0x7FFF0000, 0x00050000 | 38
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 449), (0x06, 0, 0, ENOSYS), (0x06, 0, 0, ALLOW)]
program = b"".join(struct.pack("HBBI", *one) for one in code)
kept = ctypes.create_string_buffer(program, len(program))
header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(kept))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # no new privileges
assert libc.prctl(22, 2, header) == 0, ctypes.get_errno()
assert libc.syscall(449, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 38

import horus

seen = []


def tick(node):
    seen.extend(node.recv_all("left") + node.recv_all("right"))
    if len(seen) >= 20:
        node.request_stop()


def speak(node):
    node.send("left" if horus.tick() % 2 else "right", {"n": horus.tick()})


horus.run(horus.Node("n", tick=tick, on=["left", "right"]), horus.Node("speaker", tick=speak, rate=200))
print(len(seen) >= 20)
"""


def test_on_a_kernel_that_cannot_sleep_on_several_words(program):
    """Where the kernel is older than 5.16 the node looks a thousand times a second, and loses nothing."""
    out, _ = program(OLD_KERNEL).finish()
    assert out == "True\n"


SECOND_SIGNAL = """
import time
import horus


def never(node):
    print("ticks", flush=True)
    while True:
        time.sleep(0.1)


horus.run(horus.Node("n", tick=never, {keyword}), horus.Node("speaker", tick=lambda n: n.send("scan", {{"n": 1}})))
print("over", flush=True)
"""


# spec: F17
@pytest.mark.parametrize("keyword", ['on="scan"', "compute=True"])
def test_a_second_signal_cuts_the_waiting_short(program, keyword):
    """A tick that never ends holds up the end until the second SIGINT; then the script goes on, and exits."""
    one = program(SECOND_SIGNAL.format(keyword=keyword))
    one.wait_for("ticks")
    one.interrupt()
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(0.5)
    one.process.send_signal(signal.SIGINT)
    out, err = one.process.communicate(timeout=30)
    assert one.process.returncode == 0, err
    assert out.endswith("over\n")
    assert "second signal" in err


class Slow:
    """A node that messages wake, whose first ticks take longer than it has; when it ticked, and what it read."""

    def __init__(self, slow_ticks, deadline=0.01, **options):
        self.at, self.read, self.safe = [], [], []
        self.slow_ticks = slow_ticks
        self.slow_s = 1.5 * deadline
        self.node = Node(
            "n", tick=self.tick, on="scan", deadline=deadline, execution="event",
            enter_safe_state=lambda: self.safe.append(1), **options,
        )  # fmt: skip

    def tick(self, node):
        self.at.append(time.monotonic())
        self.entry = clocks.here().current
        self.read.extend(message["n"] for message in node.recv_all("scan"))
        if 1 < len(self.at) <= self.slow_ticks:
            time.sleep(self.slow_s)


# spec: F15
def test_an_isolated_node_is_probed_once_a_second(running, until):
    """However many messages come: a tick a second, which gets all that came meanwhile; one safe state."""
    slow = Slow(slow_ticks=1000)
    scheduler = running(
        slow.node, Node("lidar", tick=lambda n: n.send("scan", {"n": horus.tick()}), rate=200)
    )
    until(lambda: scheduler.safety_stats()["nodes"]["n"]["health"] == "isolated")
    before = len(slow.at)
    until(lambda: len(slow.at) >= before + 2)
    assert (
        slow.at[before + 1] - slow.at[before] > 0.1
    )  # 0.005 would be a tick a message; the first may come late
    assert scheduler.get_node_stats("n")["rate"] == 1.0
    read = list(slow.read)  # a tick may be adding to it
    assert read == list(range(read[0], read[0] + len(read))), "nothing was passed over"
    assert slow.safe == [1]


# spec: F15
def test_a_slowed_node_ticks_at_half_the_rate_of_its_messages(running, until):
    """Its ladder leads to half of what they were, which stats tell, and back to each message after it."""
    slow = Slow(slow_ticks=6)
    long = 0.015  # what its slow ticks take, and more than a message does to come
    scheduler = running(
        slow.node, Node("lidar", tick=lambda n: n.send("scan", {"n": horus.tick()}), rate=100)
    )
    until(lambda: scheduler.safety_stats()["nodes"]["n"]["health"] == "slow")
    assert 1 < scheduler.get_node_stats("n")["rate"] <= 0.5 / long + 0.1
    slowed = len(slow.at)
    until(lambda: len(slow.at) >= slowed + 12)
    found = list(slow.read)  # a tick may be adding to it
    read = found[-1] - found[slowed + 1]
    assert read > 16, "about two messages a tick"
    assert found == list(range(found[0], found[0] + len(found)))
    slow.entry.recover_after = 5  # instead of 100
    until(lambda: slow.entry.step < 2)
    until(lambda: scheduler.get_node_stats("n")["rate"] == 30.0)  # its own again


# spec: F14
@pytest.mark.parametrize("on_miss", ["skip", "warn"])
def test_on_miss_skip_leaves_out_the_next_wake(running, until, on_miss):
    """After a tick that missed, one message waits for the next one; without `skip` each has its tick."""
    slow = Slow(slow_ticks=2, deadline=0.3, on_miss=on_miss, ladder=None)  # no stall is a miss
    scheduler = running(slow.node)
    with horus.Topic("scan", dict) as topic:
        for n in range(2):
            topic.send({"n": n})
            until(lambda n=n: len(slow.at) == n + 1)
        until(lambda: scheduler.get_node_stats("n")["missed_deadlines"] == 1)
        topic.send({"n": 2})
        until(lambda: len(slow.read) == 3)  # alone: for as long as it let itself be waited for
        assert scheduler.get_node_stats("n")["skipped_releases"] == (on_miss == "skip")
        topic.send({"n": 3})
        until(lambda: len(slow.read) == 4)
    assert slow.read == [0, 1, 2, 3]


def test_a_rate_means_nothing_to_it(running, until):
    """rate= beside on= is reported as without effect, and set_node_rate() refused, where messages wake the node."""
    scheduler = running(reader([], "plain"), reader([], rate=50))
    until(scheduler.degradations)
    assert [(one["node"], one["asked"]) for one in scheduler.degradations()] == [("reader", "rate=50")]
    with pytest.raises(NodeError, match=r"'plain' failed: expected one that ticks by time.*\(on=scan\)"):
        scheduler.set_node_rate("plain", 10)
