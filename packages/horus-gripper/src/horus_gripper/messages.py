"""The types: fixed layouts, so that a driver in C reads the very same bytes."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math

import horus


class GripStatus(enum.IntEnum):
    """What a gripper does, or came to."""

    UNKNOWN = 0
    MOVING = 1
    REACHED = 2
    """It is as wide as it was told to be: closing, it has met nothing."""
    HOLDING = 3
    """It was stopped by what is between its fingers, and holds that."""
    STALLED = 4
    """It cannot move on, and holds nothing."""
    FAULT = 5


class GripperCommand(horus.Message, topic="gripper_cmd"):
    """How far to open, how fast, and how hard to hold."""

    width: horus.f64 = horus.field(default=0.0, unit="m", doc="between the fingers; 0 is closed")
    max_speed: horus.f64 = horus.field(
        default=math.inf, unit="m/s", doc="of the width; inf: as fast as it can"
    )
    max_force: horus.f64 = horus.field(
        default=math.inf, unit="N", doc="of each finger; inf: as hard as it can"
    )
    enable: horus.bool_ = horus.field(default=True, doc="False lets the fingers go limp")
    timestamp_ns: horus.u64 = horus.field(
        default=0, kw_only=True, unit="ns", doc="when it was decided; 0: unset"
    )

    def is_valid(self) -> bool:
        """Whether a gripper can do that: a width, a speed and a force that are no less than zero."""
        return (
            math.isfinite(self.width) and self.width >= 0.0 and self.max_speed > 0.0 and self.max_force >= 0.0
        )


class GripperState(horus.Message, topic="gripper_state"):
    """How far a gripper is open, what it measures, and whether it holds something."""

    width: horus.f64 = horus.field(default=0.0, unit="m", doc="between the fingers")
    speed: horus.f64 = horus.field(default=0.0, unit="m/s", doc="of the width; closing is negative")
    force: horus.f64 = horus.field(
        default=math.nan, unit="N", doc="of each finger; NaN where it is not measured"
    )
    temperature: horus.f32 = horus.field(default=math.nan, unit="°C", doc="of the motor; NaN: not measured")
    status: GripStatus = horus.field(default=GripStatus.UNKNOWN, doc="what it does, or came to")
    timestamp_ns: horus.u64 = horus.field(
        default=0, kw_only=True, unit="ns", doc="when it was measured; 0: unset"
    )

    @property
    def holds(self) -> bool:
        """Whether something is between the fingers."""
        return self.status is GripStatus.HOLDING

    def is_valid(self) -> bool:
        """Whether a gripper can be so: a finite width that is no less than zero, and a finite speed."""
        return math.isfinite(self.width) and self.width >= 0.0 and math.isfinite(self.speed)
