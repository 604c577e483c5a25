"""The backend that is used unless another one is named: rings in shared memory, under names in /dev/shm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.abc import Backend
from horus_core.shm import pool as pools
from horus_core.shm import process
from horus_core.topics import attach

if TYPE_CHECKING:
    from horus_core._native import Member, Pool, Ring
    from horus_core.topics.opening import Opening


class Shm(Backend):
    """All processes of the namespace on this machine share one ring a topic."""

    name = "shm"

    def member(self) -> Member:
        """This process's membership of the namespace."""
        return process.member(self.namespace)

    def attach(self, member: Member, request: attach.Request, opening: Opening) -> Ring | None:
        """The region's mapping."""
        return attach.attach(member, request, opening)

    def is_current(self, member: Member, topic: str, ring: Ring) -> bool:
        """Whether the region still has its name."""
        return attach.is_current(member, topic, ring)

    def pool(self, member: Member) -> Pool:
        """This process's arena in the namespace."""
        return pools.of_member(member)
