"""Every figure that a run measures, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab
    from benchmarks.row import Row

FIGURES: dict[str, Callable[[Lab], list[Row]]] = {
    "typed-thread": typed.same_thread,
    "typed-process": typed.other_process,
    "typed-asleep": typed.asleep,
}
