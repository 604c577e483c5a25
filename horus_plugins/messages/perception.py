"""What was recognised: boxes, detections, masks, landmarks, planes. Pixels count from the picture's top left."""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import alias, array, f32, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks
from horus_plugins.messages.geometry import Point3, Vector3

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

MAX_PLANES = 64


class MaskType(enum.IntEnum):
    """What the values of a segmentation mask are."""

    SEMANTIC = 0
    INSTANCE = 1
    PANOPTIC = 2


class BoundingBox2D(Message, topic="bbox2d"):
    """A box in a picture."""

    x: f32 = field(default=0.0, unit="px", doc="Of its left edge.")
    y: f32 = field(default=0.0, unit="px", doc="Of its upper edge.")
    width: f32 = field(default=0.0, unit="px", doc="To the right.")
    height: f32 = field(default=0.0, unit="px", doc="Downwards.")

    @classmethod
    def from_center(cls, x: float, y: float, width: float, height: float) -> "Self":
        """Make the box around a place in the picture."""
        return cls(x - width / 2, y - height / 2, width, height)

    def center(self) -> tuple[float, float]:
        """Return column and row of its middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def area(self) -> float:
        """Return its area in square pixels."""
        return self.width * self.height

    def iou(self, other: "BoundingBox2D") -> float:
        """Return the area of both together over that of either, from 0 to 1; 0 when both are empty."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(0.0, across) * max(0.0, down)
        either = self.area() + other.area() - shared
        return shared / either if either > 0.0 else 0.0

    def is_valid(self) -> bool:
        """Whether all values are finite, and width and height not negative."""
        return checks.finite(self.x, self.y, self.width, self.height) and min(self.width, self.height) >= 0.0


class BoundingBox3D(Message, topic="bbox3d"):
    """A box in space."""

    center: Point3 = field(default=Point3(), unit="m", doc="Its middle.")
    length: f32 = field(default=0.0, unit="m", doc="Along its own x.")
    width: f32 = field(default=0.0, unit="m", doc="Along its own y.")
    height: f32 = field(default=0.0, unit="m", doc="Along its own z.")
    roll: f32 = field(default=0.0, unit="rad", doc="About x.")
    pitch: f32 = field(default=0.0, unit="rad", doc="About y.")
    yaw: f32 = field(default=0.0, unit="rad", doc="About z.")
    cx: f64 = alias("center.x", unit="m")
    cy: f64 = alias("center.y", unit="m")
    cz: f64 = alias("center.z", unit="m")

    def volume(self) -> float:
        """Return its volume in m³."""
        return self.length * self.width * self.height

    def is_valid(self) -> bool:
        """Whether all values are finite and no edge is negative."""
        edges = (self.length, self.width, self.height)
        angles = (self.roll, self.pitch, self.yaw)
        return self.center.is_valid() and checks.finite(*edges, *angles) and min(edges) >= 0.0


class Detection(Message, topic="detection", size=72):
    """Something that was found in a picture."""

    bbox: BoundingBox2D = field(default=BoundingBox2D(), unit="px", doc="Where.")
    confidence: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    class_id: u32 = field(default=0, doc="What, as the model numbers it.")
    class_name: str = text(32, doc="What.")
    instance_id: u32 = field(default=0, doc="Which of its kind.")

    def is_confident(self, threshold: float) -> bool:
        """Whether the confidence is at least the threshold, from 0 to 1."""
        return self.confidence >= threshold

    def is_valid(self) -> bool:
        """Whether the box is, and the confidence lies within 0 and 1."""
        return self.bbox.is_valid() and checks.fractions(self.confidence)


class Detection3D(Message, topic="detection3d"):
    """Something that was found in space."""

    bbox: BoundingBox3D = field(default=BoundingBox3D(), doc="Where.")
    confidence: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    class_id: u32 = field(default=0, doc="What, as the model numbers it.")
    class_name: str = text(32, doc="What.")
    velocity_x: f32 = field(default=0.0, unit="m/s", doc="Along x.")
    velocity_y: f32 = field(default=0.0, unit="m/s", doc="Along y.")
    velocity_z: f32 = field(default=0.0, unit="m/s", doc="Along z.")
    instance_id: u32 = field(default=0, doc="Which of its kind.")

    def speed(self) -> float:
        """Return how fast it moves, in m/s."""
        return math.hypot(self.velocity_x, self.velocity_y, self.velocity_z)

    def is_valid(self) -> bool:
        """Whether the box is, the confidence lies within 0 and 1, and the velocity is finite."""
        moving = checks.finite(self.velocity_x, self.velocity_y, self.velocity_z)
        return self.bbox.is_valid() and checks.fractions(self.confidence) and moving


class SegmentationMask(Message, topic="segmentation_mask"):
    """What the values of a mask mean; the mask itself is an Image of the same time."""

    width: u32 = field(default=0, unit="px", doc="Of the mask.")
    height: u32 = field(default=0, unit="px", doc="Of the mask.")
    num_classes: u32 = field(default=0, doc="How many classes there are.")
    mask_type: MaskType | int = field(default=MaskType.SEMANTIC, storage=u8, doc="What its values are.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the picture; 0 is unset.")
    seq: u64 = field(default=0, doc="Counts the masks.")
    frame_id: str = text(32, doc="The frame of the camera.")

    def is_valid(self) -> bool:
        """Whether the kind of mask is known."""
        return checks.known(self.mask_type, MaskType)


