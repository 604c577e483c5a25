"""Messages for the tests of a backend."""

# Without `from __future__ import annotations`: the annotations are the fields of a message.
from horus_core.messages.fields import f64, field, text, u32
from horus_core.messages.message import Message


class Reading(Message, topic="conformance.reading"):
    """A typed message."""

    number: u32 = field(default=0)
    value: f64 = field(default=0.0)
    label: str = text(32)


class Other(Message, topic="conformance.other"):
    """A message of another type."""

    number: u32 = field(default=0)
