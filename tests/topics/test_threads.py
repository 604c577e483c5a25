"""Threads that open and drop topics while another looks at all that the process has open."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

import horus
from horus_core.shm import process

ROUNDS = 300


@pytest.fixture
def opener():
    """A thread that opens and drops topics; threads take turns as often as they can."""
    stop = threading.Event()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def churn():
        kept: list[horus.Topic] = []
        number = 0
        while not stop.is_set():
            number = (number + 1) % 200
            kept.append(horus.Topic(f"churn{number}", dict))
            if len(kept) > 100:
                kept.clear()

    thread = threading.Thread(target=churn)
    thread.start()
    yield thread
    stop.set()
    thread.join()
    sys.setswitchinterval(before)


def test_loss_is_looked_for_while_topics_are_opened(opener):
    """The scheduler looks every second; a topic that is opened meanwhile must not end its run."""
    topics = [horus.Topic(f"t{n}", dict) for n in range(50)]
    for _ in range(ROUNDS):
        process.notice_loss()
        assert process.mapped(process.member())
    assert opener.is_alive()
    assert all(topic.send({}) for topic in topics)


def test_the_backend_is_read_while_handles_are_opened(opener):
    """What connects the participants is asked for at any time."""
    topic = horus.Topic("t", dict)
    assert {topic.backend for _ in range(ROUNDS)} == {"same-thread"}
    assert opener.is_alive()


def test_a_removed_namespace_is_told_once(horus_namespace, caplog):
    """The loops of several schedulers look at the same time: one line for one loss, however often they look."""
    topic = horus.Topic("t", dict)
    for file in Path("/dev/shm").glob(f"horus_{horus_namespace}.*"):
        file.unlink()
    together = threading.Barrier(8)

    def look():
        together.wait()
        for _ in range(20):
            process.notice_loss()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert topic.send({})
    topic.close()