class Landmark(Message, topic="landmark"):
    """A point of a body, a hand or a face in a picture."""

    x: f32 = field(default=0.0, unit="px", doc="Its column, or a fraction of the width.")
    y: f32 = field(default=0.0, unit="px", doc="Its row, or a fraction of the height.")
    visibility: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    index: u32 = field(default=0, doc="Which point, as the model numbers them.")

    def is_visible(self, threshold: float = 0.5) -> bool:
        """Whether the visibility is at least the threshold."""
        return self.visibility >= threshold

    def is_valid(self) -> bool:
        """Whether the place is finite and the visibility within 0 and 1."""
        return checks.finite(self.x, self.y) and checks.fractions(self.visibility)


class Landmark3D(Message, topic="landmark3d"):
    """A point of a body, a hand or a face in space."""

    x: f32 = field(default=0.0, unit="m", doc="Along x.")
    y: f32 = field(default=0.0, unit="m", doc="Along y.")
    z: f32 = field(default=0.0, unit="m", doc="Along z.")
    visibility: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    index: u32 = field(default=0, doc="Which point, as the model numbers them.")

    def is_visible(self, threshold: float = 0.5) -> bool:
        """Whether the visibility is at least the threshold."""
        return self.visibility >= threshold

    def is_valid(self) -> bool:
        """Whether the place is finite and the visibility within 0 and 1."""
        return checks.finite(self.x, self.y, self.z) and checks.fractions(self.visibility)


class LandmarkArray(Message, topic="landmark_array"):
    """How many landmarks of one body there are; they themselves follow as a Tensor, or one by one."""

    num_landmarks: u32 = field(default=0, doc="How many.")
    dimension: u32 = field(default=0, doc="2 or 3; 0 is unset.")
    instance_id: u32 = field(default=0, doc="Whose.")
    confidence: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the picture; 0 is unset.")
    bbox: BoundingBox2D = field(default=BoundingBox2D(), unit="px", doc="Around all of them.")

    @classmethod
    def coco_pose(cls) -> "Self":
        """Make the head of a body's 17 landmarks in a picture, as COCO numbers them."""
        return cls(17, 2)

    @classmethod
    def mediapipe_pose(cls) -> "Self":
        """Make the head of a body's 33 landmarks in space, as MediaPipe numbers them."""
        return cls(33, 3)

    @classmethod
    def mediapipe_hand(cls) -> "Self":
        """Make the head of a hand's 21 landmarks in space, as MediaPipe numbers them."""
        return cls(21, 3)

    @classmethod
    def mediapipe_face(cls) -> "Self":
        """Make the head of a face's 468 landmarks in space, as MediaPipe numbers them."""
        return cls(468, 3)

    def is_valid(self) -> bool:
        """Whether there are 2 or 3 dimensions, or none yet, the box is valid and the confidence within 0 and 1."""
        dimensions = self.dimension in {2, 3} or self.num_landmarks == self.dimension == 0
        return dimensions and self.bbox.is_valid() and checks.fractions(self.confidence)


class PlaneDetection(Message, topic="plane_detection"):
    """A plane that was found among points: a x + b y + c z + d = 0."""

    coefficients: "NDArray[np.float64]" = array(f64, 4, unit="1, 1, 1, m", doc="a, b, c, d.")
    center: Point3 = field(default=Point3(), unit="m", doc="The middle of its points.")
    normal: Vector3 = field(default=Vector3(), unit="1", doc="Of length 1; zero is unset.")
    inliers: u32 = field(default=0, doc="How many points lie on it.")
    confidence: f32 = field(default=0.0, unit="1", doc="From 0 to 1.")
    type: str = text(16, doc="Such as floor, wall or table.")

    def distance_to(self, point: Point3) -> float:
        """Return how far a point lies off the plane in m; NaN while there are no coefficients."""
        a, b, c, d = self.to_dict()["coefficients"]
        length = math.hypot(a, b, c)
        return abs(a * point.x + b * point.y + c * point.z + d) / length if length > 0.0 else math.nan

    def is_valid(self) -> bool:
        """Whether all values are finite, the normal is of length 1 or unset, the confidence within 0 and 1."""
        finite = checks.all_finite(self, "coefficients") and self.center.is_valid() and self.normal.is_valid()
        return finite and checks.fractions(self.confidence) and checks.direction(self.normal)


class PlaneArray(Message, topic="plane_array"):
    """Up to 64 planes, which travel at their used length."""

    planes: "Sequence[PlaneDetection]" = array(PlaneDetection, MAX_PLANES, bounded=True, doc="In any order.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of the points; 0 is unset.")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.planes)

    def is_valid(self) -> bool:
        """Whether each is."""
        return all(one.is_valid() for one in self.planes)


TYPES: tuple[type[Message], ...] = (
    BoundingBox2D, BoundingBox3D, Detection, Detection3D, SegmentationMask, Landmark, Landmark3D, LandmarkArray,
    PlaneDetection, PlaneArray,
)  # fmt: skip
