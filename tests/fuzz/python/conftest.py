"""Repeats the fuzz tests for as long as is asked, and counts what they tried."""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the helpers beside the tests are found by their names

from fuzzing import SECONDS  # noqa: E402 - found only now

_tried: Counter[str] = Counter()
_share_s = 0.0


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    """One namespace for all examples of a test. What is logged of them is not looked at."""
    logging.disable()
    yield horus_namespace
    logging.disable(logging.NOTSET)


def _is_ours(item):
    return HERE in item.path.parents and hasattr(getattr(item, "obj", None), "hypothesis")


def _count(item):
    handle = item.obj.hypothesis
    inner = handle.inner_test

    @functools.wraps(inner)
    def counted(*args, **kwargs):
        _tried[item.name] += 1
        return inner(*args, **kwargs)

    handle.inner_test = counted


def pytest_collection_modifyitems(items):
    """Share the time between the tests, and let none of them be stopped before it is over."""
    global _share_s  # noqa: PLW0603 - known once all tests are
    fuzzed = [item for item in items if _is_ours(item)]
    _share_s = SECONDS / max(len(fuzzed), 1)
    for item in fuzzed:
        _count(item)
        if SECONDS:
            item.add_marker(pytest.mark.timeout(_share_s + 120))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Draw new examples, round after small round, until the test's share of the time is over."""
    until = time.monotonic() + _share_s
    result = yield
    while SECONDS and _is_ours(pyfuncitem) and time.monotonic() < until:
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        pyfuncitem.obj(**arguments)
    return result


def pytest_terminal_summary(terminalreporter):
    """Say how many examples were tried."""
    for name, number in sorted(_tried.items()) if SECONDS else ():
        terminalreporter.write_line(f"{number:9,d} examples  {name}")
    if _tried:
        terminalreporter.write_line(f"{sum(_tried.values()):9,d} examples of the Python surface in all")
