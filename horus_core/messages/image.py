"""Image: a picture in shared memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.messages.pooled import DTYPE_CODES, array_code, as_array
from horus_core.messages.raster import Raster, encoding_row, raster_shape

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]  # Python 3.12

    from typing_extensions import Self

_INFERRED: dict[tuple[int | None, int], str] = {
    (DTYPE_CODES["uint8"], 1): "mono8",
    (DTYPE_CODES["uint16"], 1): "mono16",
    (DTYPE_CODES["float32"], 1): "mono32f",
    (DTYPE_CODES["uint8"], 3): "rgb8",
    (DTYPE_CODES["float32"], 3): "rgb32f",
    (DTYPE_CODES["uint8"], 4): "rgba8",
}


class Image(Raster):
    """A picture of `height` x `width` pixels in shared memory, its pixels not yet written.

    Write them in place through `to_numpy()`, which costs no copy; or make one of an array with `from_numpy`, which
    copies once. Encodings: mono8, mono16, rgb8, bgr8, rgba8, bgra8, yuv422, mono32f, rgb32f, bayer_rggb8, depth16.

    Raises PoolExhaustedError when no block is free (`from_numpy` uses private memory then), ConfigError for a bad
    size or encoding.
    """

    __slots__ = ()
    __topic__ = "image"
    _kind = 1

    def __init__(self, height: int, width: int, encoding: str = "rgb8") -> None:
        code, dtype, channels = encoding_row(encoding)
        self._allocate(raster_shape(height, width, channels), dtype, code, True)

    @classmethod
    def from_numpy(cls, array: Any, encoding: str | None = None) -> Self:
        """A copy of an array of shape (height, width) or (height, width, channels).

        Without `encoding` it is mono8, mono16 or mono32f for one channel of uint8, uint16 or float32; rgb8 or
        rgb32f for three of uint8 or float32; rgba8 for four of uint8. Anything else needs `encoding`.

        Raises ConfigError when shape, dtype and encoding do not fit.
        """
        array = as_array(array)
        shape = array.shape
        if len(shape) not in (2, 3):
            raise ConfigError(
                f"Bad image: expected shape (height, width) or (height, width, channels), got {shape}."
            )
        channels = 1 if len(shape) == 2 else shape[2]  # noqa: PLR2004
        if encoding is None:
            encoding = _INFERRED.get((array_code(array), channels))
            if encoding is None:
                raise ConfigError(
                    f"Bad image: expected 1, 3 or 4 channels of uint8, 1 of uint16, or 1 or 3 of float32, got "
                    f"{channels} of {array.dtype.name} (shape {shape}: height, width, channels). Convert it with "
                    f"astype(...) or transpose(...), or name another encoding: Image.from_numpy(array, encoding=...)."
                )
        code, dtype, wanted = encoding_row(encoding)
        if array_code(array) != dtype or channels != wanted:
            raise ConfigError(
                f"Bad image for encoding {encoding!r}: expected {wanted} channels of {_name(dtype)}, got {channels} "
                f"of {array.dtype.name} (shape {shape}). Convert it with astype(...), or choose another encoding."
            )
        if channels == 1:
            array = array.reshape(shape[:2])
        made = cls._made(raster_shape(shape[0], shape[1], wanted), dtype, code)
        return made._copy_in(array)

    @classmethod
    def from_bytes(cls, data: Buffer, height: int, width: int, encoding: str) -> Self:
        """A copy of raw pixels, rows from top to bottom without gaps.

        Raises ConfigError when their number does not fit.
        """
        code, dtype, channels = encoding_row(encoding)
        made = cls._made(raster_shape(height, width, channels), dtype, code)
        got = memoryview(data).nbytes
        if got != made.nbytes:
            raise ConfigError(
                f"Bad pixels: expected {made.nbytes} bytes for {height} x {width} {encoding}, got {got}."
            )
        made._fill(data)
        return made

    @classmethod
    def from_torch(cls, tensor: Any, encoding: str | None = None) -> Self:
        """A copy of a tensor of shape (height, width) or (height, width, channels), of any device.

        torchvision's order is (channels, height, width): `tensor.permute(1, 2, 0)` first.
        """
        return cls.from_numpy(tensor.detach().cpu().numpy(), encoding)


def _name(dtype: int) -> str:
    return next(name for name, code in DTYPE_CODES.items() if code == dtype)
