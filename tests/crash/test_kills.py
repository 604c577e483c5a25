"""Processes are killed with SIGKILL, or stopped, at random moments: the others go on, and nothing is left over."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import horus
from horus_core.shm import cleaner, namespace

LIMIT_S = 20.0

VICTIMS = """
import hashlib
import os
import random
import signal
import sys

import horus

KILLS, SEED = 60, 1
rng = random.Random(SEED)


def packed(who, number):
    # fills the slot of a dict topic; the digest tells a torn message
    body = f"{who}:{number}".ljust(120, ".")
    return {"who": who, "n": number, "body": body, "sum": hashlib.md5(body.encode()).hexdigest()}


def checked(message, last):
    wanted = packed(message["who"], message["n"])
    assert message == wanted, message
    assert message["n"] > last.get(message["who"], 0), "out of order"
    last[message["who"]] = message["n"]


def publisher(who, started):
    topic = horus.Topic("t", dict, _node=who)
    number = 0
    while True:
        number += 1
        topic.send(packed(who, number))
        if number == 1:
            os.write(started, b"x")


def subscriber(started):
    topic = horus.Topic("t", dict, _node="ear")
    last = {}
    topic.recv()
    os.write(started, b"x")
    while topic.wait(20):
        checked(topic.recv(), last)


def spawn(target, *arguments):
    reads, started = os.pipe()
    child = os.fork()
    if child == 0:
        target(*arguments, started)
        os._exit(1)
    assert os.read(reads, 1) == b"x"
    os.close(reads)
    os.close(started)
    return child


def kill(child):
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status


own = horus.Topic("t", dict, capacity=32, _node="own")
number, last = 0, {}
start = own._settle()[4]
for round in range(KILLS):
    ear = spawn(subscriber)
    voices = [spawn(publisher, f"voice{round}.{i}") for i in range(1 + round % 2)]
    for _ in range(rng.randrange(60)):  # the random moment: as long as this takes
        message = own.recv()
        if message is not None:
            checked(message, last)
    for child in rng.sample([ear, *voices], 1 + len(voices)):
        kill(child)
    number += 1
    assert own.send(packed("own", number))
    while last.get("own") != number:
        assert own.wait(20)
        checked(own.recv(), last)
    assert own.publishers == ["own"]
    delivered, missed, void, skipped, cursor = own._settle()
    assert delivered + missed + void + skipped == cursor - start
print("went on", KILLS, len(last) > 1)
"""


def test_peers_go_on_whoever_is_killed(program, horus_namespace):
    """150 kills of publishers and subscribers at random moments: others send and receive whole messages in order,
    every number is accounted for, and cleaning leaves nothing.
    """
    out, _ = program(VICTIMS).finish()
    assert out.strip() == "went on 60 True"
    cleaner.clean([horus_namespace])
    assert not list(Path("/dev/shm").glob(f"horus_{horus_namespace}*"))


SLOW = """
import horus
topic = horus.Topic("t", dict)
topic.recv()
print("ready", flush=True)
input()
got = 0
while (message := topic.recv()) is not None:
    got += 1
    last = message["n"]
print(got + topic.missed, topic.pending, last, flush=True)
"""


def test_a_stopped_subscriber_hinders_no_publisher(program):
    """SIGSTOP: thousands of sends go through, and when it goes on it has the newest and knows what it lost."""
    topic = horus.Topic("t", dict, capacity=64)
    slow = program(SLOW)
    slow.wait_for("ready")
    os.kill(slow.process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, slow.process.pid, os.WSTOPPED | os.WNOWAIT)
    assert all(topic.send({"n": number}) for number in range(5000))
    os.kill(slow.process.pid, signal.SIGCONT)
    slow.tell()
    assert slow.line() == "5000 0 4999"


PUBLISHER = """
import horus
topic = horus.Topic("t", dict)
print("up", flush=True)
while True:
    topic.send({"n": int(input())})
    print("sent", flush=True)
"""

SUBSCRIBER = """
import horus
topic = horus.Topic("t", dict)
topic.recv()
print("up", flush=True)
while topic.wait(60):
    print(topic.recv()["n"], flush=True)
