"""What the libraries that HORUS stands on do alone: msgspec's codec, numpy's copy."""

from __future__ import annotations

import mmap
from itertools import cycle, repeat
from typing import Any

import loops
import msgspec
import numpy as np
import payloads
import protocol
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
PRIVATE: dict[int, list[Frame]] = {}
SHARED: dict[int, list[Frame]] = {}


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
    source = np.random.default_rng(1).integers(0, 255, payloads.ARRAY_SHAPE, np.uint8)
    first, second = np.empty_like(source), np.empty_like(source)

    def work(times: int) -> None:
        for _ in repeat(None, times):
            np.copyto(first, source)
            np.copyto(second, first)

    return loops.measure(work, count, 1)


def frames(rotation: int) -> list[Frame]:
    """Private 1080p frames, more than any cache holds."""
    if rotation not in PRIVATE:
        random = np.random.default_rng(1)
        shape = payloads.FRAME_SHAPES["1080p"]
        PRIVATE[rotation] = [random.integers(0, 255, shape, np.uint8) for _ in range(rotation)]
    return PRIVATE[rotation]


def shared_frames(number: int) -> list[Frame]:
    """Shared pages for as many frames, touched."""
    if number not in SHARED:
        shape = payloads.FRAME_SHAPES["1080p"]
        size = int(np.prod(shape))
        SHARED[number] = [np.frombuffer(mmap.mmap(-1, size), np.uint8).reshape(shape) for _ in range(number)]
        for frame in SHARED[number]:
            frame.fill(1)
    return SHARED[number]


def copy_frames(rotation: int, blocks: int, count: int) -> dict[str, Any]:
    """Copies private frames in rotation into warm shared pages."""
    sources, targets = cycle(frames(rotation)), cycle(shared_frames(blocks))

    def work(times: int) -> None:
        for _ in repeat(None, times):
            np.copyto(next(targets), next(sources))

    return loops.measure(work, count, 1)


protocol.serve(codec=codec, copy_twice=copy_twice, copy_frames=copy_frames)
