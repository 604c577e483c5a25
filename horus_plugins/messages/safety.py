"""Emergency stop."""

# Without `from __future__ import annotations`: the annotations are the fields.
from typing import TYPE_CHECKING

from horus_core.messages.fields import bool_, field, text, u64
from horus_core.messages.message import Message

if TYPE_CHECKING:
    from typing_extensions import Self


class EmergencyStop(Message, topic="estop"):
    """An emergency stop, engaged or released."""

    engaged: bool_ = field(default=False, doc="Whether to stop; a release never stops anything.")
    reason: str = text(64, doc="Why.")
    source: str = text(32, doc="Which node.")
    auto_reset: bool_ = field(default=False, doc="Whether it may release itself when its cause is gone.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @classmethod
    def engage(cls, reason: str, source: str = "") -> "Self":
        """Make the order to stop."""
        return cls(engaged=True, reason=reason, source=source)

    @classmethod
    def release(cls, source: str = "") -> "Self":
        """Make the order that a stop is over."""
        return cls(engaged=False, source=source)


TYPES: tuple[type[Message], ...] = (EmergencyStop,)
