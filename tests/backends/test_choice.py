"""Which backend a topic gets, and what is said where there is none."""

from __future__ import annotations

import pytest

import horus
from horus_core.backends import registry

THEIRS = """
from horus_core.backends.private import PrivateBackend
from horus_core.plugins.hookspecs import hookimpl


class Pigeon(PrivateBackend):
    '''Topics of one process, under another name.'''

    name = "pigeon"


@hookimpl
def horus_register_backends(register):
    register(Pigeon)
"""


def _nothing():
    """A tick."""


# spec: F33 DESIGN-5
def test_a_strangers_backend(install, monkeypatch):
    """It is found by its entry point, named by a topic or by HORUS_BACKEND; control topics stay in shared memory."""
    install(THEIRS)
    topic = horus.Topic("t", dict, backend="pigeon")
    assert topic.send({"n": 1})
    assert (topic.recv(), topic.over) == ({"n": 1}, "pigeon")
    monkeypatch.setenv("HORUS_BACKEND", "pigeon")
    assert horus.Topic("t").over == "pigeon"
    assert registry.shows_runs()


def test_the_box_comes_through_the_same_door():
    """Shm and local are supplied by a plugin of the group."""
    offers = {offer.name: offer.plugin for offer in registry.kinds.all()}
    assert {"shm", "local"} <= set(offers)
    assert offers["shm"].value == offers["local"].value == "horus_plugins.backends.plugin"
    assert type(registry.of_request(horus.Topic("t")._request)) is registry.kinds.named("shm", "A test")


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_backend_that_is_not_there(by, install, monkeypatch):
    """The error names what is there, and why a plugin failed that should have supplied it."""
    install("raise RuntimeError('no radio')", entry="radio", module="radio", distribution="horus-radio")
    if by == "variable":
        monkeypatch.setenv("HORUS_BACKEND", "radio")
    with pytest.raises(horus.PluginError) as caught:
        horus.Topic("t", backend="radio" if by == "argument" else None)
    said = str(caught.value)
    assert "Opening topic 't'" in said
    assert "expected a backend named 'radio', got 'local'" in said
    assert "horus-radio 1.2" in said
    assert "no radio" in said
    assert (by == "variable") == ("HORUS_BACKEND=radio" in said)


def test_a_run_with_an_unknown_backend_does_not_start(monkeypatch):
    """It says so before any init()."""
    monkeypatch.setenv("HORUS_BACKEND", "pigeonn")
    started = []
    with pytest.raises(horus.PluginError, match="HORUS_BACKEND=pigeonn"):
        horus.run(horus.Node("n", tick=_nothing, init=lambda: started.append(1)), duration=0)
    assert started == []


def test_what_is_no_backend(install):
    """It marks the plugin as failed."""
    install(THEIRS.replace("register(Pigeon)", "register(Pigeon('ns'))"))
    with pytest.raises(horus.PluginError, match="expected a subclass of Backend or Bridge"):
        horus.Topic("t", dict, backend="pigeon")


def test_an_empty_variable_is_none(monkeypatch):
    """As if it were not set."""
    monkeypatch.setenv("HORUS_BACKEND", "")
    assert horus.Topic("t", dict).over == "shm"
