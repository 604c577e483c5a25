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
params = horus.RuntimeParams()
params.get("max_speed", default=1.0).upper()  # WRONG
params.declare("limit", default=1.0).set("fast")  # WRONG
params.declare("limit", default=1.0).value = 2.0  # WRONG
params.declare("side", default="left", units="m")  # WRONG
