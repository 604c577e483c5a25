"""What topics log, with a handler that sends the lines on a topic: no lock may be held meanwhile."""

from __future__ import annotations

import logging

import pytest

import horus


@pytest.fixture
def log_topic(program):
    """A program whose log goes to the topic `log`; prints "done" when its body has ended."""

    def start(body: str):
        return program(f"""
import logging
import horus

class ToTopic(logging.Handler):
    def emit(self, record):
        horus.Topic("log").send({{"text": record.getMessage()}})

logging.getLogger("horus").addHandler(ToTopic())
{body}
print("done")
""")

    return start


def received(reader: horus.Topic) -> str:
    return "\n".join(message["text"] for message in reader.recv_all())


# spec: F24
def test_a_handler_may_send_the_capacity_warning(log_topic):
    """The warning of another capacity is logged when the topic is open, not while the namespace is locked."""
    reader = horus.Topic("log", dict)
    log_topic('a = horus.Topic("t", dict, capacity=64)\nb = horus.Topic("t", dict, capacity=128)').finish()
    assert "keeps 64 messages" in received(reader)


# spec: F7
def test_a_handler_may_send_the_type_mismatch(log_topic):
    """The mismatch is logged although the user's code catches it, and by then nothing is locked."""
    reader = horus.Topic("log", dict)
    log_topic(
        'a = horus.Topic("t", dict)\ntry:\n    horus.Topic("t", horus.CmdVel)\nexcept horus.TopicTypeError:\n'
        "    pass"
    ).finish()
    assert "Type mismatch on topic 't'" in received(reader)


def test_the_mismatch_is_logged_once(caplog):
    """One line of level error, without a traceback."""
    topic = horus.Topic("t", dict)
    with caplog.at_level(logging.ERROR, "horus"), pytest.raises(horus.TopicTypeError):
        horus.Topic("t", horus.CmdVel)
    assert [record.exc_info for record in caplog.records] == [None]
    topic.close()


HELPED = """
import logging
import sys
import threading
import horus

class ByAnotherThread(logging.Handler):
    def emit(self, record):
        got = threading.Thread(target=lambda: seen.append(topic.send({"n": 2})))
        got.start()
        got.join(20)
        assert not got.is_alive(), f"the handle is locked while it logs: {record.getMessage()}"

seen = []
topic = horus.Topic("t")
log = logging.getLogger("horus")
log.setLevel(logging.DEBUG)
log.addHandler(ByAnotherThread())
topic.send({"n": 1})
log.handlers.clear()
assert seen == [True], seen
other = horus.Topic("u", dict)
other.send({})
log.addHandler(ByAnotherThread())
topic = horus.Topic("u")
try:
    topic.send(horus.CmdVel())
except horus.TopicTypeError:
    pass
assert seen == [True] * len(seen) and len(seen) > 2, seen
print("done")
"""


def test_a_handler_may_wait_for_a_thread_that_uses_the_handle(program):
    """No lock of a handle is held while a line is logged: another thread sends on it, and the handler waits."""
    out, _ = program(HELPED).finish()
    assert out.strip() == "done"
