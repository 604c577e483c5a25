"""The topics of a namespace, as their regions tell: no daemon, no cache, nothing assumed.

Only living publishers and subscribers are listed; alive is who holds the kernel's lock.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

import msgspec
import posix_ipc

from horus_core import _native, names
from horus_core.control import presence
from horus_core.errors import RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region


class Publisher(msgspec.Struct, omit_defaults=True):
    """A node that publishes now."""

    node: str
    pid: int
    """As it wrote it: the pid in its own container. 0 when unknown."""
    sent: int
    called: str = ""
    """What the node calls the topic, where it was given this one instead."""


class Subscriber(msgspec.Struct, omit_defaults=True):
    """A node that subscribes now."""

    node: str
    pid: int
    delivered: int
    missed: int
    skipped: int
    lag: int
    """Messages in the topic that it has not taken yet."""
    called: str = ""


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


class TopicList(msgspec.Struct):
    """The topics of a namespace, by name."""

    namespace: str
    topics: list[TopicState]


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
    _tell_remapped(namespace, states)
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


def _tell_remapped(namespace: str, states: list[TopicState]) -> None:
    """Fill in `called`, from what the nodes themselves have left in their presence."""
    ends: list[tuple[str, Publisher | Subscriber]] = []
    for state in states:
        ends += [(state.name, end) for end in state.publishers]
        ends += [(state.name, end) for end in state.subscribers]
    called = {node: _remapped(namespace, node) for node in {end.node for _, end in ends}}
    for topic, end in ends:
        end.called = called[end.node].get(topic, "")


def _remapped(namespace: str, node: str) -> dict[str, str]:
    """{topic: what the node calls it}; nothing when its presence cannot be read or tells nothing."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        claimed = json.loads(presence.path(namespace, names.node_name(node)).read_bytes())
        return {str(real): str(called) for called, real in claimed["remapped"].items()}
    return {}
