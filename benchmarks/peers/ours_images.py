"""HORUS: frames from one process to another, written in place or copied out of private memory.

One way: the publisher notes when it sent each frame, the subscriber when it had the array; both clocks are
the machine's CLOCK_MONOTONIC. The subscriber polls.
"""

from __future__ import annotations

from itertools import repeat
from time import perf_counter_ns
from typing import Any

import frames
import protocol

import horus

TOPICS: list[Any] = []


def attach(name: str) -> None:
    TOPICS.append(horus.Topic(name, horus.Image))


def publish_in_place(shape: str, count: int) -> dict[str, Any]:
    """Writes every pixel of each frame, then notes the time and sends."""
    height, width, _ = frames.SHAPES[shape]
    topic = TOPICS[0]
    sent: list[int] = []
    for number in range(count):
        image = horus.Image(height, width, "rgb8")
        image.to_numpy().fill(number % 251)
        frames.pause()
        sent.append(perf_counter_ns())
        topic.send(image)
    return {"sent": sent}


def publish_private(count: int) -> dict[str, Any]:
    """Notes the time, copies a private frame of a rotation, sends."""
    topic = TOPICS[0]
    sent: list[int] = []
    for frame in frames.rotation(count):
        frames.pause()
        sent.append(perf_counter_ns())
        topic.send(horus.Image.from_numpy(frame))
    return {"sent": sent}


def subscribe(count: int, shape: str) -> dict[str, Any]:
    """Polls; notes when each frame was an array, and looks at it."""
    recv = TOPICS[0].recv
    had: list[int] = []
    pixels: list[int] = []
    for _ in repeat(None, count):
        while (image := recv()) is None:
            pass
        array = image.to_numpy()
        had.append(perf_counter_ns())
        if array.shape != frames.SHAPES[shape]:
            raise AssertionError(f"expected a frame of {frames.SHAPES[shape]}, got {array.shape}")
        pixels.append(int(array[0, 0, 0]))
    return {"had": had, "pixels": pixels}


protocol.serve(
    attach=attach,
    publish_in_place=publish_in_place,
    publish_private=publish_private,
    subscribe=subscribe,
)
