"""horus-robotics 0.4.1: frames from one process to another, as ours_images.py does it."""

from __future__ import annotations

from itertools import repeat
from time import perf_counter_ns
from typing import Any

import frames
import protocol

import horus

TOPICS: list[Any] = []


def attach(name: str) -> None:
    TOPICS.append(horus.Topic(horus.Image, 8, endpoint=name))


def publish_in_place(shape: str, count: int) -> dict[str, Any]:
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
    attach=attach, publish_in_place=publish_in_place, publish_private=publish_private, subscribe=subscribe
)
