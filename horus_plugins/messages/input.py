"""Joysticks and keyboards. Their times are milliseconds, not nanoseconds."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum

from horus_core.messages.fields import bool_, f32, field, text, u32, u64
from horus_core.messages.message import Message

_EVENTS = ("", "button", "axis", "hat", "connection")


class KeyModifier(enum.IntFlag):
    """The bits of `KeyboardInput.modifier_flags`."""

    CTRL = 1
    ALT = 2
    SHIFT = 4
    SUPER = 8
    HYPER = 16
    META = 32


class JoystickInput(Message, topic="joystick"):
    """Something that was pressed, released or moved on a joystick."""

    joystick_id: u32 = field(default=0, doc="Which joystick.")
    event_type: str = text(16, doc="button, axis, hat or connection.")
    element_id: u32 = field(default=0, doc="Which button, axis or hat.")
    element_name: str = text(32, doc="What it is called.")
    value: f32 = field(default=0.0, unit="1", doc="From -1 to 1.")
    pressed: bool_ = field(default=False, doc="Whether the button is down, or the joystick connected.")
    timestamp_ms: u64 = field(default=0, kw_only=True, unit="ms", doc="When it happened; 0 is unset.")

    def is_valid(self) -> bool:
        """Whether the kind of event is known, or unset, and the value within -1 and 1."""
        return self.event_type in _EVENTS and -1.0 <= self.value <= 1.0


class KeyboardInput(Message, topic="keyboard", size=72):
    """A key that was pressed or released."""

    key_name: str = text(32, doc="What it is called.")
    code: u32 = field(default=0, doc="Its number.")
    modifier_flags: u32 = field(default=0, doc="The keys held with it: the bits of `KeyModifier`.")
    pressed: bool_ = field(default=False, doc="Whether it is down.")
    timestamp_ms: u64 = field(default=0, kw_only=True, unit="ms", doc="When it happened; 0 is unset.")

    def has_modifier(self, modifier: KeyModifier) -> bool:
        """Whether all of these keys are held with it."""
        return self.modifier_flags & modifier == modifier

    def is_valid(self) -> bool:
        """Whether no bit is set that has no meaning."""
        return self.modifier_flags & ~sum(KeyModifier) == 0


TYPES: tuple[type[Message], ...] = (JoystickInput, KeyboardInput)
