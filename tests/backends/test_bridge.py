"""What HORUS does around a bridge: against links that block, fail, refuse, and others that send anything."""

from __future__ import annotations

import logging
import sys
import threading
import time

import numpy as np
import pytest

import horus
from horus_core import _native
from horus_core.backends import packet as packets
from horus_core.topics import types

LIMIT_S = 20.0

GATE = """
import threading
from horus_core.abc import Bridge, Link
from horus_core.plugins.hookspecs import hookimpl

sent, kept, closed, ports = [], [], [], {}
settings = []      # what check_settings() raises, once
opening = []       # exceptions to raise, first first
sending = []       # what send() does: False, or an exception to raise
gate = threading.Event()
gate.set()


class Gate(Bridge):
    name = "gate"

    @classmethod
    def check_settings(cls):
        if settings:
            raise settings.pop()

    def open(self, port):
        if opening:
            raise opening.pop(0)
        ports[port.topic] = port
        return Way(port)


class Way(Link):
    def __init__(self, port):
        self.port = port

    def send(self, packet):
        gate.wait()
        what = sending.pop(0) if sending else True
        if isinstance(what, Exception):
            raise what
        if what:
            sent.append(packet)
        return what

    def keep(self, slot, packet, seconds):
        kept.append((slot, packet, seconds))
        return True

    def close(self):
        closed.append(self.port.topic)


@hookimpl
def horus_register_backends(register):
    register(Gate)
"""


@pytest.fixture
def gate(install, horus_namespace):
    """The module of a bridge that does what the test wants."""
    install(GATE, module="gate_backend", entry="gate", distribution="horus-gate")
    from horus_core.backends import registry

    registry.kinds.named("gate", "The test")
    module = sys.modules["gate_backend"]
    yield module
    module.gate.set()
    registry.leave(horus_namespace)


def _wait(condition):
    deadline = time.monotonic() + LIMIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return value


def _port(gate, name="t"):
    return _wait(lambda: gate.ports.get(name))


def _stats(topic):
    return topic.stats()["bridge"]


def _message(number, body, kind=types.MSGPACK, sender=b"s" * 16, node="far"):
    return packets.message(sender, node, number, kind, body)


def _typed(cls, age_ms, sender=b"s" * 16, latched=False, capacity=16):
    kind = types.of_class(cls)
    details = packets.Details(kind.layout, capacity, latched, "far", 7)
    return packets.description(sender, kind, details, age_ms)


EMPTY = b"\x80"


# spec: DESIGN-5
def test_a_link_that_blocks_holds_up_no_node(gate):
    """send() goes on at once; the ring is the queue, and what it overwrites is counted as dropped."""
    gate.gate.clear()
    topic = horus.Topic("t", dict, capacity=16, backend="gate")
    for number in range(100):
        assert topic.send({"n": number})
    _wait(lambda: gate.kept)
    gate.gate.set()
    _wait(lambda: _stats(topic)["sent"] + _stats(topic)["dropped"] == 100)
    assert _stats(topic)["dropped"] >= 100 - 16 - 1  # the one that the link held, and what the ring kept
    last = packets.decode(gate.sent[-1])
    assert (last.node, last.type) == (topic.publishers[0], "dict")


def test_a_link_that_takes_nothing_now_is_asked_again(gate):
    """What it did not take is offered again, and nothing is sent out of order."""
    gate.sending += [False, False, True]
    topic = horus.Topic("t", dict, backend="gate")
    for number in range(3):
        topic.send({"n": number})
    _wait(lambda: _stats(topic)["sent"] == 3)
    assert [packets.decode(one).number for one in gate.sent] == [1, 2, 3]


def test_a_link_that_raises_loses_one_message(gate, caplog):
    """It is counted, said once, and the next is sent."""
    gate.sending += [OSError("no route"), OSError("no route")]
    topic = horus.Topic("t", dict, backend="gate")
    for number in range(3):
        topic.send({"n": number})
    _wait(lambda: _stats(topic)["sent"] == 1)
    assert _stats(topic)["dropped"] == 2
    assert caplog.text.count("no route") == 1


