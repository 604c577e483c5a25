"""What a session tells systemd: that it starts, is ready, lives, and stops."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from horus_core.control import systemd

if TYPE_CHECKING:
    from collections.abc import Collection

    from horus_plugins.launch.session.unit import Unit

_EXTEND_EVERY_S, _EXTEND_BY_S = 5.0, 30.0


@final
class Service:
    """The line to the service manager, if one asked to be told."""

    def __init__(self) -> None:
        self._line = systemd.notifier()
        self._is_ready = False
        self._extend_at_s = 0.0

    def rest_s(self, most_s: float) -> float:
        """How long at most until alive() must be called again."""
        return most_s if self._line is None else min(most_s, self._line.period_s / 2)

    def tell(self, status: str) -> None:
        """The nodes are ready. The first time makes the service ready; a reload does not do so again."""
        if self._line is not None:
            self._line.status(status) if self._is_ready else self._line.ready(status)
            self._is_ready = True

    def stopping(self, status: str) -> None:
        """The session stops."""
        if self._line is not None:
            self._line.stopping(status)

    def alive(self, units: Collection[Unit]) -> str:
        """All is well with the launcher. Why the service will never be ready, else "".

        While it starts, systemd is told to wait on, as its limit knows nothing of the file's: the first node that
        is not ready within its own `ready_timeout` is the end of the start.
        """
        if self._line is None:
            return ""
        self._line.alive()
        return "" if self._is_ready else self._start(self._line, units)

    def _start(self, line: systemd.Notifier, units: Collection[Unit]) -> str:
        for unit in units:
            limit_s, child = unit.plan.ready_timeout_s, unit.living
            if unit.status == "starting" and child is not None and child.age_s > limit_s:
                return f"[{unit.name}] was not ready within {limit_s:g} s"
        if time.monotonic() >= self._extend_at_s:
            self._extend_at_s = time.monotonic() + _EXTEND_EVERY_S
            ready = sum(unit.ready for unit in units)
            line.starting(f"{ready} of {len(units)} nodes are ready", _EXTEND_BY_S)
        return ""
