"""Forks, threads and ends of processes that hold topics."""

from __future__ import annotations

import os

import pytest

import horus
from horus_core.shm import cleaner, namespace

FORK = """
import os
import sys
import horus

topic = horus.Topic("t", dict, capacity=16, _node="family")
topic.send({"who": "parent"})
child = os.fork()
if child == 0:
    assert topic.send({"who": "child"})
    assert [message["who"] for message in topic.history(2)] == ["parent", "child"]
    print(len(topic.publishers), flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
topic.send({"who": "parent again"})
print([message["who"] for message in topic.recv_all()], topic.publishers)
"""


def test_a_forked_child_has_a_row_of_its_own(program):
    """Parent and child each publish under a row of their own; the child's end takes nothing from the parent."""
    out, _ = program(FORK).finish()
    assert out.splitlines() == ["2", "['parent', 'child', 'parent again'] ['family']"]


HEIR = """
import os
import horus

topic = horus.Topic("t", dict, _node="parent")
topic.send({})
child = os.fork()
if child == 0:
    os.read(0, 1)
    os._exit(0)
print(child, flush=True)
os.read(0, 1)
"""


@pytest.mark.parametrize("way", ["fork", "multiprocessing", "subprocess"])
def test_a_child_does_not_keep_its_killed_parent_alive(program, until, way):
    """The kernel's locks of a killed process are gone although a child that it made lives on."""
    source = HEIR
    if way == "subprocess":
        source = source.replace(
            "child = os.fork()\n", "import subprocess\nchild = subprocess.Popen(['cat']).pid\n"
        )
    if way == "multiprocessing":
        source = source.replace(
            "child = os.fork()\n",
            "import multiprocessing, time\n"
            "one = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))\n"
            "one.start()\nchild = one.pid\n",
        )
    topic = horus.Topic("t", dict)
    parent = program(source)
    child = int(parent.line())
    assert topic.publishers == ["parent"]
    parent.process.kill()
    until(lambda: topic.publishers == [])
    os.kill(child, 0)  # it lives
    os.kill(child, 9)


def test_an_interpreter_ends_well_with_topics_open(program, until):
    """Open handles, a thread that sleeps in wait() and a reference cycle do not disturb the interpreter's end."""
    one = program(
        "import threading, horus\n"
        "topics = [horus.Topic('t', dict, _node='ends') for _ in range(3)]\n"
        "topics[0].cycle = topics\n"
        "topics[0].send({'a': 1})\n"
        "assert topics[1].recv() == {'a': 1}\n"
        "for topic in (topics[1], horus.Topic('nobody.sends')):\n"
        "    threading.Thread(target=topic.wait, daemon=True).start()\n"
        "print('ends', flush=True)\n"
    )
    one.wait_for("ends")
    _, err = one.finish()
    assert err == ""
    topic = horus.Topic("t", dict)
    until(lambda: topic.publishers == [])


THREADS = """
import threading
import horus

topic = horus.Topic("t", dict, capacity=4096)
got, lock, done = [], threading.Lock(), threading.Event()

def publish(who):
    for number in range(500):
        assert topic.send({"who": who, "n": number})

def subscribe():
    mine = []
    while topic.wait(0.05) or not done.is_set():
        message = topic.recv()
        if message is not None:
            mine.append((message["who"], message["n"]))
    with lock:
        got.extend(mine)

publishers = [threading.Thread(target=publish, args=(who,)) for who in range(4)]
subscribers = [threading.Thread(target=subscribe) for _ in range(4)]
for thread in publishers + subscribers:
    thread.start()
for thread in publishers:
    thread.join()
done.set()
for thread in subscribers:
    thread.join()
print(len(got), len(set(got)), topic.missed, topic.pending)
"""


def test_threads_that_share_a_handle_get_each_message_once(program):
    """Four threads send, four wait and receive, all on one handle: every message goes to exactly one of them."""
    out, _ = program(THREADS).finish()
    assert out.split() == ["2000", "2000", "0", "0"]


def test_a_wait_lets_other_threads_run(program):
    """The sender is a thread of the same interpreter: were the GIL held in wait(), nothing would ever come."""
    out, _ = program(
        "import threading, horus\n"
        "topic = horus.Topic('t', dict)\n"
        "def work():\n"
        "    total = sum(range(200_000))\n"
        "    topic.send({'total': total})\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "print(topic.wait(20), topic.recv())\n"
        "thread.join()\n"
    ).finish()
    assert out.strip() == "True {'total': 19999900000}"


CLOSED = """
import os, sys
import horus
from horus_core.shm import upkeep

topic, back = horus.Topic("t", dict, _node="daemon"), horus.Topic("back", dict)
topic.send({"n": 0})
print("sent", flush=True)
sys.stdin.readline()
os.closerange(3, 4096)
others = [os.open("/dev/null", os.O_RDONLY) for _ in range(600)]  # the number is another file's now
print("closed", flush=True)
sys.stdin.readline()
upkeep.look()
upkeep.look()  # says it once
assert topic.send({"n": 1})
print(topic.publishers, flush=True)
for other in others:
    os.fstat(other)  # none of them was closed for us
sys.stdin.readline()
assert topic.send({"n": 2})
print("ends", flush=True)
"""


@pytest.mark.parametrize("cleaned", [False, True])
def test_a_process_that_closed_its_descriptors_joins_anew(program, until, cleaned):
    """It is dead to others until it looks; then it says so once, sends to the topic that others have, and lives."""
    topic = horus.Topic("t", dict)
    other = program(CLOSED)
    other.wait_for("sent")
    until(topic.has_msg)
    assert topic.recv() == {"n": 0}
    if cleaned:
        topic.close()
    other.tell()
    other.wait_for("closed")
    if cleaned:
        assert cleaner.clean([namespace.current()])  # it takes what nobody uses that lives
        topic = horus.Topic("t", dict)
    else:
        assert topic.publishers == []
    other.tell()
    assert other.line() == "['daemon']"
    until(topic.has_msg)
    assert topic.recv() == {"n": 1}
    cleaner.clean([namespace.current()])
    other.tell()
    _, err = other.finish()
    assert topic.recv() == {"n": 2}
    assert err.count("closed the descriptor") == 1