def test_opening_is_tried_again(gate, caplog, monkeypatch):
    """What is sent meanwhile waits."""
    from horus_core.backends import bridged

    monkeypatch.setattr(bridged, "_LOOK_S", 0.02)
    gate.opening += [OSError("not yet"), OSError("not yet")]
    topic = horus.Topic("t", dict, backend="gate")
    topic.send({"n": 1})
    _wait(lambda: _stats(topic)["sent"] == 1)
    assert caplog.text.count("not yet") == 1


def test_settings_that_can_never_work_are_an_error_of_who_opens(gate):
    """Not a warning for ever: the topic is not opened, and is once they are right."""
    gate.settings.append(horus.ConfigError("Bad HORUS_GATE: expected an address."))
    with pytest.raises(horus.ConfigError, match="Bad HORUS_GATE"):
        horus.Topic("t", dict, backend="gate")
    assert gate.ports == {}
    assert horus.Topic("t", dict, backend="gate").send({"n": 1})


def test_a_sentence_ends_once(gate, caplog):
    """What a bridge raises may end with a full stop or not."""
    gate.opening.append(OSError("No route."))
    horus.Topic("t", dict, backend="gate")
    _wait(lambda: "It is tried again" in caplog.text)
    assert "OSError: No route. It is tried again" in caplog.text


def test_what_arrives_is_received(gate):
    """Once, in order, under its sender's name; what is missing in between is counted."""
    topic = horus.Topic("t", dict, backend="gate")
    port = _port(gate)
    for number in (1, 2, 2, 1, 5):
        port.deliver(_message(number, b"\x81\xa1n" + bytes([number])))
    assert [message["n"] for message in topic.recv_all()] == [1, 2, 5]
    assert topic.publishers == ["far"]
    assert (_stats(topic)["received"], _stats(topic)["lost"]) == (3, 2)
    assert gate.sent == []  # nothing of it goes back


def test_two_senders_are_counted_apart(gate):
    """Each numbers its own packets."""
    topic = horus.Topic("t", dict, backend="gate")
    port = _port(gate)
    for sender in (b"a" * 16, b"b" * 16):
        assert port.deliver(_message(1, EMPTY, sender=sender))
    assert (len(topic.recv_all()), _stats(topic)["lost"]) == (2, 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xc1",
        b"hello",
        bytes(100),
        _message(1, EMPTY)[:-3],
        _message(1, EMPTY, sender=b"short"),
        _message(1, EMPTY, node="a\0b"),
        _message(-1, EMPTY),
        _message(1, b""),
        _message(1, EMPTY, kind=types.of_class(horus.CmdVel)),
        _message(0, b"no details"),
    ],
)
def test_packets_that_are_none(packet, gate):
    """They are counted, and nobody receives anything."""
    topic = horus.Topic("t", dict, backend="gate")
    assert not _port(gate).deliver(packet)
    assert _stats(topic)["rejected"] == 1
    assert topic.recv() is None


@pytest.mark.parametrize("cls", [horus.CmdVel, horus.LaserScan, horus.Image], ids=lambda cls: cls.__name__)
def test_bytes_that_are_no_message_of_the_type(cls, gate):
    """They go into no ring: who receives a typed message may trust its length."""
    topic = horus.Topic("t", cls, backend="gate")
    port = _port(gate)
    for number, body in enumerate((b"", b"\0", bytes(7), bytes(5000)), start=1):
        assert not port.deliver(_message(number, body, kind=types.of_class(cls)))
    assert _stats(topic)["rejected"] == 4
    assert topic.recv() is None


def test_a_topic_takes_its_type_from_others(gate):
    """Who names none gets a ring as others describe it, with a class made from the layout where none is installed."""
    topic = horus.Topic("t", backend="gate")
    assert topic.recv() is None
    port = _port(gate)
    assert port.deliver(_typed(horus.CmdVel, 5, latched=True, capacity=32))
    assert (topic.type, topic.capacity) == (horus.CmdVel, 32)
    assert port.deliver(_message(1, bytes(16), kind=types.of_class(horus.CmdVel)))
    assert topic.recv() == horus.CmdVel()
    other = horus.Topic("u", backend="gate")
    assert not _port(gate, "u").deliver(_typed(horus.CmdVel, 5, capacity=1 << 40)) or other.capacity == 1024


