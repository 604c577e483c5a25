"""HORUS: frames from one process to another, written in place or copied out of private memory.

One way: the publisher notes when it sent each frame, the subscriber when it had the array; both clocks are
the machine's CLOCK_MONOTONIC. The subscriber polls.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import frames
import protocol

import horus

TOPICS: list[Any] = []
TURNS: list[frames.Turns] = []


def attach(name: str, fd: int) -> None:
    TURNS.append(frames.Turns(fd))
    TOPICS.append(horus.Topic(name, horus.Image))


def publish_in_place(shape: str, count: int, fill: bool) -> dict[str, Any]:
    """Writes into each frame, then notes the time and sends."""
    height, width, _ = frames.SHAPES[shape]
    topic, turns = TOPICS[0], TURNS[0]
    sent: list[int] = []
    for number in range(count):
        image = horus.Image(height, width, "rgb8")
        frames.write(image.to_numpy(), number, fill)
        turns.wait(number)
        sent.append(perf_counter_ns())
        topic.send(image)
    return {"sent": sent}


def publish_private(shape: str, count: int) -> dict[str, Any]:
    """Notes the time, copies a private frame of a rotation, sends."""
    topic, turns = TOPICS[0], TURNS[0]
    sent: list[int] = []
    for number, frame in enumerate(frames.rotation(shape, count)):
        turns.wait(number)
        sent.append(perf_counter_ns())
        topic.send(horus.Image.from_numpy(frame))
    return {"sent": sent}


def subscribe(shape: str, count: int) -> dict[str, Any]:
    return frames.collect(TURNS[0], TOPICS[0].recv, horus.Image.to_numpy, shape, count)


protocol.serve(
    attach=attach,
    publish_in_place=publish_in_place,
    publish_private=publish_private,
    subscribe=subscribe,
)
