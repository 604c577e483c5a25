"""A store of parameters of each test's own, without what the machine's environment gives."""

from __future__ import annotations

import os

import pytest

from horus_core.nodes import making
from horus_core.params import arguments, reach, remote, runtime
from horus_core.params.store import Store


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Make RuntimeParams as a new process would have them: `fresh(HORUS_PARAM_SPEED="2")`."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("HORUS_PARAM")]:
        monkeypatch.delenv(name)

    def make(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        store = Store()
        monkeypatch.setattr(runtime, "STORE", store)
        monkeypatch.setattr(remote, "STORE", store)
        monkeypatch.setattr(making, "STORE", store)
        monkeypatch.setattr(arguments, "_made", [])
        return runtime.RuntimeParams()

    yield make
    reach.close()
