"""Rings in memory that only this process reaches: no file, no name, nothing in /dev/shm.

They are the rings of shared memory, byte for byte, on anonymous files (memfd_create). So order, accounts, types,
latched topics, images and waiting are the same code, and as fast.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.abc import Backend
from horus_core.errors import RegionError
from horus_core.shm import pool as pools
from horus_core.topics import attach, handles, types

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core._native import Member, Pool, Ring
    from horus_core.topics.opening import Opening

_NAMELESS = ""
"""The namespace of a membership of which nothing has a name (horus/member.h)."""


class PrivateBackend(Backend):
    """The topics of one process, for all of its threads. A forked child has others."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._lock = threading.RLock()
        self._rings: dict[str, Ring] = {}
        fd = _memory("horus index", _native.INDEX_SIZE, _native.index_format)
        try:
            self._member = _native.Member(fd, _NAMELESS)
        finally:
            os.close(fd)
        self._pool: Pool | None = None

    def member(self) -> Member:
        """The one membership of this object."""
        return self._member

    def attach(self, member: Member, request: attach.Request, opening: Opening) -> Ring | None:
        """The topic's ring, made when a type is wanted and none is there, or nobody uses the one of another type."""
        with self._lock:
            ring = self._rings.get(request.topic)
            if ring is not None and request.type is not None and types.of_ring(ring) != request.type:
                if handles.on_ring(ring):
                    attach.refuse(ring, request, opening)
                ring = None
            if ring is None and request.type is not None:
                ring = self._rings[request.topic] = _make(member, request, request.type)
                member.bump()
        if ring is not None:
            attach.warn_capacity(ring, request, opening)
        return ring

    def is_current(self, member: Member, topic: str, ring: Ring) -> bool:
        """Whether no other ring has taken its place."""
        del member
        return self._rings.get(topic) is ring

    def pool(self, member: Member) -> Pool:
        """The blocks for what does not fit a slot: private memory, too."""
        with self._lock:
            if self._pool is None:
                self._pool = _native.Pool(member, pools.budget_bytes())
            return self._pool

    def ring_of(self, topic: str) -> Ring | None:
        """The topic's ring, if it is there by now."""
        return self._rings.get(topic)

    def clean(self) -> None:
        """Forget the topics that no handle uses, and what was sent on them; but no engaged emergency stop."""
        from horus_core.control import estop  # noqa: PLC0415 - needs topics

        with self._lock:
            for topic, ring in list(self._rings.items()):
                if not handles.on_ring(ring) and not (topic == estop.TOPIC and estop.stands(ring)):
                    self.forget(topic)

    def forget(self, topic: str) -> None:
        """Forget one topic; handles that are still bound to it keep its ring."""
        with self._lock:
            self._rings.pop(topic, None)


def _make(member: Member, request: attach.Request, kind: types.TopicType) -> Ring:
    size, fill = attach.blueprint(member, request, kind)
    fd = _memory("horus topic", size, fill)
    try:
        return _native.Ring(fd, member)
    finally:
        os.close(fd)


def _memory(what: str, size: int, fill: Callable[[int], None]) -> int:
    """A descriptor of so many bytes, filled; the caller closes it."""
    try:
        fd = os.memfd_create(what, os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(fd, 0, size)
            fill(fd)
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        raise RegionError(
            f"Making private memory failed: expected {size} bytes, got none: {error.strerror} (pid={os.getpid()}). "
            "Free some, or raise the memory limit."
        ) from None
    return fd
