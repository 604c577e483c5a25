"""Tests of crashes: each in a namespace of its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the runner beside the tests is found by its names


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace
