"""Real frames, one after the other, from video files, photographs or a webcam."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class SourceError(Exception):
    """A video, photograph or camera cannot be opened or read."""


class Frames:
    """Plays sources in turn, for ever: paths of videos and photographs, or the number of a webcam.

    A photograph is shown `hold` frames long. Webcams do not end, so nothing after one is shown.
    """

    def __init__(self, sources: Sequence[str | Path | int], *, hold: int = 60) -> None:
        if not sources:
            raise SourceError(
                "no source of frames: expected at least one video, photograph or webcam, got none"
            )
        self._sources = list(sources)
        self._hold = hold
        self._index = -1
        self._video: cv2.VideoCapture | None = None
        self._photo: NDArray[np.uint8] | None = None
        self._left = 0
        self._open_next()

    def close(self) -> None:
        """Release the video file or the camera."""
        if self._video is not None:
            self._video.release()
        self._video = self._photo = None

    def read_into(self, pixels: Pixels) -> None:
        """Write the next frame into `pixels` (height, width, 3) as RGB: scaled to fit, black at the edges.

        The one write to `pixels` is the change from OpenCV's BGR to RGB, so shared memory is written once.
        """
        frame = self._next_frame()
        rows, columns = fit(frame.shape[:2], pixels.shape[:2])
        size = (columns.stop - columns.start, rows.stop - rows.start)
        shrinks = size[0] < frame.shape[1]
        scaled = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        pixels[: rows.start] = pixels[rows.stop :] = 0
        pixels[:, : columns.start] = pixels[:, columns.stop :] = 0
        cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB, dst=pixels[rows, columns])

    def _next_frame(self) -> Pixels:
        for _ in range(len(self._sources) + 1):
            frame = self._read()
            if frame is not None:
                return frame
            self._open_next()
        raise SourceError(f"no frame could be read: expected a video or a photograph, got {self._sources}")

    def _read(self) -> Pixels | None:
        if self._video is not None:
            ok, frame = self._video.read()
            return np.asarray(frame, dtype=np.uint8) if ok else None
        self._left -= 1
        return self._photo if self._left >= 0 else None

    def _open_next(self) -> None:
        self.close()
        self._index = (self._index + 1) % len(self._sources)
        source = self._sources[self._index]
        if not isinstance(source, int):
            if not Path(source).is_file():
                raise SourceError(f"cannot open {source}: expected a video or a photograph, got no such file")
            photo = cv2.imread(str(source), cv2.IMREAD_COLOR)
            if photo is not None:
                self._photo, self._left = np.asarray(photo, dtype=np.uint8), self._hold
                return
        video = cv2.VideoCapture(source if isinstance(source, int) else str(source))
        if not video.isOpened():
            raise SourceError(_cannot_open(source))
        self._video = video


def _cannot_open(source: str | Path | int) -> str:
    if isinstance(source, int):
        return f"cannot open webcam {source}: is /dev/video{source} there, readable and not in use?"
    return f"cannot open {source}: expected a video or a photograph that OpenCV can decode"


def fit(have: Sequence[int], want: Sequence[int]) -> tuple[slice, slice]:
    """Return the rows and columns that a frame of size `have` (height, width) fills inside `want`."""
    scale = min(want[0] / have[0], want[1] / have[1])
    height, width = (round(side * scale) for side in have)
    top, left = (want[0] - height) // 2, (want[1] - width) // 2
    return slice(top, top + height), slice(left, left + width)
