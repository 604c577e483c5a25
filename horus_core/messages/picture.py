"""Writing pixels to a picture file with what is installed for that: Pillow or OpenCV."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horus_core.errors import HorusError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PILLOW = ("mono8", "mono16", "depth16", "rgb8", "rgba8", "bgr8", "bgra8", "mono32f")
_TO_BGR = {
    "rgb8": "COLOR_RGB2BGR",
    "rgba8": "COLOR_RGBA2BGRA",
    "rgb32f": "COLOR_RGB2BGR",
    "yuv422": "COLOR_YUV2BGR_UYVY",
    "bayer_rggb8": "COLOR_BayerRGGB2BGR",
}


def save(pixels: NDArray[Any], encoding: str, path: str | os.PathLike[str]) -> None:
    """Write the pixels. Raises HorusError where nothing installed can, and OSError as open() does."""
    target = Path(path)
    pillow = _import("PIL.Image") if encoding in _PILLOW else None
    if pillow is not None:
        try:
            pillow.fromarray(_as_rgb(pixels, encoding)).save(target)
        except (ValueError, KeyError, OSError) as error:
            # An unknown suffix, or one whose format has no such pixels, which is an OSError without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise HorusError(
                f"Saving a {encoding} image as {target} failed: expected a suffix that Pillow writes such images "
                f"with, as .png, got {target.suffix!r} ({error}). Give another name."
            ) from None
        return
    cv2 = _import("cv2")
    if cv2 is None:
        raise HorusError(
            f"Saving a {encoding} image as {target} failed: expected "
            f"{'Pillow or OpenCV' if encoding in _PILLOW else 'OpenCV'} to be installed, got neither of use. "
            "Install it: pip install pillow, or pip install opencv-python-headless."
        )
    conversion = _TO_BGR.get(encoding)
    converted = pixels if conversion is None else cv2.cvtColor(pixels, getattr(cv2, conversion))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"Saving {target} failed: its folder does not exist.")
    try:
        written = cv2.imwrite(os.fspath(target), converted)
    except cv2.error as error:
        raise HorusError(f"Saving a {encoding} image as {target} failed: {error}") from error
    if not written:
        raise HorusError(f"Saving a {encoding} image as {target} failed: OpenCV could not write it.")


def _as_rgb(pixels: NDArray[Any], encoding: str) -> NDArray[Any]:
    if encoding == "bgr8":
        return pixels[:, :, ::-1]
    if encoding == "bgra8":
        return pixels[:, :, [2, 1, 0, 3]]
    return pixels


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
