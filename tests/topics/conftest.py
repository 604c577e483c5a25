"""Tests of topics each run in a namespace of their own."""

import pytest


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace
