"""Presence files, and who may have a name."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from horus_core.control.presence import Presence
from horus_core.errors import HorusTimeoutError, NodeError
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
from horus_core.shm import namespace as namespaces
from horus_core.shm import process

RUNNING = """
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run
run(Node("camera", tick=lambda: print("tick", flush=True), rate=20))
"""


def file(namespace, node):
    return namespaces.directory(namespace) / "nodes" / f"{node}.json"


def test_what_it_says(namespace):
    """While a node runs, its file holds who it is, where it runs, and what it declared."""
    records, idents = [], []

    def tick(node):
        idents.append(process.member(namespace).ident)
        records.append(json.loads(file(namespace, "n").read_text()))

    before = time.time_ns()
    node = Node("n", tick=tick, rate=50, order=7, pubs=["a", "b"], subs="c")
    run(node, duration=0)
    (record,) = records
    assert record["name"] == "n"
    assert record["pid"] == os.getpid()
    assert [record["ident"]] == idents
    assert record["rate"] == 50
    assert record["order"] == 7
    assert record["pubs"] == ["a", "b"]
    assert record["subs"] == ["c"]
    assert before <= record["started_ns"] <= time.time_ns()
    assert not file(namespace, "n").exists()


def test_second_of_a_name_is_refused(program):
    """A name that a living process uses is refused, naming its pid and since when; the first runs on."""
    first = program(RUNNING)
    first.wait_for("tick")
    seen = []
    other = Node("other", tick=lambda: None, order=1, shutdown=lambda: seen.append("other"))
    with pytest.raises(NodeError, match=rf"in use since 20\d\d-.*pid={first.process.pid}\)"):
        run(other, Node("camera", tick=lambda: None), duration=0)
    assert seen == ["other"]
    first.wait_for("tick")
    first.process.send_signal(signal.SIGINT)
    first.finish()


def test_two_runs_in_one_process_share_names(namespace):
    """The same holds between two schedulers of one process."""
    inner = []

    def tick():
        try:
            import threading

            thread = threading.Thread(target=second)
            thread.start()
            thread.join(20)
        finally:
            pass

    def second():
        try:
            run(Node("n", tick=lambda: None), duration=0)
        except NodeError as error:
            inner.append(str(error))

    run(Node("n", tick=tick), duration=0)
    assert re.search(rf"pid={os.getpid()}", inner[0])


def test_name_of_a_killed_process_is_free(program, namespace):
    """The file of a process that was killed is stale: the name can be used at once."""
    first = program(RUNNING)
    first.wait_for("tick")
    first.kill()
    assert file(namespace, "camera").exists()
    seen = []
    run(
        Node("camera", tick=lambda: seen.append(json.loads(file(namespace, "camera").read_text())["pid"])),
        duration=0,
    )
    assert seen == [os.getpid()]


def test_crash_leaves_a_record_until_the_name_starts_again(namespace):
    """A crashed node leaves a record that says why; it holds nobody up."""

    def fail():
        raise ValueError("bad reading")

    with pytest.raises(ValueError, match="bad reading"):
        run(Node("n", tick=fail), duration=0)
    record = json.loads(file(namespace, "n").read_text())
    assert record["crashed"] == "ValueError: bad reading"
    run(Node("n", tick=lambda: None), duration=0)
    assert not file(namespace, "n").exists()


def test_garbage_in_the_file_is_no_holder(namespace):
    """A file that makes no sense is replaced."""
    for garbage in ("", "{", "[]", '{"pid": "x", "ident": 1, "started_ns": 2}'):
        file(namespace, "n").parent.mkdir(exist_ok=True)
        file(namespace, "n").write_text(garbage)
        run(Node("n", tick=lambda: None), duration=0)


def test_a_name_is_free_here_although_the_lock_was_not_to_be_had(namespace, monkeypatch):
    """A name is given back without the namespace's lock, unless this process is not seen any more or a crash is told.

    Who cannot take the lock then says so; the name can be used again in this process.
    """

    def busy(*_arguments, **_keywords):
        raise HorusTimeoutError("somebody holds the lock")

    with monkeypatch.context() as patch:
        first = Presence(Node("n", tick=lambda: None), 30)
        patch.setattr(namespaces, "locked", busy)
        first.remove()
        assert not file(namespace, "n").exists()
    for let_go in (Presence.remove, lambda presence: presence.crashed(ValueError("bad"))):
        first = Presence(Node("n", tick=lambda: None), 30)
        with monkeypatch.context() as patch:
            patch.setattr(namespaces, "locked", busy)
            patch.setattr(process, "joined", lambda _namespace: None)
            with pytest.raises(HorusTimeoutError):
                let_go(first)
        second = Presence(Node("n", tick=lambda: None), 30)
        second.remove()
    assert not file(namespace, "n").exists()
