"""Frames of a camera, for every library."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from time import perf_counter_ns
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SHAPES = {"1080p": (1080, 1920, 3), "64x64": (64, 64, 3)}
CAMERA_SHAPE = (480, 640, 3)
ROTATION = 32  # private 1080p frames in turn: 199 MB, more than any cache holds
PAUSE_NS = 20_000


@cache
def private() -> list[NDArray[np.uint8]]:
    """Private 1080p frames; the first pixel of each says which it is."""
    random = np.random.default_rng(1)
    made = [random.integers(0, 255, SHAPES["1080p"], np.uint8) for _ in range(ROTATION)]
    for number, frame in enumerate(made):
        frame[0, 0, 0] = number
    return made


def rotation(count: int) -> Iterator[NDArray[np.uint8]]:
    """So many private frames, in turn."""
    return islice(cycle(private()), count)


def pause() -> None:
    """Lets the subscriber come back to polling: spins, so that this core does not fall asleep."""
    end = perf_counter_ns() + PAUSE_NS
    while perf_counter_ns() < end:
        pass
