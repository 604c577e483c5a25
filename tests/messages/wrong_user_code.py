"""Mistakes that a type checker must find: each marked line is an error."""

import horus


class Speed(horus.Message):
    value: horus.f32 = 0.0
    timestamp_ns: horus.u64 = horus.field(default=0, kw_only=True)


Speed(velue=1.0)  # WRONG
Speed("fast")  # WRONG
Speed(1.0, 5)  # WRONG
print(Speed().valeu)  # WRONG
Speed().value = "fast"  # WRONG
