"""`fuzz`: hypothesis with the settings that all tests here share.

In `make test` each test has the same few examples every time. With HORUS_FUZZ_SECONDS (`make fuzz-python
SECONDS=60`) the tests share that time, draw new examples until it is over, and keep what failed in
build/fuzz-python, where it is tried first the next time. A failure that was found becomes an `@example`.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

SECONDS = float(os.environ.get("HORUS_FUZZ_SECONDS", "0"))
_KEPT = Path(__file__).resolve().parents[3] / "build" / "fuzz-python"

ROUND = min(300, max(10, round(SECONDS)))
"""Examples until the clock is looked at: few in a short run, for the first round is whole however long it takes."""

_COMMON = {
    "deadline": None,  # a machine may be slow; hangs are pytest-timeout's
    "suppress_health_check": [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,  # the namespace: one for all examples is meant
    ],
}
if SECONDS:
    SETTINGS = settings(
        max_examples=ROUND, database=DirectoryBasedExampleDatabase(_KEPT), print_blob=True, **_COMMON
    )
else:
    SETTINGS = settings(max_examples=100, derandomize=True, database=None, **_COMMON)


def fuzz(examples=None, **strategies):
    """Run the test with values that are drawn from the strategies."""

    def decorate(test):
        chosen = SETTINGS if examples is None or SECONDS else settings(SETTINGS, max_examples=examples)
        return chosen(given(**strategies)(test))

    return decorate
