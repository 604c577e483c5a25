"""horus-robotics 0.4.1: frames from one process to another, as ours_images.py does it."""

from __future__ import annotations

import time
from time import perf_counter_ns
from typing import Any

import frames
import protocol

import horus

TOPICS: list[Any] = []
TURNS: list[frames.Turns] = []


def attach(name: str, fd: int) -> None:
    TURNS.append(frames.Turns(fd))
    TOPICS.append(horus.Topic(horus.Image, 8, endpoint=name))


def greet(count: int) -> None:
    """Sends until the other side has surely got one: frames before that are lost now and then."""
    for _ in range(count):
        TOPICS[0].send(horus.Image(64, 64, "rgb8"))
        time.sleep(0.005)


def be_greeted() -> dict[str, Any]:
    """Receives what ``greet`` sends, until nothing comes for a while; how many came."""
    received = 0
    last = time.monotonic() + 2.0
    while time.monotonic() < last:
        if TOPICS[0].recv() is not None:
            received += 1
            last = time.monotonic() + 0.1
        time.sleep(0.001)
    return {"received": received}


def publish_in_place(shape: str, count: int, fill: bool) -> dict[str, Any]:
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
    greet=greet,
    be_greeted=be_greeted,
    publish_in_place=publish_in_place,
    publish_private=publish_private,
    subscribe=subscribe,
)
