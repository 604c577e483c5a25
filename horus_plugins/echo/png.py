"""Pixels as PNG (ISO/IEC 15948), with zlib alone: colour types grey, RGB and RGBA of 8 or 16 bits, no filters."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

from horus_plugins.echo.record import BadValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_TO_RGB = {"bgr8": [2, 1, 0], "bgra8": [2, 1, 0, 3]}
"""Where red, green and blue are among the channels."""
_LEVEL = 3
"""Of zlib: three times as fast as the default 6, and a tenth larger."""
_MM_PER_M = 1000.0


def encode(pixels: NDArray[Any]) -> bytes:
    """A picture of shape (height, width) or (height, width, 1, 3 or 4), of uint8 or uint16.

    Raises BadValueError for any other array.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0  # noqa: PLR2004
    if channels not in _COLOUR_TYPES or pixels.dtype.name not in {"uint8", "uint16"} or pixels.size == 0:
        raise BadValueError(
            f"expected pixels of shape (height, width) or (height, width, 1, 3 or 4) of uint8 or uint16, got shape "
            f"{pixels.shape} of {pixels.dtype.name}"
        )
    height, width = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    head = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(_rows(pixels, height), _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _rows(pixels: NDArray[Any], height: int) -> bytes:
    """The rows, each after a byte that says that it is not filtered; 16 bits with the high byte first."""
    import numpy as np  # noqa: PLC0415 - loaded already

    big = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).reshape(height, -1).view("u1")
    return np.concatenate([np.zeros((height, 1), "u1"), big], axis=1).tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pixels(image: Any) -> NDArray[Any]:
    """The pixels of an Image or DepthImage as PNG can have them.

    Depths in metres become millimetres, as in a depth16 image. Raises BadValueError for encodings of floats.
    """
    array: NDArray[Any] = image.to_numpy()
    encoding = image.encoding
    if encoding in _TO_RGB:
        in_order: NDArray[Any] = array[:, :, _TO_RGB[encoding]]
        return in_order
    if encoding == "yuv422":
        return _from_uyvy(array)
    if encoding == "mono32f" and type(image).__name__ == "DepthImage":
        return _millimetres(array)
    if array.dtype.kind == "f":
        raise BadValueError(f"expected an encoding that PNG has, got {encoding}: save it as .npy")
    return array


def _millimetres(metres: NDArray[Any]) -> NDArray[Any]:
    """Rounded; 0 where there is no depth, 65535 for 65.535 m and more."""
    import numpy as np  # noqa: PLC0415 - loaded already

    wide = metres.astype(np.float64) * _MM_PER_M
    wide = np.where(np.isfinite(wide) & (wide > 0), wide, 0.0)
    return np.minimum(np.rint(wide), 65535.0).astype(np.uint16)


def _from_uyvy(packed: NDArray[Any]) -> NDArray[Any]:
    """RGB of U Y V Y, by ITU-R BT.601 for a limited range, as OpenCV has it; a last odd column takes U as V."""
    import numpy as np  # noqa: PLC0415 - loaded already

    luma = 1.164 * (packed[:, :, 1].astype(np.float32) - 16)
    chroma = packed[:, :, 0].astype(np.float32) - 128
    u = np.repeat(chroma[:, 0::2], 2, axis=1)[:, : luma.shape[1]]
    v = np.repeat(chroma[:, 1::2] if chroma.shape[1] > 1 else chroma, 2, axis=1)
    if v.shape[1] < luma.shape[1]:
        v = np.concatenate([v, v[:, -1:]], axis=1)
    v = v[:, : luma.shape[1]]
    rgb: NDArray[Any] = np.stack([luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u], axis=2)
    whole: NDArray[Any] = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return whole
