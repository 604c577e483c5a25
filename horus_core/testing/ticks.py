"""Ticking by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core.scheduler.scheduler import Scheduler


def run_ticks(scheduler: Scheduler, n: int) -> int:
    """Tick every node n times, in order, on this thread; how often it was, which is less after request_stop().

    The nodes stay started: `scheduler.stop()`, or the end of a `with scheduler:`, shuts them down.
    """
    for done in range(n):
        if scheduler.is_stopping():
            return done
        scheduler.tick_once()
    return n
