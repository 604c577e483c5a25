"""What was found again from picture to picture."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum

from horus_core.messages.fields import f32, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.perception import BoundingBox2D


class TrackState(enum.IntEnum):
    """How sure it is that a track is a thing."""

    TENTATIVE = 0
    CONFIRMED = 1
    DELETED = 2


class TrackedObject(Message, topic="tracked_object"):
    """A thing that is followed through pictures."""

    bbox: BoundingBox2D = field(default=BoundingBox2D(), unit="px", doc="Where it was found last.")
    predicted_bbox: BoundingBox2D = field(default=BoundingBox2D(), unit="px", doc="Where it is expected now.")
    track_id: u64 = field(default=0, doc="Which thing; never used twice.")
    confidence: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    class_id: u32 = field(default=0, doc="What, as the model numbers it.")
    velocity_x: f32 = field(default=0.0, unit="px/s", doc="To the right.")
    velocity_y: f32 = field(default=0.0, unit="px/s", doc="Downwards.")
    accel_x: f32 = field(default=0.0, unit="px/s²", doc="To the right.")
    accel_y: f32 = field(default=0.0, unit="px/s²", doc="Downwards.")
    age: u32 = field(default=0, doc="Pictures since it was first found.")
    hits: u32 = field(default=0, doc="Pictures that it was found in.")
    time_since_update: u32 = field(default=0, doc="Pictures since it was last found.")
    state: TrackState | int = field(default=TrackState.TENTATIVE, storage=u8, doc="How sure it is.")
    class_name: str = text(16, doc="What.")

    def is_confirmed(self) -> bool:
        """Whether it is taken for a thing."""
        return self.state == TrackState.CONFIRMED

    def is_valid(self) -> bool:
        """Whether the boxes are, the confidence lies within 0 and 1, the state is known, and it moves finitely."""
        moving = checks.finite(self.velocity_x, self.velocity_y, self.accel_x, self.accel_y)
        boxes = self.bbox.is_valid() and self.predicted_bbox.is_valid()
        return moving and boxes and checks.fractions(self.confidence) and checks.known(self.state, TrackState)


class TrackingHeader(Message, topic="tracking_header"):
    """What a tracker did with one picture; its `TrackedObject`s follow."""

    num_tracks: u32 = field(default=0, doc="How many follow.")
    frame_number: u32 = field(default=0, doc="Which picture.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the picture; 0 is unset.")
    total_tracks: u64 = field(default=0, doc="How many there were since the start.")
    active_tracks: u32 = field(default=0, doc="How many are confirmed.")


TYPES: tuple[type[Message], ...] = (TrackedObject, TrackingHeader)
