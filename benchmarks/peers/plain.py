"""What the libraries that HORUS stands on do alone: msgspec's codec, numpy's copy."""

from __future__ import annotations

import mmap
from functools import cache
from itertools import cycle, repeat
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import frames
import loops
import msgspec
import numpy as np
import payloads
import protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray


def codec(name: str, count: int, burst: int) -> dict[str, Any]:
    """Encodes and decodes a dict."""
    encoder, decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()
    value = payloads.DICTS[name]
    pack, unpack = encoder.encode, decoder.decode

    def work(times: int) -> None:
        for _ in repeat(None, times):
            unpack(pack(value))

    return loops.measure(work, count, burst)


def copy_twice(count: int) -> dict[str, Any]:
    """Copies a camera's frame from private into warm memory and on into other warm memory."""
    source = np.random.default_rng(1).integers(0, 255, frames.CAMERA_SHAPE, np.uint8)
    first, second = np.empty_like(source), np.empty_like(source)

    def work(times: int) -> None:
        for _ in repeat(None, times):
            np.copyto(first, source)
            np.copyto(second, first)

    return loops.measure(work, count, 1)


@cache
def shared(number: int) -> list[NDArray[np.uint8]]:
    """Shared pages for so many 1080p frames, touched."""
    shape = frames.SHAPES["1080p"]
    size = int(np.prod(shape))
    made = [np.frombuffer(mmap.mmap(-1, size), np.uint8).reshape(shape) for _ in range(number)]
    for frame in made:
        frame.fill(1)
    return made


def copy_frames(blocks: int, count: int) -> dict[str, Any]:
    """Copies private frames in rotation into warm shared pages; what one copy takes after a pause."""
    targets = cycle(shared(blocks))
    singles: list[float] = []
    for frame in frames.rotation("1080p", count):
        target = next(targets)
        begin = perf_counter_ns()
        np.copyto(target, frame)
        singles.append(perf_counter_ns() - begin)
    return loops.summary(singles, singles)


protocol.serve(codec=codec, copy_twice=copy_twice, copy_frames=copy_frames)