"""


def _say(publisher, subscriber, number):
    publisher.tell(str(number))
    publisher.wait_for("sent")
    assert subscriber.line() == str(number)


# spec: A10, A45, A46
@pytest.mark.parametrize("first", ["publisher", "subscriber"])
@pytest.mark.parametrize("again", ["publisher", "subscriber", "both"])
@pytest.mark.parametrize("cleaned", [False, True])
def test_restarts(program, horus_namespace, first, again, cleaned):
    """Whoever starts first, whoever is killed and started again, with a cleaning in between or without one."""

    def start(source):
        one = program(source)
        one.wait_for("up")
        return one

    sources = {"publisher": PUBLISHER, "subscriber": SUBSCRIBER}
    order = [first, *(name for name in sources if name != first)]
    running = {name: start(sources[name]) for name in order}
    _say(running["publisher"], running["subscriber"], 1)
    killed = order if again == "both" else [again]
    for name in killed:
        running[name].kill()
    if cleaned:
        cleaner.clean([horus_namespace])
    for name in killed:
        running[name] = start(sources[name])
    _say(running["publisher"], running["subscriber"], 2)
    _say(running["publisher"], running["subscriber"], 3)


def test_a_record_that_a_killed_process_did_not_finish_is_removed(horus_namespace):
    """While others live, too; theirs stay."""
    topic = horus.Topic("t", dict)
    assert topic.send({"a": 1})
    nodes = namespace.directory(horus_namespace) / "nodes"
    nodes.mkdir()
    (nodes / ".dead.json.1").write_text('{"na', encoding="utf-8")
    (nodes / "living.json").write_text(f'{{"ident": {topic._member.ident}}}', encoding="utf-8")
    cleaner.clean([horus_namespace])
    assert [file.name for file in nodes.iterdir()] == ["living.json"]
    assert topic.recv() == {"a": 1}


TYPED = """
import horus
class Odd(horus.Message):
    {fields}
topic = horus.Topic("t", {type}, _node="first")
print("up", flush=True)
input()
"""


# spec: A22, F7, A63
def test_same_name_other_layout_in_another_process(program):
    """Two programs that define a class of one name differently: the second is told the field and the creator."""

    class Odd(horus.Message):
        x: horus.f32 = 0.0
        y: horus.f32 = 0.0

    first = program(TYPED.format(fields="x: horus.f32 = 0.0\n    y: horus.f64 = 0.0", type="Odd"))
    first.wait_for("up")
    with pytest.raises(horus.TopicTypeError) as caught:
        horus.Topic("t", Odd)
    text = str(caught.value)
    assert "y" in text
    assert "f64" in text
    assert f"node 'first', pid {first.process.pid}" in text


# spec: F7
@pytest.mark.parametrize("theirs", ["Odd", "dict"])
@pytest.mark.parametrize("ours", [horus.CmdVel, dict])
def test_what_a_killed_process_left_is_no_mismatch(program, theirs, ours):
    """After SIGKILL of the only user the topic may have another type, without any cleaning."""
    first = program(TYPED.format(fields="x: horus.f32 = 0.0", type=theirs))
    first.wait_for("up")
    first.kill()
    topic = horus.Topic("t", ours)
    message = {"a": 1} if ours is dict else horus.CmdVel(linear=1.0)
    assert topic.send(message)
    assert topic.recv() == message


KILLED_BEFORE_IT_TELLS = """
import linecache
import os
import signal
import sys

import horus
from horus_core.topics import attach


def trace(frame, event, _):
    if frame.f_code is not attach._create.__code__:
        return None
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    if event == "line" and line == "member.bump()":
        os.kill(os.getpid(), signal.SIGKILL)
    return trace


sys.settrace(trace)
horus.Topic("t", dict)
"""


def test_a_topic_is_noticed_although_its_creator_was_killed_before_it_told(program, until):
    """The region has its name and nobody was told of it: the next one that opens the topic tells who waits."""
    waiting = horus.Topic("t")
    assert waiting.recv() is None
    creator = program(KILLED_BEFORE_IT_TELLS)
    assert creator.process.wait(LIMIT_S) == -signal.SIGKILL
    assert waiting.recv() is None
    publisher = program(PUBLISHER)
    publisher.wait_for("up")
    publisher.tell("1")
    publisher.wait_for("sent")
    assert until(waiting.recv) == {"n": 1}


KILLED_WITH_A_CHILD = """
import os
import threading
import warnings

from horus_core.shm import namespace

warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what this is about

held, end = threading.Event(), threading.Event()


def hold():
    with namespace.locked(namespace.current()):
        held.set()
        end.wait()


threading.Thread(target=hold, daemon=True).start()
held.wait()
reads, writes = os.pipe()
child = os.fork()
if child == 0:
    os.write(writes, b"x")
    os.close(writes)
    input()  # until the test ends: the parent's end of it closes
    os._exit(0)
os.read(reads, 1)
print("forked", flush=True)
end.wait()
"""


def test_the_lock_dies_with_its_holder_although_a_child_of_it_lives(program, horus_namespace):
    """A process is killed while it holds the namespace's lock, and leaves a child that was forked meanwhile."""
    holder = program(KILLED_WITH_A_CHILD)
    holder.wait_for("forked")
    holder.process.send_signal(signal.SIGKILL)
    holder.process.wait(LIMIT_S)
    with namespace.locked(horus_namespace, timeout_s=LIMIT_S):
        holder.process.stdin.close()