@pytest.mark.parametrize("older", [True, False])
def test_of_two_types_the_older_one_stands(older, gate):
    """Who has used the topic for longer goes on; the other gets a TopicTypeError wherever it uses it."""
    topic = horus.Topic("t", dict, backend="gate")
    topic.send({})
    port = _port(gate)
    _wait(lambda: gate.kept)
    if not older:
        time.sleep(0.15)
    port.deliver(_typed(horus.CmdVel, 60_000 if older else 0))
    assert topic.send({})  # a dead process may have left that behind
    port.deliver(_typed(horus.CmdVel, 60_010 if older else 10))
    if older:
        for use in (
            topic.recv,
            lambda: topic.send({}),
            lambda: topic.wait(1),
            lambda: horus.Topic("t", backend="gate").recv(),
        ):
            with pytest.raises(horus.TopicTypeError, match=r"expected dict, got CmdVel.*node 'far', pid 7"):
                use()
    else:
        told = len(gate.kept)
        assert topic.send({})
        _wait(lambda: len(gate.kept) > told)  # at once, that the other knows


def test_the_last_message_of_a_latched_topic_is_kept(gate):
    """With the type, for a while, and told again in time."""
    topic = horus.Topic("mode", dict, latched=True, backend="gate")
    for number in range(3):
        topic.send({"n": number})
    slots = _wait(lambda: [slot for slot, _, _ in gate.kept] if len(gate.kept) >= 4 else None)
    assert slots == ["type", "last", "last", "last"]
    assert all(seconds == 10 for _, _, seconds in gate.kept)
    assert gate.sent == []


def test_a_topic_that_nobody_uses_is_closed(gate, monkeypatch):
    """The link is told so; opened again, its numbers go on."""
    from horus_core.backends import bridged

    monkeypatch.setattr(bridged, "_UNUSED_S", 0.1)
    monkeypatch.setattr(bridged, "_LOOK_S", 0.02)
    for number in (1, 2):
        with horus.Topic("t", dict, backend="gate") as topic:
            topic.send({})
        _wait(lambda number=number: gate.closed == ["t"] * number)
    assert [packets.decode(one).number for one in gate.sent] == [1, 2]


def test_images_cross_as_what_they_show(gate):
    """Geometry and pixels in one packet."""
    topic = horus.Topic("t", horus.Image, backend="gate")
    pixels = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    topic.send(horus.Image.from_numpy(pixels).roi(8, 4, 16, 10))
    found = packets.decode(_wait(lambda: gate.sent)[0])
    assert len(found.body) == 96 + 10 * 16 * 3
    topic.recv()
    assert _port(gate).deliver(_message(1, found.body, kind=types.of_class(horus.Image)))
    assert (topic.recv().to_numpy() == pixels[4:14, 8:24]).all()


def test_many_senders_share_a_name(gate):
    """The table of publishers is not for others to fill."""
    topic = horus.Topic("t", dict, capacity=1024, backend="gate")
    port = _port(gate)
    for number in range(1, 300):
        assert port.deliver(_message(number, EMPTY, node=f"node{number}"))
    assert len(topic.recv_all()) == 299
    assert len(topic.publishers) == 33
    assert topic.send({})


def test_threads_deliver_at_once(gate):
    """A bridge may hear on several threads."""
    topic = horus.Topic("t", dict, capacity=4096, backend="gate")
    port = _port(gate)

    def hear(who):
        for number in range(1, 301):
            port.deliver(_message(number, EMPTY, sender=bytes([who]) * 16))

    threads = [threading.Thread(target=hear, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(topic.recv_all()) == 1200


def test_a_bridge_that_fails_is_said(gate, caplog):
    """What HORUS logs names the backend and the topic."""
    with caplog.at_level(logging.WARNING):
        topic = horus.Topic("t", horus.CmdVel, backend="gate")
        _port(gate).deliver(_message(1, EMPTY))
    assert "Topic 't' over 'gate'" in caplog.text
    assert topic.recv() is None
    assert types.MSGPACK.kind == _native.MSGPACK
