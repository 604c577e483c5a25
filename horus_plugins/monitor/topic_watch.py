"""Following a topic from outside, 50 times a second at most: what came is counted, and no payload is copied.

Numbers count messages exactly, however many come. Of each message that still lies in the ring when it is looked at,
the newest 256 of each look, publish time and length are read. Who watches is no subscriber and no waiter, and makes
nothing: a topic that is not there is waited for, one that is made anew is found again.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

import posix_ipc

from horus_core import _native
from horus_core.errors import RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERIOD_S = 0.02
SEEN_MOST = 256
NO_WORD = 0xFFFFFFFF

Sighting = tuple[int, int, int, int, bool, "int | None"]
"""number, publish_ns, bytes, row of the publisher, whether it refers to a pool, the eight bytes asked for."""


class Look(NamedTuple):
    """What one look at the topic brought."""

    time_ns: int
    there: bool
    """Whether the topic exists, and can be read."""
    anew: bool
    """Whether this region was not there at the look before: numbers begin again."""
    came: int
    """Messages since the look before."""
    seen: list[Sighting]
    """Those of them that were looked at, in the order of their numbers."""
    error: str = ""


class Watch:
    """One topic of a namespace."""

    def __init__(
        self, namespace: str, topic: str, *, word: Callable[[_native.Ring], int] | None = None
    ) -> None:
        """`word` says, for each region, where in a slot eight bytes lie that are wanted besides: a multiple of 8."""
        self.namespace, self.topic, self.at = namespace, topic, NO_WORD
        self._word = word
        self.ring: _native.Ring | None = None
        self._name = namespaces.topic_region(namespace, topic)
        self._looked = False
        self._front = self._next = self._stuck = self._voids = 0
        self._troubles: tuple[int, ...] = ()

    def looks(self) -> Iterator[Look]:
        """Look, again and again, for ever."""
        while True:
            yield self.look()
            time.sleep(PERIOD_S)

    def look(self) -> Look:
        """Look once."""
        now_ns = _native.now_ns()
        try:
            anew = self._find()
        except RegionError as error:
            self.ring = None
            return Look(now_ns, there=False, anew=False, came=0, seen=[], error=str(error))
        finally:
            self._looked = True
        if self.ring is None:
            return Look(now_ns, there=False, anew=False, came=0, seen=[])
        front, pending, seen = self.ring.sightings(self._next, SEEN_MOST, self.at)
        if pending == self._stuck:  # whoever writes there is slow, or dead: the others are not to wait
            pending = front
        self._stuck = pending if pending < front else 0
        seen = [one for one in seen if one[0] < pending]
        came, self._front = max(0, front - self._front), front
        self._next = pending
        return Look(now_ns, there=True, anew=anew, came=came, seen=seen)

    def settle(self) -> int:
        """How many of the messages counted turned out to be none: their numbers were given up.

        Looks at the whole ring if a publisher has lost a number, or died, since the last time.
        """
        ring = self.ring
        if ring is None:
            return 0
        publishers = ring.publishers()
        troubles = tuple(value for one in publishers for value in (one["ident"], one["row"], one["revoked"]))
        if troubles == self._troubles:
            return 0
        self._troubles = troubles
        before, self._voids = self._voids, ring.voids()[1]
        return max(0, self._voids - before)

    def _find(self) -> bool:
        """Find the topic's region; True when it is another one than before."""
        identity = region.identity(self._name)
        if identity is None:
            self.ring = None
            return False
        if self.ring is not None and self.ring.file == identity:
            return False
        self.ring = self._opened()
        if self.ring is None:
            return False
        self._begin(self.ring)
        return True

    def _begin(self, ring: _native.Ring) -> None:
        """What was sent before the first look does not count; in a region that came later, all does."""
        self._stuck = 0
        self.at = NO_WORD if self._word is None else self._word(ring)
        self._front = self._next = ring.capacity if self._looked else ring.front
        publishers = ring.publishers()
        self._troubles = tuple(
            value for one in publishers for value in (one["ident"], one["row"], one["revoked"])
        )
        self._voids = 0 if self._looked else ring.voids()[1]

    def _opened(self) -> _native.Ring | None:
        member = process.look(self.namespace)
        if member is None:
            raise RegionError("nobody lives in the namespace who could read it: run `horus clean`")
        try:
            fd = region.open_existing(self._name)
        except posix_ipc.ExistentialError:
            return None
        try:
            return _native.Ring(fd, member)
        finally:
            os.close(fd)
