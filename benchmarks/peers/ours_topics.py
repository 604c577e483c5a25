"""HORUS: typed and dict topics."""

from __future__ import annotations

import os
from typing import Any

import loops
import payloads
import protocol

import horus

TOPICS: dict[str, Any] = {}
MESSAGE = horus.CmdVel(linear=1.0, angular=0.5)
STREAM_CAPACITY = 4096
WAIT_S = 5.0


def opened(name: str, kind: Any = None) -> Any:
    """A topic of this process, opened when it is first asked for."""
    if name not in TOPICS:
        TOPICS[name] = horus.Topic(name, kind)
    return TOPICS[name]


def attach(out: str, into: str, capacity: int | None = None) -> None:
    TOPICS["out"] = horus.Topic(out, horus.CmdVel, capacity=capacity)
    TOPICS["into"] = horus.Topic(into, horus.CmdVel, capacity=capacity)
    TOPICS["into"].recv()  # a subscriber from here on, also for those who look at the topic


def pair(count: int, burst: int) -> dict[str, Any]:
    topic = opened("pair", horus.CmdVel)
    return loops.pair(topic.send, topic.recv, MESSAGE, count, burst)


def dict_pair(name: str, count: int, burst: int) -> dict[str, Any]:
    topic = opened(name)
    value = payloads.DICTS[name]
    topic.send(value)
    if topic.recv() != value:
        raise AssertionError("the dict did not arrive as it was sent")
    return loops.pair(topic.send, topic.recv, value, count, burst)


def array_pair(count: int) -> dict[str, Any]:
    """A dict that holds a camera's frame."""
    import frames
    import numpy as np

    topic = opened("array")
    frame = np.random.default_rng(1).integers(0, 255, frames.CAMERA_SHAPE, np.uint8)
    topic.send({"frame": frame})
    if not np.array_equal(topic.recv()["frame"], frame):
        raise AssertionError("the array did not arrive as it was sent")
    return loops.pair(topic.send, topic.recv, {"frame": frame}, count, 1)


def ping(count: int, burst: int) -> dict[str, Any]:
    return loops.ping(TOPICS["out"].send, TOPICS["into"].recv, MESSAGE, count, burst)


def pong(count: int, burst: int) -> None:
    loops.pong(TOPICS["out"].send, TOPICS["into"].recv, MESSAGE, count, burst)


def sleep() -> Any:
    """Sleeps in wait() until there is a message, and takes it."""
    topic = TOPICS["into"]
    if not topic.wait(WAIT_S):
        raise TimeoutError("nobody sent")
    return topic.recv()


def sleepy_ping(count: int) -> dict[str, Any]:
    return loops.sleepy_ping(TOPICS["out"].send, sleep, MESSAGE, count)


def sleepy_pong(count: int) -> None:
    loops.sleepy_pong(TOPICS["out"].send, sleep, MESSAGE, count)


def publish(seconds: float) -> dict[str, Any]:
    return {"sent": loops.publish(TOPICS["out"].send, MESSAGE, seconds)}


def subscribe() -> dict[str, Any]:
    topic = TOPICS["into"]
    return {**loops.drain(topic.recv), "missed_so_far": topic.missed}


def subscribers() -> dict[str, Any]:
    """How many subscribers the topic that we publish on has."""
    return {"subscribers": len(TOPICS["out"].subscribers)}


def sends(count: int, burst: int) -> dict[str, Any]:
    return loops.sends(TOPICS["out"].send, MESSAGE, count, burst)


def open_topics(count: int) -> dict[str, Any]:
    topics: list[Any] = []
    opened("first", horus.CmdVel)  # joins the namespace: once a process, not once a topic

    def open_one() -> None:
        topics.append(horus.Topic(f"many{os.getpid()}.{len(topics)}", horus.CmdVel))

    answer = loops.opening(open_one, count)
    for topic in topics:
        topic.close()
    return answer


protocol.serve(
    attach=attach,
    pair=pair,
    dict_pair=dict_pair,
    array_pair=array_pair,
    ping=ping,
    pong=pong,
    sleepy_ping=sleepy_ping,
    sleepy_pong=sleepy_pong,
    publish=publish,
    subscribe=subscribe,
    sends=sends,
    subscribers=subscribers,
    open_topics=open_topics,
)
