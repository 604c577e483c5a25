"""PointCloud: points in shared memory, one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.messages.pooled import Pooled, as_array, dtype_code

if TYPE_CHECKING:
    from typing_extensions import Self

_XYZ, _XYZI, _XYZRGB = 3, 4, 6


class PointCloud(Pooled):
    """`num_points` points of `fields` values each: 3 x y z (m), 4 with intensity, 6 with colour r g b.

    Raises PoolExhaustedError when no block is free (`from_numpy` uses private memory then), ConfigError for a bad
    size or dtype.
    """

    __slots__ = ()
    __topic__ = "pointcloud"
    _kind = 3

    def __init__(self, num_points: int, fields: int = 3, dtype: object = "float32") -> None:
        if num_points < 0 or fields < 1:
            raise ConfigError(
                f"Bad point cloud: expected num_points >= 0 and fields >= 1, got {num_points} and {fields}."
            )
        self._allocate((num_points, fields), dtype_code(dtype), 0, True)

    @classmethod
    def from_numpy(cls, array: Any) -> Self:
        """A copy of an array of shape (points, fields). Raises ConfigError for another shape."""
        array = as_array(array)
        if array.ndim != 2 or array.shape[1] < 1:  # noqa: PLR2004
            raise ConfigError(f"Bad point cloud: expected shape (points, fields), got {array.shape}.")
        return cls._made(array.shape, dtype_code(array.dtype))._copy_in(array)

    @classmethod
    def from_torch(cls, tensor: Any) -> Self:
        """A copy of a tensor of shape (points, fields), of any device."""
        return cls.from_numpy(tensor.detach().cpu().numpy())

    @property
    def point_count(self) -> int:
        """Points."""
        return self.shape[0]

    @property
    def fields_per_point(self) -> int:
        """Values of a point."""
        return self.shape[1]

    @property
    def is_xyz(self) -> bool:
        """Three values: x, y, z."""
        return self.fields_per_point == _XYZ

    @property
    def has_intensity(self) -> bool:
        """Four values: x, y, z, intensity."""
        return self.fields_per_point == _XYZI

    @property
    def has_color(self) -> bool:
        """Six values: x, y, z, red, green, blue."""
        return self.fields_per_point == _XYZRGB
