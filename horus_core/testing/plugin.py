"""The pytest plugin, found through the entry-point group `pytest11`.

Every pytest run in an environment with HORUS imports this file: it imports the rest when a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def horus_namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A namespace of this test's own, for its process and those that it starts; nothing of it is left afterwards."""
    from horus_core.testing import namespaces  # noqa: PLC0415 - runs without HORUS's tests do without it

    name = namespaces.new_namespace()
    monkeypatch.setenv("HORUS_NAMESPACE", name)
    yield name
    namespaces.remove_namespace(name)
