"""What belongs to pictures: their compressed form, and the cameras that take them.

Pictures themselves are `horus.Image` and `horus.DepthImage`, points `horus.PointCloud`: they lie in the pool.
"""

# Without `from __future__ import annotations`: the annotations are the fields.
import enum
import math
from typing import TYPE_CHECKING

from horus_core.messages.fields import alias, array, bool_, f64, field, text, u8, u32, u64
from horus_core.messages.message import Message
from horus_plugins.messages import checks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_COMPRESSED_BYTES = 8 * 1024 * 1024
MAX_DISTORTION = 14
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_NO_CAMERA = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


class PointType(enum.IntEnum):
    """How a `PointField` is stored."""

    INT8 = 1
    UINT8 = 2
    INT16 = 3
    UINT16 = 4
    INT32 = 5
    UINT32 = 6
    FLOAT32 = 7
    FLOAT64 = 8


class CompressedImage(Message, topic="compressed_image"):
    """A picture as a file has it, of up to 8 MiB, which travels at its used length."""

    format: str = text(16, default="jpeg", doc="Of the file: jpeg, png, webp.")
    data: "NDArray[np.uint8]" = array(
        u8, MAX_COMPRESSED_BYTES, bounded=True, doc="The file; takes bytes, too."
    )
    width: u32 = field(default=0, unit="px", doc="Of the picture; 0 is unknown.")
    height: u32 = field(default=0, unit="px", doc="Of the picture; 0 is unknown.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was taken; 0 is unset.")

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return self.data.tobytes()

    def is_valid(self) -> bool:
        """Whether the format is named."""
        return bool(self.format)


class CameraInfo(Message, topic="camera_info"):
    """How a camera maps the world to pixels: x right, y down, z forward."""

    width: u32 = field(default=0, unit="px", doc="Of the pictures.")
    height: u32 = field(default=0, unit="px", doc="Of the pictures.")
    K: "NDArray[np.float64]" = array(
        f64, 9, default=_NO_CAMERA, unit="px", doc="3 by 3: fx 0 cx, 0 fy cy, 0 0 1; fx is 0 while unknown."
    )
    D: "NDArray[np.float64]" = array(
        f64, MAX_DISTORTION, bounded=True, unit="1", doc="Distortion as OpenCV has it: k1 k2 p1 p2 k3 ..."
    )
    R: "NDArray[np.float64]" = array(f64, 9, default=_IDENTITY, unit="1", doc="3 by 3: rectifying rotation.")
    P: "NDArray[np.float64]" = array(
        f64, 12, unit="px", doc="3 by 4: projection after rectifying; zeros while unknown."
    )
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="Of its picture; 0 is unset.")
    fx: f64 = alias("K[0]", doc="Focal length along x.")
    fy: f64 = alias("K[4]", doc="Focal length along y.")
    cx: f64 = alias("K[2]", doc="Column of the optical axis.")
    cy: f64 = alias("K[5]", doc="Row of the optical axis.")

    def project(self, x: float, y: float, z: float) -> tuple[float, float] | None:
        """Return column and row of a point in m, distortion aside; None behind the camera."""
        if not z > 0.0:
            return None
        return self.fx * x / z + self.cx, self.fy * y / z + self.cy

    def is_calibrated(self) -> bool:
        """Whether the focal lengths are known."""
        return self.fx > 0.0 and self.fy > 0.0

    def is_valid(self) -> bool:
        """Whether all values are finite and no focal length is negative."""
        return checks.all_finite(self, "K", "D", "R", "P") and self.fx >= 0.0 and self.fy >= 0.0


class StereoInfo(Message, topic="stereo_info"):
    """Two cameras side by side."""

    left: CameraInfo = field(default=CameraInfo(), doc="The left camera.")
    right: CameraInfo = field(default=CameraInfo(), doc="The right camera.")
    baseline: f64 = field(default=0.0, unit="m", doc="From one to the other.")
    depth_scale: f64 = field(default=0.0, unit="1", doc="Depths are multiplied by it; 0 stands for 1.")

    def depth_from_disparity(self, disparity: float) -> float:
        """Return the depth in m of a disparity in pixels; infinite for one of 0 or less."""
        if not disparity > 0.0:
            return math.inf
        return self.left.fx * self.baseline / disparity * (self.depth_scale or 1.0)

    def is_valid(self) -> bool:
        """Whether both cameras are, and the figures finite and not negative."""
        figures = (self.baseline, self.depth_scale)
        cameras = self.left.is_valid() and self.right.is_valid()
        return cameras and checks.finite(*figures) and min(figures) >= 0.0


class RegionOfInterest(Message, topic="region_of_interest"):
    """A part of a picture."""

    x_offset: u32 = field(default=0, unit="px", doc="Its first column.")
    y_offset: u32 = field(default=0, unit="px", doc="Its first row.")
    width: u32 = field(default=0, unit="px", doc="Columns; 0 is all.")
    height: u32 = field(default=0, unit="px", doc="Rows; 0 is all.")
    do_rectify: bool_ = field(default=False, doc="Whether it is meant in the rectified picture.")

    def contains(self, x: float, y: float) -> bool:
        """Whether a place in the picture is within."""
        across, down = x - self.x_offset, y - self.y_offset
        return (
            across >= 0.0
            and down >= 0.0
            and (not self.width or across < self.width)
            and (not self.height or down < self.height)
        )


class PointField(Message, topic="point_field"):
    """One value of each point of a cloud: what it is called, and where in the point's bytes it lies."""

    name: str = text(16, doc="Such as x, intensity or ring.")
    offset: u32 = field(default=0, unit="B", doc="From the point's first byte.")
    datatype: PointType | int = field(default=0, storage=u8, doc="How it is stored; 0 is unset.")
    count: u32 = field(default=0, doc="How many of them there are in a row.")

    def is_valid(self) -> bool:
        """Whether the type is known, or unset."""
        return self.datatype == 0 or checks.known(self.datatype, PointType)


TYPES: tuple[type[Message], ...] = (
    CompressedImage, CameraInfo, StereoInfo, RegionOfInterest, PointField,
)  # fmt: skip
