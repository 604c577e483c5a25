"""Frames of a camera, for every library."""

from __future__ import annotations

import mmap
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
POLLS_NS = 3_000  # after this the subscriber has come from its note to its poll
LOST_NS = 5_000_000_000
NOBODY = 2**64 - 1  # what the shared word says while no subscriber polls


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


def write(frame: NDArray[np.uint8], number: int, fill: bool) -> None:
    """Writes a frame in place: every pixel, which empties the caches, or the first one only."""
    if fill:
        frame.fill(number % ROTATION)
    else:
        frame[0, 0, 0] = number % ROTATION


class Turns:
    """One word of memory that publisher and subscriber share: how many frames were taken.

    One frame at a time is on its way. Were they sent at a pace, a subscriber that lost its core to another
    process would find a queue, and every frame of it would count as slow.
    """

    def __init__(self, fd: int) -> None:
        self._word = memoryview(mmap.mmap(fd, mmap.PAGESIZE)).cast("Q")

    def taken(self, number: int) -> None:
        """The subscriber has taken so many frames and is about to poll for the next."""
        self._word[0] = number

    def wait(self, number: int) -> None:
        """The publisher's wait until the subscriber polls for this frame; spins, so as not to fall asleep."""
        give_up = perf_counter_ns() + LOST_NS
        while self._word[0] != number:
            if perf_counter_ns() > give_up:
                raise TimeoutError(f"frame {number - 1} was sent and did not arrive")
        polls = perf_counter_ns() + POLLS_NS
        while perf_counter_ns() < polls:
            pass


def collect(
    turns: Turns,
    recv: Callable[[], Any],
    array_of: Callable[[Any], NDArray[np.uint8]],
    shape: str,
    count: int,
) -> dict[str, list[int]]:
    """Polls for each frame; when each was an array."""
    had: list[int] = []
    for number in range(count):
        turns.taken(number)
        while (frame := recv()) is None:
            pass
        array = array_of(frame)
        had.append(perf_counter_ns())
        if array.shape != SHAPES[shape] or array[0, 0, 0] != number % ROTATION:
            raise AssertionError(f"frame {number}: got {array.shape}, pixel {array[0, 0, 0]}")
        del array, frame
    turns.taken(NOBODY)
    return {"had": had}
