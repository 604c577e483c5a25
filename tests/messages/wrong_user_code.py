"""Mistakes that a type checker must find: each marked line is an error."""

from horus_core.messages.fields import f32, field, u64
from horus_core.messages.message import Message


class Speed(Message):
    value: f32 = 0.0
    timestamp_ns: u64 = field(default=0, kw_only=True)


Speed(velue=1.0)  # WRONG
Speed("fast")  # WRONG
Speed(1.0, 5)  # WRONG
Speed().valeu  # WRONG
Speed().value = "fast"  # WRONG
