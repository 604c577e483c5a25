"""DepthImage: distances in shared memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.errors import ConfigError
from horus_core.messages.pooled import DTYPE_CODES, as_array, dtype_code
from horus_core.messages.raster import Raster, encoding_row, raster_shape

if TYPE_CHECKING:
    from typing_extensions import Self

_ENCODINGS = {DTYPE_CODES["float32"]: "mono32f", DTYPE_CODES["uint16"]: "depth16"}
_MM_PER_M = 1000.0


class DepthStatistics(NamedTuple):
    """Over the pixels that have a depth, in metres; NaN where none has."""

    minimum: float
    maximum: float
    mean: float
    valid: int
    """Pixels with a depth: above zero and finite."""
    total: int


class DepthImage(Raster):
    """Distances: float32 in metres or uint16 in millimetres; 0, NaN and infinity mean that there is none.

    Raises PoolExhaustedError when no block is free (`from_numpy` uses private memory then), ConfigError for a bad
    size or dtype.
    """

    __slots__ = ()
    __topic__ = "depthimage"
    _kind = 2

    def __init__(self, height: int, width: int, dtype: object = "float32") -> None:
        code, kind, _ = encoding_row(_encoding_for(dtype))
        self._allocate(raster_shape(height, width, 1), kind, code, True)

    @classmethod
    def from_numpy(cls, array: Any) -> Self:
        """A copy of an array of shape (height, width), float32 in metres or uint16 in millimetres.

        Raises ConfigError for another shape or dtype.
        """
        array = as_array(array)
        if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004
            array = array.reshape(array.shape[:2])
        if array.ndim != 2:  # noqa: PLR2004
            raise ConfigError(f"Bad depth image: expected shape (height, width), got {array.shape}.")
        code, kind, _ = encoding_row(_encoding_for(array.dtype.name))
        return cls._made(raster_shape(array.shape[0], array.shape[1], 1), kind, code)._copy_in(array)

    @classmethod
    def from_torch(cls, tensor: Any) -> Self:
        """A copy of a tensor of shape (height, width), of any device."""
        return cls.from_numpy(tensor.detach().cpu().numpy())

    def depth_at(self, x: int, y: int) -> float:
        """Metres at column x, row y; NaN where there is no depth. Raises IndexError outside of the image."""
        self._check_inside(x, y)
        raw = float(memoryview(self)[y, x])
        metres = raw / self._per_metre
        return metres if 0 < metres < math.inf else math.nan

    def statistics(self) -> DepthStatistics:
        """Least, greatest and mean depth in metres, and how many pixels have one."""
        import numpy as np  # noqa: PLC0415 - numpy is loaded where arrays are used

        pixels = self.to_numpy()
        valid = pixels[np.isfinite(pixels) & (pixels > 0)]
        if valid.size == 0:
            return DepthStatistics(math.nan, math.nan, math.nan, 0, pixels.size)
        unit = self._per_metre
        return DepthStatistics(
            float(valid.min()) / unit,
            float(valid.max()) / unit,
            float(valid.mean(dtype=np.float64)) / unit,
            valid.size,
            pixels.size,
        )

    @property
    def _per_metre(self) -> float:
        return _MM_PER_M if self.dtype == "uint16" else 1.0


def _encoding_for(dtype: object) -> str:
    encoding = _ENCODINGS.get(dtype_code(dtype))
    if encoding is None:
        raise ConfigError(
            f"Bad dtype for a depth image: expected float32 (metres) or uint16 (millimetres), got {dtype!s}."
        )
    return encoding
