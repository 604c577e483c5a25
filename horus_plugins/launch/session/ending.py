"""Stopping one process: first its schedulers are asked, then SIGTERM, then SIGKILL. Who stands still is woken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_plugins.launch.child import Child
    from horus_plugins.launch.file.plan import StopTimes

_INSISTED_S = 2.0


class Ending:
    """The phases of one stop. Each is cut short by the end of the process."""

    def __init__(self, child: Child, times: StopTimes, *, asked: bool, say: Callable[[str], None]) -> None:
        """`asked`: its schedulers were told to end gracefully; otherwise it gets SIGTERM at once."""
        self.child = child
        self._times = times
        self._say = say
        self._terminate_at: float | None = None
        if asked and child.running:
            child.expect_end()
            child.resume()  # who stands still (Ctrl+Z, SIGSTOP) hears nothing
            self._terminate_at = time.monotonic() + times.graceful_s
        else:
            self._terminate()

    def turn(self) -> None:
        """Go on to the next phase when it is time. What a process has left behind in its group gets SIGTERM, too."""
        child = self.child
        if self._terminate_at is not None and (not child.running or time.monotonic() >= self._terminate_at):
            if child.running:
                self._say(f"[{child.label}] still runs after {self._times.graceful_s:g} s: SIGTERM")
            self._terminate()
        elif child.overdue:
            self._say(f"[{child.label}] still runs after {self._times.terminate_s:g} s more: SIGKILL")
            child.kill()

    def insist(self) -> None:
        """Cut the waiting short: SIGTERM now, or once more, and 2 s."""
        if self._terminate_at is not None:
            self._terminate_at = None
            self.child.stop(_INSISTED_S)
        else:
            self.child.insist()

    def kill(self) -> None:
        """End it now."""
        self._terminate_at = None
        self.child.kill()

    def _terminate(self) -> None:
        self._terminate_at = None
        if self.child.running or not self.child.gone:
            self.child.stop(self._times.terminate_s)
