"""Promised speeds are measured, by benchmarks/, beside floors and peers; nothing here asserts speed."""

from __future__ import annotations

import pytest

from benchmarks.figures import FIGURES


# spec: B6, B18, B20
@pytest.mark.parametrize(
    "figure",
    [
        "typed-thread", "typed-tick", "typed-polling", "typed-asleep", "dicts", "dict-array", "core",
        "image-in-place", "image-private", "stream", "fan-out", "import", "shared-memory", "opening",
    ],
)  # fmt: skip
def test_a_promised_figure_is_measured(figure):
    """`make bench` measures every figure that users were promised: none was dropped because it was not reached."""
    assert figure in FIGURES
