"""Tests of crashes: each in a namespace of its own."""

import pytest


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace
