"""The interfaces that HORUS calls and others may implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core._native import Alarm


class Clock(ABC):
    """What time it is for a scheduler, and how it waits: wall time, simulated time, a recording's time."""

    @abstractmethod
    def now_ns(self) -> int:
        """Nanoseconds since a moment of the clock's choice; never goes back."""

    @abstractmethod
    def sleep_until(self, deadline_ns: int, alarm: Alarm) -> bool:
        """Return False once `deadline_ns` has come, or True as soon as the alarm rings."""
