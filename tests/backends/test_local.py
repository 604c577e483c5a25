"""`local`: topics of one process, with nothing in /dev/shm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import horus

SHM = Path("/dev/shm")

RUN = """
import os
import horus
import numpy as np

got = []
def send(node):
    node.send("s", {"big": np.zeros(5000)})
    node.send("image", horus.Image.from_numpy(np.zeros((48, 64, 3), np.uint8)))
def wake(node):
    got.extend(node.recv_all("s"))
    if len(got) > 5 and node.latest("image") is not None:
        node.request_stop()
scheduler = horus.Scheduler(name="anywhere")
scheduler.add(horus.Node("sender", tick=send, rate=100))
scheduler.add(horus.Node("waker", tick=wake, on="s"))
scheduler.run(duration=20)
assert len(got) > 5
print("ran")
"""


def _nothing():
    """A tick."""


def _mine(namespace):
    return sorted(path.name for path in SHM.iterdir() if path.name.startswith(f"horus_{namespace}"))


@pytest.fixture
def local(monkeypatch):
    """A process whose topics stay in it."""
    monkeypatch.setenv("HORUS_BACKEND", "local")


# spec: F24 DESIGN-5
def test_a_run_leaves_and_uses_nothing_in_shared_memory(local, horus_namespace):
    """Topics, images, names of nodes, the record and the emergency stop of a run need no file in /dev/shm."""
    seen = []

    def tick(node):
        node.send("t", {"n": 1})
        node.send("image", horus.Image(48, 64))
        seen.append(_mine(horus_namespace))
        if len(seen) == 10:
            node.request_stop()

    horus.run(horus.Node("n", tick=tick, rate=1000))
    assert [files for files in seen if files] == []
    assert _mine(horus_namespace) == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
@pytest.mark.parametrize(
    "place",
    [
        "mount -t tmpfs -o ro tmpfs /dev/shm",
        "mount -t tmpfs -o size=4k tmpfs /dev/shm",
        "mount -t tmpfs tmpfs /dev",  # there is none
    ],
    ids=["read-only", "full", "missing"],
)
def test_a_place_without_shared_memory(place, horus_namespace):
    """With HORUS_BACKEND=local a scheduler runs there; without it the error says so."""
    command = ["unshare", "-m", "sh", "-c", f'{place} && exec "$0" -W error -c "$1"', sys.executable, RUN]
    environment = {**os.environ, "HORUS_BACKEND": "local"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    if "mount:" in done.stderr:
        pytest.skip("mounting is not allowed here")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ran\n"
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert done.returncode != 0
    if "size=4k" not in place:
        assert "HORUS_BACKEND=local" in done.stderr


def test_a_topic_is_local_where_it_says_so(horus_namespace):
    """`backend=` is of one topic: the same name over shared memory is another topic."""
    here, shared = horus.Topic("t", dict, backend="local"), horus.Topic("t", dict)
    here.send({"n": 1})
    assert shared.recv() is None
    assert here.recv() == {"n": 1}
    assert (here.over, shared.over) == ("local", "shm")
    assert here.stats()["over"] == "local"


def test_nodes_say_so_in_pubs_and_subs(horus_namespace):
    """Pub(backend=) and Sub(backend=) choose for one topic of a node."""
    topic = horus.Topic("t", dict, backend="local")

    def tick(node):
        node.send("t", {"n": 1})
        node.request_stop()

    horus.run(horus.Node("n", tick=tick, pubs=horus.Pub("t", backend="local"), rate=1000))
    assert topic.recv() == {"n": 1}


def test_an_emergency_stop_is_heard_in_the_process(local):
    """Its topic is local, too."""
    stopped = threading.Event()

    def tick(node):
        node.emergency_stop("test")

    first, second = horus.Scheduler(name="a"), horus.Scheduler(name="b")
    first.add(horus.Node("one", tick=tick, rate=100))
    second.add(horus.Node("two", tick=_nothing, enter_safe_state=stopped.set, rate=100))
    second.start()
    first.start()
    assert stopped.wait(20)
    for scheduler in (first, second):
        scheduler.stop()
        scheduler.join()
    with horus.Topic("_horus.estop") as topic:
        assert topic.recv().engaged  # it stands, whoever is left


def test_names_of_nodes_are_unique_in_the_process(local):
    """Without files, too."""
    first, second = horus.Scheduler(name="a"), horus.Scheduler(name="b")
    first.add(horus.Node("same", tick=_nothing))
    second.add(horus.Node("same", tick=_nothing))
    with first:
        first.tick_once()
        with pytest.raises(horus.NodeError, match="free name"):
            second.tick_once()
    with second:
        second.tick_once()


def test_a_node_in_a_process_of_its_own_is_refused(local):
    """It would be alone with its topics."""
    node = horus.Node("n", tick=print, compute="process")
    with pytest.raises(horus.ConfigError, match="HORUS_BACKEND=local"):
        horus.run(node, duration=0)


def test_a_forked_child_has_topics_of_its_own():
    """It begins with none of its parent's messages, and its parent hears nothing of it."""
    topic = horus.Topic("t", dict, backend="local", latched=True)
    topic.send({"from": "parent"})
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            heard = topic.recv()
            topic.send({"from": "child"})
            os.write(writing, repr((heard, topic.recv(), horus.Topic("t", backend="local").recv())).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1000).decode() == "(None, {'from': 'child'}, {'from': 'child'})"
    os.close(reading)
    os.close(writing)
    assert [message["from"] for message in topic.recv_all()] == ["parent"]


def test_namespaces_are_apart(other_namespace, monkeypatch):
    """Topics of two namespaces of one process are not the same."""
    here = horus.Topic("t", dict, backend="local")
    monkeypatch.setenv("HORUS_NAMESPACE", other_namespace)
    there = horus.Topic("t", dict, backend="local")
    there.send({"n": 1})
    assert here.recv() is None
    assert there.recv() == {"n": 1}


def test_a_type_that_nobody_uses_is_replaced():
    """As in shared memory: who left gave the topic no type for ever."""
    with horus.Topic("t", horus.CmdVel, backend="local") as topic:
        topic.send(horus.CmdVel())
    with horus.Topic("t", dict, backend="local") as topic:
        topic.send({"n": 1})
        assert topic.recv() == {"n": 1}


def test_what_nobody_uses_is_forgotten_when_a_run_begins(local):
    """Until then a latched topic keeps its message, whoever has closed it."""
    with horus.Topic("mode", dict, latched=True) as topic:
        topic.send({"mode": "auto"})
    with horus.Topic("mode") as topic:
        assert topic.recv() == {"mode": "auto"}
    horus.run(horus.Node("n", tick=_nothing), duration=0)
    with horus.Topic("mode", dict) as topic:
        assert topic.recv() is None


def test_images_go_between_backends():
    """An image of shared memory is copied into private memory by the send, once."""
    image = horus.Image.from_numpy(np.full((48, 64, 3), 7, np.uint8))
    topic = horus.Topic("image", horus.Image, backend="local")
    assert topic.send(image)
    assert (topic.recv().to_numpy() == 7).all()


def test_the_budget_is_for_private_blocks_too(local, monkeypatch):
    """HORUS_POOL_BUDGET bounds them; what does not fit is dropped, counted and said."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "1")
    topic = horus.Topic("image", horus.Image)
    image = horus.Image.from_numpy(np.zeros((1024, 1024, 3), np.uint8))
    assert not topic.send(image)
    assert topic.dropped == 1
    with pytest.raises(horus.PoolExhaustedError, match=r"HORUS_POOL_BUDGET"):
        horus.Image(1024, 1024)
