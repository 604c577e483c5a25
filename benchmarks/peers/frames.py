"""Frames of a camera, for every library."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SHAPES = {"1080p": (1080, 1920, 3), "64x64": (64, 64, 3)}
CAMERA_SHAPE = (480, 640, 3)
ROTATION = 32  # private 1080p frames in turn: 199 MB, more than any cache holds
PAUSE_NS = 20_000
QUIET_NS = 300_000_000


@cache
def private(shape: str) -> list[NDArray[np.uint8]]:
    """Private frames; the first pixel of each says which it is."""
    random = np.random.default_rng(1)
    made = [random.integers(0, 255, SHAPES[shape], np.uint8) for _ in range(ROTATION)]
    for number, frame in enumerate(made):
        frame[0, 0, 0] = number
    return made


def rotation(shape: str, count: int) -> Iterator[NDArray[np.uint8]]:
    """So many private frames, in turn."""
    return islice(cycle(private(shape)), count)


def pause() -> None:
    """Lets the subscriber come back to polling: spins, so that this core does not fall asleep."""
    end = perf_counter_ns() + PAUSE_NS
    while perf_counter_ns() < end:
        pass


def collect(
    recv: Callable[[], Any], array_of: Callable[[Any], NDArray[np.uint8]], shape: str
) -> dict[str, list[int]]:
    """Polls until nothing came for a while; when each frame was an array, and its first pixel."""
    had: list[int] = []
    pixels: list[int] = []
    polls = 0
    while True:
        frame = recv()
        if frame is not None:
            array = array_of(frame)
            had.append(perf_counter_ns())
            if array.shape != SHAPES[shape]:
                raise AssertionError(f"expected a frame of {SHAPES[shape]}, got one of {array.shape}")
            pixels.append(int(array[0, 0, 0]))
            del array
            continue
        polls += 1
        if polls % 1000 == 0 and had and perf_counter_ns() - had[-1] > QUIET_NS:
            return {"had": had, "pixels": pixels}
