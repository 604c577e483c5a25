"""The picture that the demo leaves behind: a frame with what was found in it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from faces import Face
from numpy.typing import NDArray

NEAR = (220, 40, 40)
FAR = (40, 200, 80)
INK = (255, 255, 255)


def annotate(pixels: NDArray[np.uint8], found: Sequence[Face], stop_distance: float) -> NDArray[np.uint8]:
    """Return a copy of an RGB frame with a box around each face, red when nearer than `stop_distance`."""
    canvas: NDArray[np.uint8] = pixels.copy()
    for face in found:
        distance = face.distance(pixels.shape[1])
        color = NEAR if distance < stop_distance else FAR
        left, top, right, bottom = (round(side) for side in (face.left, face.top, face.right, face.bottom))
        cv2.rectangle(canvas, (left, top), (right, bottom), color, 2)
        _label(canvas, f"face {face.score:.2f}  {distance:.2f} m", (left, top), color)
    return canvas


def _label(
    canvas: NDArray[np.uint8], text: str, corner: tuple[int, int], color: tuple[int, int, int]
) -> None:
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    left = max(0, min(corner[0], canvas.shape[1] - width - 4))
    bottom = max(corner[1], height + below + 4)
    cv2.rectangle(canvas, (left, bottom - height - below - 4), (left + width + 4, bottom), color, cv2.FILLED)
    cv2.putText(canvas, text, (left + 2, bottom - below), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)


def save(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an RGB picture; OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)):
        raise OSError(f"cannot write {path}: OpenCV refused it")
