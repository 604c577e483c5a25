"""The launcher's lines to its schedulers while somebody keeps the namespace's lock."""

import pytest

from horus_core.control.commands import Commands
from horus_core.control.server import Server
from horus_core.errors import HorusTimeoutError
from horus_core.shm import namespace as namespaces
from horus_plugins.launch.session import lines as module

TOPICS = [f"horus.ctl.robot{number}" for number in range(20)]


@pytest.fixture
def looks(monkeypatch):
    """How long each look for the namespace's lock would have waited."""
    patiences = []
    real = module.require_unlocked

    def counted(namespace, timeout_s):
        patiences.append(timeout_s)
        real(namespace, timeout_s)

    monkeypatch.setattr(module, "require_unlocked", counted)
    return patiences


def test_who_keeps_the_namespaces_lock_costs_the_launcher_one_look_a_turn(horus_namespace, looks, until):
    """Twenty schedulers are asked while it is kept: nothing waits; each is asked in the first turn after."""
    known = Commands()
    known.register("Ping", lambda _request: {"here": True})
    lines = module.Lines(horus_namespace)
    answers = []
    servers = [Server(topic, known, scheduler=topic) for topic in TOPICS]
    with namespaces.locked(horus_namespace):
        for topic in TOPICS:
            lines.prepare(topic)
            lines.ask(topic, {"cmd": "Ping"}, 60.0, answers.append)
        assert looks == [0.0]
        assert [lines.order(topic, "GracefulShutdown") for topic in TOPICS] == [False] * len(TOPICS)
        assert looks == [0.0], "of what is kept in this turn nobody expects otherwise"
        assert lines.turn() is True
        assert looks == [0.0, 0.0]
        assert answers == []
    until(lambda: lines.turn() and len(answers) == len(TOPICS))
    assert sorted(answer["scheduler"] for answer in answers) == sorted(TOPICS)
    assert all(answer["here"] and answer["ok"] for answer in answers)
    assert set(looks) == {0.0}
    assert lines.turn() is False, "nothing is waited for any more"
    for topic in TOPICS:
        lines.close(topic)
    with namespaces.locked(horus_namespace):
        looks.clear()
        sent = [lines.order(topic, "GracefulShutdown") for topic in TOPICS]
        assert (sent, len(looks)) == ([False] * len(TOPICS), 1), "a stop of all waits once"
        lines.turn()
        lines.ask(TOPICS[0], {"cmd": "Ping"}, -60.0, answers.append)
        (refused,) = answers[len(TOPICS) :]
        assert isinstance(refused, HorusTimeoutError), "who asked waits no more, and is told why"
        assert "Locking namespace" in str(refused)
    lines.close_all()
    for server in servers:
        server.close()
