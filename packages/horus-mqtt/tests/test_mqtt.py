"""The backend `mqtt` against a real broker."""

from __future__ import annotations

import logging
import subprocess
import sys
import time

import pytest

import horus
from horus.testing import backend_conformance

LIMIT_S = 20.0

TestMqtt = backend_conformance("mqtt")


@pytest.fixture
def own_broker(broker, tmp_path, monkeypatch):
    """A broker that the test may end."""
    one = type(broker)(tmp_path)
    monkeypatch.setenv("HORUS_MQTT", f"mqtt://127.0.0.1:{one.port}")
    return one


def _wait(condition) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_is_sent_without_a_broker_waits(own_broker, horus_namespace, caplog):
    """send() takes no notice; the newest messages that the ring keeps are carried once there is a broker."""
    topic = horus.Topic("t", dict, capacity=16, backend="mqtt")
    with caplog.at_level(logging.WARNING):
        for number in range(40):
            start = time.monotonic()
            assert topic.send({"n": number})
            assert time.monotonic() - start < LIMIT_S
        _wait(lambda: "connecting failed: ConnectionRefusedError" in caplog.text)
    assert not topic.stats()["bridge"]["connected"]
    own_broker.start()
    try:
        _wait(lambda: topic.stats()["bridge"]["sent"] == 16)
        assert topic.stats()["bridge"]["dropped"] == 24
    finally:
        topic.close()
        own_broker.end()


def test_a_broker_that_comes_back(own_broker, horus_namespace):
    """Topics are subscribed anew, and go on."""
    own_broker.start()
    topic = horus.Topic("t", dict, backend="mqtt")
    topic.send({"n": 1})
    _wait(lambda: topic.stats()["bridge"]["sent"] == 1)
    own_broker.end()
    own_broker.start()
    try:
        topic.send({"n": 2})
        _wait(lambda: topic.stats()["bridge"]["sent"] == 2)
    finally:
        topic.close()
        own_broker.end()


def test_a_dead_processs_type_is_no_mismatch(horus_namespace):
    """The broker still has it for some seconds; nobody answers for it, and the topic takes the new one."""
    code = "import horus, time; horus.Topic('t', horus.CmdVel, backend='mqtt'); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    with horus.Topic("t", backend="mqtt") as witness:
        _wait(lambda: witness.type is horus.CmdVel)
    process.kill()
    process.communicate()
    topic = horus.Topic("t", dict, backend="mqtt")
    try:
        for number in range(20):
            assert topic.send({"n": number})
            time.sleep(0.01)
        _wait(lambda: topic.stats()["bridge"]["sent"] == 20)
    finally:
        topic.close()


@pytest.mark.parametrize(
    "address", ["localhost", "http://localhost", "mqtt://", "mqtt://host:port", "mqtt://host/path"]
)
def test_a_bad_address(address, monkeypatch):
    """It is refused with what was expected."""
    from horus_mqtt import server

    monkeypatch.setenv("HORUS_MQTT", address)
    with pytest.raises(horus.ConfigError, match="expected an address like mqtt://"):
        server.configured()


def test_a_bad_address_is_told_to_who_opens(monkeypatch, horus_namespace):
    """At once, not by the thread that connects, and again and again."""
    monkeypatch.setenv("HORUS_MQTT", "http://localhost")
    with pytest.raises(horus.ConfigError, match="expected an address like mqtt://"):
        horus.Topic("t", dict, backend="mqtt")


def test_an_address(monkeypatch):
    """Users, passwords, ports and TLS."""
    from horus_mqtt import server

    monkeypatch.setenv("HORUS_MQTT", "mqtts://arm:p%40ss@broker.local")
    assert server.configured() == ("broker.local", 8883, True, "arm", "p@ss")
    monkeypatch.delenv("HORUS_MQTT")
    assert server.configured() == ("localhost", 1883, False, None, None)
