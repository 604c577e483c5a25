"""Every test of nodes has a namespace of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace
