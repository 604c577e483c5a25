"""Opening and creating the regions of topics: under the namespace's lock, each mapped once in a process."""

from __future__ import annotations

import logging
import os
import struct
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import posix_ipc

from horus_core import _native, names
from horus_core.errors import RegionError, TopicTypeError
from horus_core.frozen import Frozen
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region
from horus_core.topics import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.topics.opening import Opening

_lock = threading.Lock()
_TOPIC_MAGIC, _TOPIC_LAYOUT = b"HORUSTOP", _native.LAYOUTS[1]


class Request(Frozen):
    """What a handle wants of a topic's region."""

    topic: str
    node: str
    type: types.TopicType | None
    capacity: int | None = None
    latched: bool = False
    framework: bool = False
    """Whether HORUS itself asks: it may publish on the names that are reserved."""
    backend: str | None = None
    """None: what HORUS_BACKEND says, else shared memory."""


def is_current(member: _native.Member, topic: str, ring: _native.Ring) -> bool:
    """Whether the mapping still is what others find under the topic's name."""
    return region.identity(namespaces.topic_region(member.namespace, topic)) == ring.file


def attach(member: _native.Member, request: Request, opening: Opening) -> _native.Ring | None:
    """The topic's region; created when a type is wanted and none is there, else None. The caller holds `opening`.

    Raises TopicTypeError when living processes use the topic with another type, and RegionError when the
    region cannot be created or trusted.
    """
    name = namespaces.topic_region(member.namespace, request.topic)
    if request.type is None and region.identity(name) is None:
        return None
    try:
        with _lock, namespaces.locked(member.namespace):
            ring = _existing_or_new(member, request, name)
    except TopicTypeError as error:
        opening.log(logging.ERROR, "%s", error)  # also when the user's code catches it
        raise
    if ring is not None:
        warn_capacity(ring, request, opening)
    return ring


def refuse(ring: _native.Ring, request: Request, opening: Opening) -> NoReturn:
    """Raise TopicTypeError for a ring that is in use with another type than the request's, and log it."""
    error = _mismatch(ring, request, types.of_ring(ring))
    opening.log(logging.ERROR, "%s", error)  # also when the user's code catches it
    raise error


def _existing_or_new(member: _native.Member, request: Request, name: str) -> _native.Ring | None:
    ring = _existing(member, request.topic, name)
    if ring is not None and request.type is not None and not _fits(ring, request):
        ring = None
    if ring is None and request.type is not None:
        ring = _create(member, request, request.type, name)
    if ring is not None:
        process.rings[member.ident, name] = ring
    return ring


def _existing(member: _native.Member, topic: str, name: str) -> _native.Ring | None:
    """The region under that name, mapped; None when there is none or only a dead creator's half."""
    known = process.rings.get((member.ident, name))
    if known is not None and region.identity(name) == known.file:
        return known
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        return None
    try:
        ring = _native.Ring(fd, member)
        types.read_description(ring)
    except RegionError as error:
        if _is_left_by_another_version(fd, member, name):
            return None
        raise RegionError(
            f"Opening topic {topic!r} failed: {error} (file=/dev/shm/{name}, pid={os.getpid()}). "
            "Stop the processes that use it and run `horus clean`."
        ) from None
    finally:
        os.close(fd)
    if not member.alive(_creator_ident(ring)):
        # Killed between the region's name and the bump, it told nobody who waits for the topic. We hold the
        # lock that it held: a living creator has told them.
        member.bump()
    return ring


def _creator(ring: _native.Ring) -> dict[str, Any]:
    creator = types.read_description(ring).get("creator")
    return creator if isinstance(creator, dict) else {}


def _creator_ident(ring: _native.Ring) -> int:
    """The identity of the process that made the region; 0, which nobody has, where it says nothing like one."""
    ident = _creator(ring).get("ident")
    return ident if isinstance(ident, int) and 0 <= ident < 1 << 64 else 0


def _is_left_by_another_version(fd: int, member: _native.Member, name: str) -> bool:
    """Whether the region is of another layout, and nobody lives in the namespace who could use it.

    All who live are of this version, or they would not share the index; but one of them may have the region mapped
    from before its header was destroyed.
    """
    magic, layout = struct.unpack("8sI", os.pread(fd, 12, 0).ljust(12, b"\0"))
    others = any(who != member.ident for who in member.living())
    used_here = region.identity(name) in process.mapped(member)
    return magic == _TOPIC_MAGIC and layout not in (0, _TOPIC_LAYOUT) and not others and not used_here


def _fits(ring: _native.Ring, request: Request) -> bool:
    """Whether the region can be used as wanted; False when it is to be replaced."""
    found = types.of_ring(ring)
    if found == request.type:
        return True
    in_this_process = any(other is ring for _, other in process.mapped_rings())
    if not in_this_process and not ring.in_use(True):
        return False  # nobody living uses it: what a dead process left is no mismatch
    raise _mismatch(ring, request, found)


def warn_capacity(ring: _native.Ring, request: Request, opening: Opening) -> None:
    """Say so where the topic keeps another number of messages than a user asked for."""
    if request.framework:
        return  # who asks on a control topic may keep more or fewer: nobody reads behind there
    if request.capacity is not None and _power_of_two(request.capacity) != ring.capacity:
        opening.log(
            logging.WARNING,
            "Topic %r keeps %d messages, as its creator wanted, not %d (node=%r).",
            request.topic,
            ring.capacity,
            request.capacity,
            request.node,
        )


def _mismatch(ring: _native.Ring, request: Request, found: types.TopicType) -> TopicTypeError:
    assert request.type is not None
    creator = _creator(ring)
    fields = types.difference(found, request.type)
    return TopicTypeError(
        f"Type mismatch on topic {request.topic!r}: expected {request.type}, got {found}"
        f"{': ' + fields if fields else ''} (node={request.node!r}, pid={os.getpid()}; the topic was created by "
        f"node {creator.get('node')!r}, pid {creator.get('pid')}). Use the same type on both sides, or another "
        "topic name."
    )


def _power_of_two(capacity: int) -> int:
    return 1 << max(capacity - 1, 3).bit_length()


def blueprint(
    member: _native.Member, request: Request, kind: types.TopicType
) -> tuple[int, Callable[[int], None]]:
    """A new ring: how many bytes it takes, and what writes it into a zeroed file."""
    creator: dict[str, Any] = {
        "node": request.node,
        "pid": os.getpid(),
        "ident": member.ident,
        "horus": _native.VERSION,
    }
    meta = types.description(kind, request.topic, creator)
    capacity = kind.capacity if request.capacity is None else _power_of_two(request.capacity)
    large_kept = kind.large_kept if request.capacity is None else 0

    def fill(fd: int) -> None:
        _native.ring_format(
            fd, kind.kind, capacity, kind.payload, kind.hash, meta, request.latched, large_kept
        )

    return _native.ring_size(capacity, kind.payload, len(meta)), fill


def _create(member: _native.Member, request: Request, kind: types.TopicType, name: str) -> _native.Ring:
    if names.is_reserved(request.topic) and kind == types.MSGPACK and _take_room(member, request.topic):
        fd = region.open_existing(name)
    else:
        fd = region.create(name, *blueprint(member, request, kind))
    try:
        ring = _native.Ring(fd, member)
    finally:
        os.close(fd)
    member.bump()
    return ring


def _take_room(member: _native.Member, topic: str) -> bool:
    from horus_core.control import room  # noqa: PLC0415 - only for control topics

    return room.take(member, topic)


def _forget_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it at the fork
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_in_child)
