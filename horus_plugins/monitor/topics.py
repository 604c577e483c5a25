"""The topics of a namespace, as their regions tell: no daemon, no cache, no lock, nothing assumed.

Only living publishers and subscribers are listed; alive is who holds the kernel's lock. Who looks takes no part: it
is in no table, and what it maps can be cleaned or replaced all the same.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import posix_ipc

from horus_core import _native, names
from horus_core.errors import RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region
from horus_plugins.monitor import topic_rates

if TYPE_CHECKING:
    from pathlib import Path

    from horus_plugins.monitor.topic_rates import Pace


class Publisher(msgspec.Struct, omit_defaults=True):
    """A node that publishes now."""

    node: str
    pid: int
    """As it wrote it: the pid in its own container. 0 when unknown."""
    sent: int
    rate_hz: float | None = None
    """The topic's, by this one's share of the newest messages; None: too few are there to tell."""
    refused: int = 0
    """Messages that found no place: every slot was in the hands of another writer."""
    called: str = ""
    """What the node calls the topic, where it was given this one instead."""


class Subscriber(msgspec.Struct, omit_defaults=True):
    """A node that subscribes now."""

    node: str
    pid: int
    delivered: int
    missed: int
    """Overwritten before it took them; those, too, that it has not noticed yet."""
    skipped: int
    """Passed over by its node, which wanted newer ones."""
    lag: int
    """Messages in the topic that it has not taken yet."""
    called: str = ""


ACTIVE, IDLE, WAITING, UNUSED, UNREADABLE = "active", "idle", "waiting", "unused", "unreadable"


class TopicState(msgspec.Struct):
    """A topic at this moment; with `error`, all that is known is that its region cannot be read."""

    name: str
    type: str = ""
    kind: str = ""
    capacity: int = 0
    latched: bool = False
    size_bytes: int = 0
    state: str = UNREADABLE
    """active: a living publisher has just sent (within a second, or three of its intervals); idle: there is one, and
    it has not; waiting: none lives, but subscribers do; unused: nobody is there; unreadable."""
    rate_hz: float | None = None
    """From the publish times of the last 2 s, as far as the ring has them, or of the last two messages; 0 when they
    stopped; None when there are too few to tell."""
    age_s: float | None = None
    """Seconds since the newest message was sent; None when there is none."""
    publishers: list[Publisher] = []
    subscribers: list[Subscriber] = []
    error: str = ""


class TopicList(msgspec.Struct):
    """The topics of a namespace, by name."""

    namespace: str
    topics: list[TopicState]


class _Description(msgspec.Struct):
    """What of a region's description a list needs."""

    topic: str = ""
    type: str = "?"


_KINDS = {_native.TYPED: "typed", _native.MSGPACK: "dict", _native.DESCRIPTOR: "pool-backed"}
_DESCRIPTION: msgspec.json.Decoder[_Description] = msgspec.json.Decoder(_Description)


def topics(namespace: str) -> list[TopicState]:
    """All topics of the namespace, by name. Nothing is created, not even the namespace."""
    found = regions(namespace)
    if not found:
        return []
    try:
        member = process.look(namespace)
    except RegionError as error:
        return [TopicState(topic, error=str(error)) for topic in sorted(found.values())]
    states = [state for name, topic in found.items() if (state := _state(name, topic, member)) is not None]
    _tell_remapped(namespace, states)
    return sorted(states, key=lambda state: state.name)


def state(ring: _native.Ring, namespace: str, topic: str) -> TopicState:
    """One topic's state. Raises RegionError when its description is none."""
    try:
        found = _read(ring, topic)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RegionError(f"expected a JSON description, got {error}") from None
    _tell_remapped(namespace, [found])
    return found


def is_reserved(topic: str) -> bool:
    """Whether the topic is one of HORUS's own, which lists leave out."""
    return topic.startswith(("horus.", "_horus."))


def elsewhere(namespace: str) -> dict[str, int]:
    """How many topics this user's other namespaces have; those without any are left out."""
    counts = {other: _own_topics(other) for other in namespaces.mine() if other != namespace}
    return {other: count for other, count in counts.items() if count}


def _own_topics(namespace: str) -> int:
    return sum(not is_reserved(topic) for topic in regions(namespace).values())


def regions(namespace: str) -> dict[str, str]:
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
    except (RegionError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return TopicState(topic, error=f"{error} (file=/dev/shm/{name})")
    finally:
        os.close(fd)


def _read(ring: _native.Ring, topic: str) -> TopicState:
    """What the region tells. Its name is the file's: what the description says, its creator may have made up."""
    description = _DESCRIPTION.decode(ring.meta)
    pace = topic_rates.of_ring(ring)
    front = ring.front
    publishers = [_publisher(row, pace) for row in ring.publishers()]
    subscribers = [_subscriber(row, front, ring.capacity) for row in ring.subscribers()]
    return TopicState(
        name=topic,
        type=description.type,
        kind=_KINDS.get(ring.kind, "?"),
        capacity=ring.capacity,
        latched=ring.latched,
        size_bytes=ring.size,
        state=_shown_state(publishers, subscribers, active=pace.active),
        rate_hz=pace.rate_hz,
        age_s=pace.age_s,
        publishers=publishers,
        subscribers=subscribers,
    )


def _shown_state(publishers: list[Publisher], subscribers: list[Subscriber], *, active: bool) -> str:
    if publishers:
        return ACTIVE if active else IDLE
    return WAITING if subscribers else UNUSED


def _publisher(row: dict[str, Any], pace: Pace) -> Publisher:
    return Publisher(row["node"], row["pid"], row["sent"], pace.of(row["row"]), row["refused"])


def _subscriber(row: dict[str, Any], front: int, capacity: int) -> Subscriber:
    waiting = max(0, front - row["cursor"])
    lag = min(waiting, capacity)
    return Subscriber(
        row["node"], row["pid"], row["delivered"], row["missed"] + waiting - lag, row["skipped"], lag
    )


def _tell_remapped(namespace: str, states: list[TopicState]) -> None:
    """Fill in `called`, from what the nodes themselves have left in their presence."""
    ends: list[tuple[str, Publisher | Subscriber]] = []
    for state in states:
        ends += [(state.name, end) for end in state.publishers]
        ends += [(state.name, end) for end in state.subscribers]
    folder = namespaces.path(namespace) / "nodes"
    called = {node: _remapped(folder, node) for node in {end.node for _, end in ends}}
    for topic, end in ends:
        end.called = called[end.node].get(topic, "")


def _remapped(folder: Path, node: str) -> dict[str, str]:
    """{topic: what the node calls it}; nothing when its presence cannot be read or tells nothing."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        claimed = json.loads((folder / f"{names.node_name(node)}.json").read_bytes())
        return {str(real): str(called) for called, real in claimed["remapped"].items()}
    return {}
