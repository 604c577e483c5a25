"""horus-robotics 0.4.1: typed CmdVel and dict topics."""

from __future__ import annotations

import os
import resource
from typing import Any

import loops
import payloads
import protocol

import horus

TOPICS: dict[str, Any] = {}
MESSAGE = horus.CmdVel(1.0, 0.5)
CAPACITY = 1024


def typed(name: str, capacity: int = CAPACITY) -> Any:
    """A typed topic under a name that is not the class's own, as their Node opens it."""
    return horus.Topic(horus.CmdVel, capacity, endpoint=name)


def attach(out: str, into: str) -> None:
    TOPICS.update(out=typed(out), into=typed(into))
    TOPICS["into"].recv()  # attaches: what was sent before is not received


def pair(count: int, burst: int) -> dict[str, Any]:
    topic = TOPICS.setdefault("pair", typed("pair"))
    return loops.pair(topic.send, topic.recv, MESSAGE, count, burst)


def dict_pair(name: str, count: int, burst: int) -> dict[str, Any]:
    topic = TOPICS.setdefault(name, horus.Topic(name))
    return loops.pair(topic.send, topic.recv, payloads.DICTS[name], count, burst)


def node_pair(count: int, burst: int) -> dict[str, Any]:
    """node.send and node.recv inside a tick."""
    answers: list[dict[str, Any]] = []

    def tick(node: Any) -> None:
        if not answers:
            answers.append(loops.named_pair(node, "cmd", MESSAGE, count, burst))
        node.request_stop()

    topics = {"cmd": horus.CmdVel}
    horus.run(horus.Node(name="bench", tick=tick, pubs=topics, subs=topics, rate=100), duration=2.0)
    return answers[0]


def ping(count: int, burst: int) -> dict[str, Any]:
    return loops.ping(TOPICS["out"].send, TOPICS["into"].recv, MESSAGE, count, burst)


def pong(count: int, burst: int) -> None:
    loops.pong(TOPICS["out"].send, TOPICS["into"].recv, MESSAGE, count, burst)


def publish(seconds: float) -> dict[str, Any]:
    return {"sent": loops.publish(TOPICS["out"].send, MESSAGE, seconds)}


def subscribe() -> dict[str, Any]:
    topic = TOPICS["into"]
    return {**loops.drain(topic.recv), "missed_so_far": topic.missed_count()}


def open_topics(count: int) -> dict[str, Any]:
    """Opens topics and sends once on each: theirs map nothing before that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    topics = []

    def open_one() -> None:
        topic = typed(f"many{os.getpid()}.{len(topics)}", 16)
        topic.send(MESSAGE)
        topics.append(topic)

    return loops.opening(open_one, count)


protocol.serve(
    attach=attach,
    pair=pair,
    dict_pair=dict_pair,
    node_pair=node_pair,
    ping=ping,
    pong=pong,
    publish=publish,
    subscribe=subscribe,
    open_topics=open_topics,
)
