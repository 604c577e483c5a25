"""Processes that compute and never sleep: what a figure is measured beside."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def hogs(count: int, core: int | None = None) -> Iterator[None]:
    """So many of them, all on one core or wherever the kernel puts them, while the block runs."""
    with ExitStack() as running:
        for _ in range(count):
            hog = subprocess.Popen(
                [sys.executable, "-c", "while True: pass"],
                preexec_fn=lambda: machine.prepare_child(core),  # noqa: PLW1509 - the harness has one thread
            )
            running.callback(hog.wait)
            running.callback(hog.kill)
        yield


@contextmanager
def quiet_or_busy(core: int | None) -> Iterator[str]:
    """Nothing beside, or a hog that keeps one core busy; how a title says so."""
    if core is None:
        yield ""
        return
    with hogs(1, core):
        yield f", hog on core {core}"
