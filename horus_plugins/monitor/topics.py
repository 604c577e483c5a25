"""The topics of a namespace, as their regions tell: no daemon, no cache, nothing assumed.

Only living publishers and subscribers are listed; alive is who holds the kernel's lock.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
import posix_ipc

from horus_core import _native
from horus_core.errors import RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region


class Publisher(msgspec.Struct):
    """A node that publishes now."""

    node: str
    pid: int
    """As it wrote it: the pid in its own container. 0 when unknown."""
    sent: int


class Subscriber(msgspec.Struct):
    """A node that subscribes now."""

    node: str
    pid: int
    delivered: int
    missed: int
    skipped: int
    lag: int
    """Messages in the topic that it has not taken yet."""


class TopicState(msgspec.Struct):
    """A topic at this moment; with `error`, all that is known is that its region cannot be read."""

    name: str
    type: str = ""
    kind: str = ""
    capacity: int = 0
    latched: bool = False
    size_bytes: int = 0
    age_s: float | None = None
    """Seconds since the newest message was sent; None when there is none."""
    publishers: list[Publisher] = []
    subscribers: list[Subscriber] = []
    error: str = ""


_KINDS = {_native.TYPED: "typed", _native.MSGPACK: "dict", _native.DESCRIPTOR: "pool-backed"}


def topics(namespace: str) -> list[TopicState]:
    """All topics of the namespace, by name. Nothing is created, not even the namespace."""
    found = _topic_regions(namespace)
    if not found:
        return []
    with namespaces.locked(namespace, exclusive=False):
        try:
            member = process.joined(namespace) or process.peek(namespace)
        except RegionError as error:
            return [TopicState(topic, error=str(error)) for topic in sorted(found.values())]
        states = [
            state for name, topic in found.items() if (state := _state(name, topic, member)) is not None
        ]
    return sorted(states, key=lambda state: state.name)


def elsewhere(namespace: str) -> dict[str, int]:
    """How many topics this user's other namespaces have; those without any are left out."""
    counts = {other: len(_topic_regions(other)) for other in namespaces.mine() if other != namespace}
    return {other: count for other, count in counts.items() if count}


def _topic_regions(namespace: str) -> dict[str, str]:
    """Topic names by region name."""
    pairs = ((name, namespaces.topic_of(name)) for name in namespaces.regions(namespace))
    return {name: topic for name, topic in pairs if topic is not None}


def _state(name: str, topic: str, member: _native.Member | None) -> TopicState | None:
    """The topic's state; None when it was removed meanwhile."""
    if member is None:
        return TopicState(topic, error="nobody lives in the namespace who could read it: run `horus clean`")
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        return None
    except RegionError as error:
        return TopicState(topic, error=str(error))
    try:
        return _read(_native.Ring(fd, member), topic)
    except (RegionError, msgspec.MsgspecError) as error:
        return TopicState(topic, error=f"{error} (file=/dev/shm/{name})")
    finally:
        os.close(fd)


def _read(ring: _native.Ring, topic: str) -> TopicState:
    description = msgspec.json.decode(ring.meta, type=dict[str, Any])
    latest_ns = ring.latest_ns
    return TopicState(
        name=str(description.get("topic", topic)),
        type=str(description.get("type", "?")),
        kind=_KINDS.get(ring.kind, "?"),
        capacity=ring.capacity,
        latched=ring.latched,
        size_bytes=ring.size,
        age_s=None if latest_ns is None else max(0.0, (_native.now_ns() - latest_ns) / 1e9),
        publishers=[Publisher(row["node"], row["pid"], row["sent"]) for row in ring.publishers()],
        subscribers=[_subscriber(row, ring.front) for row in ring.subscribers()],
    )


def _subscriber(row: dict[str, Any], front: int) -> Subscriber:
    lag = max(0, front - row["cursor"])
    return Subscriber(row["node"], row["pid"], row["delivered"], row["missed"], row["skipped"], lag)
