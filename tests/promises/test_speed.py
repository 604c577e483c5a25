"""Promised speeds are measured, by benchmarks/, beside floors and peers; nothing here asserts speed."""

from __future__ import annotations

import pytest

from benchmarks.figures import FIGURES


# spec: A39, B6, B18, B20, E25, E26
@pytest.mark.parametrize(
    "figure",
    [
        "typed-thread", "typed-tick", "typed-polling", "typed-asleep", "dicts", "dict-array", "core",
        "image-in-place", "image-private", "stream", "fan-out", "import", "shared-memory", "opening",
        "tick-overhead", "tick-unthrottled", "tick-idle", "stopping", "rt-lateness", "rt-spin", "rt-beside-python",
    ],
)  # fmt: skip
def test_a_promised_figure_is_measured(figure):
    """`make bench` measures every figure that users were promised: none was dropped because it was not reached."""
    assert figure in FIGURES
