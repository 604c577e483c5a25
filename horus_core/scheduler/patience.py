"""How long a run waits for a tick that was under way when its node was to stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from horus_core.scheduler.signals import CutShort

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.host import Host

PATIENCE_S = 5.0
"""Nothing is forced before that."""
AT_LEAST_S = 0.1
"""For what has ended, but for its thread's last steps."""


class StillTicking(Exception):  # noqa: N818 - it tells a state
    """Raised by ExecutionClass.remove(): the node's tick has not ended in time. It is left behind."""

    def __init__(self, ended: Callable[[float | None], bool]) -> None:
        """`ended(timeout)` waits for its end, None: however long, and tells whether that came."""
        super().__init__()
        self.ended = ended


class Patience:
    """With the tick of one node, or with all ticks of a class."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._began_s: float | None = None

    def begin(self) -> None:
        """No tick begins any more. From any thread, any number of times."""
        if self._began_s is None:
            self._began_s = time.monotonic()

    def wait(self, ended: Callable[[float | None], bool], *, rounds: int = 1) -> bool:
        """Wait by `ended(timeout)`, until so many times the patience since it began; whether it has ended."""
        self.begin()
        assert self._began_s is not None
        until_s = 0.0 if self._host.hurried else self._began_s + rounds * PATIENCE_S
        try:
            return ended(max(AT_LEAST_S, until_s - time.monotonic()))
        except CutShort:
            self._host.hurried = True
            return ended(AT_LEAST_S)

    def wait_to_the_end(self, ended: Callable[[float | None], bool]) -> None:
        """The same; raises StillTicking when it has not ended."""
        if not self.wait(ended):
            raise StillTicking(ended)
