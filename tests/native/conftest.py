"""Tests of the native core through Python: each in a namespace of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def region_of(horus_namespace):
    """The file of a topic's region."""

    def path(topic: str) -> Path:
        return Path(f"/dev/shm/horus_{horus_namespace}.topic.{topic}")

    return path
