"""What Image and DepthImage share: pixels in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.errors import ConfigError
from horus_core.messages.pooled import ENCODING_CODES, Pooled

if TYPE_CHECKING:
    from os import PathLike

    from typing_extensions import Self


_ROWS = {
    name: (code, dtype, channels) for code, (name, dtype, channels) in enumerate(_native.ENCODINGS) if name
}


def encoding_row(encoding: str) -> tuple[int, int, int]:
    """(code, dtype code, channels) of a pixel format. Raises ConfigError for an unknown one."""
    row = _ROWS.get(encoding)
    if row is None:
        import difflib  # noqa: PLC0415 - only for an error's text

        near = difflib.get_close_matches(str(encoding), ENCODING_CODES, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"Bad encoding: expected one of {', '.join(ENCODING_CODES)}, got {encoding!r}.{hint}"
        )
    return row


def raster_shape(height: int, width: int, channels: int) -> tuple[int, ...]:
    """The array shape of an image. Raises ConfigError for an empty one."""
    if height < 1 or width < 1:
        raise ConfigError(f"Bad image size: expected at least 1 x 1, got height {height}, width {width}.")
    return (height, width) if channels == 1 else (height, width, channels)


class Raster(Pooled):
    """Pixels in rows, the first row on top. (x, y) is column, row."""

    __slots__ = ()

    @property
    def height(self) -> int:
        """Rows."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.shape[1]

    @property
    def channels(self) -> int:
        """Values of a pixel."""
        shape = self.shape
        return shape[2] if len(shape) > 2 else 1  # noqa: PLR2004 - (height, width, channels)

    @property
    def encoding(self) -> str:
        """The pixel format, like "rgb8"."""
        return self._encoding

    def pixel(self, x: int, y: int) -> Any:
        """The value at column x, row y: a number, or a tuple of numbers for several channels.

        Raises IndexError outside of the image.
        """
        self._check_inside(x, y)
        view = memoryview(self)
        if len(self.shape) == 2:  # noqa: PLR2004
            return view[y, x]
        return tuple(view[y, x, channel] for channel in range(self.shape[2]))

    def roi(self, x: int, y: int, width: int, height: int) -> Self:
        """The part of the image from column x, row y on: a view of the same memory, which can be sent as it is.

        Raises ConfigError when it leaves the image.
        """
        if x < 0 or y < 0 or width < 1 or height < 1 or x + width > self.width or y + height > self.height:
            raise ConfigError(
                f"Bad region of interest: expected a part of {self.width} x {self.height} pixels, got x={x}, y={y}, "
                f"width={width}, height={height}."
            )
        return self._crop(y, x, height, width)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a picture file, its format chosen by the suffix, with Pillow or OpenCV, whichever is installed.

        Raises HorusError where neither is, or neither can write this encoding.
        """
        from horus_core.messages import picture  # noqa: PLC0415 - rarely used

        picture.save(self.to_numpy(), self.encoding, path)

    def to_dict(self) -> dict[str, Any]:
        """What the image is, without its pixels."""
        return {
            "height": self.height,
            "width": self.width,
            "encoding": self.encoding,
            "frame_id": self.frame_id,
            "timestamp_ns": self.timestamp_ns,
        }

    def _check_inside(self, x: int, y: int) -> None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise IndexError(f"Pixel outside of the image: x={x}, y={y}, size {self.width} x {self.height}.")
