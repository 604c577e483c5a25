"""A node whose tick hangs when its run stops: what is still done for it, and what is said of it.

Nobody can end a thread. Its shutdown() is called beside the tick, and its thread, its topics and its name stay until
the tick ends. It is never said to have stopped before that.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.scheduler import clock, lifecycle, patience
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.signals import CutShort

if TYPE_CHECKING:
    from horus_core._native import Alarm
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler


class LeftBehind:
    """One such node."""

    def __init__(
        self, scheduler: Scheduler, entry: Entry, still: patience.StillTicking, *, hurried: bool
    ) -> None:
        self._scheduler = scheduler
        self._entry = entry
        self._still = still
        self._shut_down = threading.Event()  # not a thread's join(): see LoopThread
        entry.left_behind = True
        why = "a second signal cut the waiting short" if hurried else f"waited for {patience.PATIENCE_S:g} s"
        entry.journal.error(
            f"its tick does not end; {why}. It is left behind: its thread, topics and name stay until it ends"
        )
        scheduler.report.note("hung", f"left behind: its tick does not end; {why}", entry)

    def shut_down(self, alarm: Alarm, until_s: float) -> None:
        """Call its shutdown() on a thread of its own, as it may wait for the tick, and wait for that until then."""
        if not self._entry.live:  # an isolated node was shut down already
            self._shut_down.set()
            return
        loop = Loop(self._scheduler, alarm)
        name = f"horus shutdown {self._entry.node.name}"
        threading.Thread(target=self._call_shutdown, args=(loop,), name=name, daemon=True).start()
        with suppress(CutShort):
            self._shut_down.wait(max(patience.AT_LEAST_S, until_s - time.monotonic()))
        if not self._shut_down.is_set():
            self._entry.journal.error("its shutdown() does not end either")

    def watch(self) -> None:
        """Wait, on a thread of its own, for the end of the tick: then the node has stopped."""
        name = f"horus left behind {self._entry.node.name}"
        threading.Thread(target=self._await_end, name=name, daemon=True).start()

    def _call_shutdown(self, loop: Loop) -> None:
        clock.enter(loop)
        try:
            loop.on_behalf(self._entry, lifecycle.stop, self._entry)
        finally:
            clock.leave()
            self._shut_down.set()

    def _await_end(self) -> None:
        self._still.ended(None)
        self._shut_down.wait()
        lifecycle.end(self._entry, self._scheduler)
        self._entry.journal.warning("the tick that was left behind has ended")
        self._entry.left_behind = False
