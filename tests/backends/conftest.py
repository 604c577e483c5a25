"""Tests of backends each run in a namespace of their own."""

from __future__ import annotations

import sys
import textwrap

import pytest

from horus_core.plugins import discovery


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution with one module of the group horus.backends, as pip would leave it."""
    installed = []

    def put(source, *, module="their_backend", entry="their", distribution="their-backend"):
        site = tmp_path / f"site{len(installed)}"
        site.mkdir()
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[horus.backends]\n{entry} = {module}\n")
        monkeypatch.syspath_prepend(site)
        installed.append(module)
        discovery.forget()
        return site

    yield put
    for module in installed:
        sys.modules.pop(module, None)
    discovery.forget()
