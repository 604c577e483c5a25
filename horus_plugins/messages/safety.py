"""Emergency stop: the message that the core itself sends and obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.control.estop import EmergencyStop

if TYPE_CHECKING:
    from horus_core.messages.message import Message

__all__ = ["EmergencyStop"]

TYPES: tuple[type[Message], ...] = (EmergencyStop,)
