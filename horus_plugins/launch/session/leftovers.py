"""What a killed launcher's session has left: its guard ends it, and a new session of the name waits for that."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from horus_plugins.launch import system

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.1
_PATIENCE_S = 7.0
"""The guard gives them 5 s from SIGTERM to SIGKILL."""


class Leftovers:
    """The processes of an earlier session of this name whose launcher was killed."""

    def __init__(self, run_id: str, variable: str, say: Callable[[str], None]) -> None:
        self._mark = f"{variable}={run_id}".encode() if run_id else b""
        self._say = say
        self._since = time.monotonic()
        self._look_at = 0.0
        self._told = False

    @property
    def waits(self) -> bool:
        """Whether it is not known to be gone yet."""
        return bool(self._mark)

    def gone(self) -> bool:
        """Whether nothing is left of it. To be called until then: what outlives its guard is killed here."""
        if not self._mark:
            return True
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK_S
        left = system.family(set(), self._mark)
        if not left:
            self._mark = b""
            return True
        if not self._told:
            self._told = True
            self._say(f"waiting for what a killed launcher left: pid {', '.join(map(str, sorted(left)))}")
        if now - self._since > _PATIENCE_S:
            self._say(f"SIGKILL to what is left of it: pid {', '.join(map(str, sorted(left)))}")
            system.signal_all(left, signal.SIGKILL)
        return False
