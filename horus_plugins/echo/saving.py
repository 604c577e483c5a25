"""`topic echo --save FILE`: an image as PNG, any array as .npy, what is compressed already as it is."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horus_core.errors import HorusError
from horus_core.messages.pooled import Pooled
from horus_core.messages.raster import Raster
from horus_plugins.echo import png
from horus_plugins.echo.record import BadValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER = "{n}"
"""Stands for the number of the message in a file's name."""
_COMPRESSED = {"jpeg": (".jpg", ".jpeg"), "jpg": (".jpg", ".jpeg"), "png": (".png",), "webp": (".webp",)}


def save(value: Any, pattern: str, number: int) -> Path:
    """Write a message, or what stands at a path in it, and return where.

    Raises HorusError when it cannot be written so, or the file cannot be made.
    """
    path = Path(pattern.replace(NUMBER, f"{number:06d}"))
    try:
        data = _encoded(value, path)
        if data is None:
            value.save(path)  # in a format that Pillow or OpenCV knows
        else:
            _write(path, data)
    except BadValueError as error:
        raise HorusError(f"Saving {path} failed: {error}.") from None
    except OSError as error:
        raise HorusError(
            f"Saving {path} failed: expected a file that can be made, got {error.strerror or error}. Give another "
            "name."
        ) from error
    return path


def _encoded(value: Any, path: Path) -> bytes | None:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _npy(_array(value))
    form = getattr(value, "format", None)
    if isinstance(form, str) and hasattr(value, "data"):
        return _compressed(value, form, path)
    if isinstance(value, Raster):
        return png.encode(png.pixels(value)) if suffix == ".png" else None
    if suffix == ".png":
        return png.encode(_array(value))
    raise BadValueError("expected a name that ends in .png or .npy, or .jpg of a compressed image")


def _compressed(value: Any, form: str, path: Path) -> bytes:
    """A CompressedImage: the bytes that its camera made."""
    suffixes = _COMPRESSED.get(form.lower().strip(), (f".{form.lower().strip()}",))
    if path.suffix.lower() not in suffixes:
        raise BadValueError(
            f"expected a name that ends in {suffixes[0]}, which is what it holds, got {path.name!r}"
        )
    return bytes(value.data)


def _array(value: Any) -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415 - numpy is loaded where arrays are used

    if isinstance(value, Pooled):
        if value.dtype == "bfloat16":
            raise BadValueError("expected elements that numpy has, got bfloat16")
        return value.to_numpy()
    if isinstance(value, (list, tuple, int, float, np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind in "buifc":
            return array
    raise BadValueError(
        f"expected an image, a point cloud, a tensor, or an array at --field, got {type(value).__name__}"
    )


def _npy(array: NDArray[Any]) -> bytes:
    import numpy as np  # noqa: PLC0415 - loaded already

    written = io.BytesIO()
    np.save(written, array, allow_pickle=False)
    return written.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Under another name first: who watches the folder meets no half of a picture."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
