"""Room for the control topics of a process, kept back in shared memory: it can be asked when others have filled that.

A control topic is made by who asks first (horus_core/control/server.py). Who answers keeps two rings for that, whole
and without their names: `/dev/shm/horus_{ns}/room/{topic}.{ident}`. Who asks gives each of them its topic's name,
which takes no memory. With the first answer both topics are there, and what is left of the room is given up.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.control import commands
from horus_core.shm import namespace, process, region

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Member

FOLDER = "room"
_REQUESTS = 64, 488
_REPLIES = 32, 2024
"""So many messages of so many bytes: 96 and 128 KiB. What is longer goes through a pool, which may find no memory."""


class Room:
    """What this process keeps back for a topic that it answers on; nothing, where there is no memory for that."""

    def __init__(self, member: Member, topic: str) -> None:
        self._paths: list[Path] = []
        with suppress(OSError):
            self._keep(member, topic, *_REQUESTS)
            self._keep(member, commands.reply_topic(topic), *_REPLIES)

    def _keep(self, member: Member, topic: str, capacity: int, payload: int) -> None:
        from horus_core.topics import attach, types  # noqa: PLC0415 - a scheduler is imported without topics

        folder = namespace.directory(member.namespace) / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{_escaped(member.namespace, topic)}.{member.ident:x}"
        draft = path.with_name(f".{path.name}")
        request = attach.Request(topic, "_horus", types.MSGPACK, capacity, framework=True)
        size, fill = attach.blueprint(member, request, types.MSGPACK.but(payload=payload))
        fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, region.MODE)
        try:
            os.posix_fallocate(fd, 0, size)
            fill(fd)
            draft.rename(path)
            self._paths.append(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)

    def give_up(self) -> None:
        """Keep nothing back any more. What got a topic's name stays."""
        while self._paths:
            with suppress(OSError):
                self._paths.pop().unlink(missing_ok=True)


def keep(space: str, topic: str) -> Room:
    """Room for this control topic of the namespace, and for that of its answers."""
    return Room(process.member(space), topic)


def take(member: Member, topic: str) -> bool:
    """Whether the topic's name stands for a ring now that its owner, who lives, has kept back for it.

    The caller holds the namespace's lock.
    """
    name = _escaped(member.namespace, topic)
    with suppress(OSError):
        for path in (namespace.path(member.namespace) / FOLDER).glob(f"{name}.*"):
            owner = owner_of(path)
            if owner is not None and path.name.rpartition(".")[0] == name and member.alive(owner):
                path.rename(namespace.SHM / namespace.topic_region(member.namespace, topic))
                return True
    return False


def owner_of(path: Path) -> int | None:
    """The process that keeps this back; None for a file that is no room."""
    with suppress(ValueError):
        ident = int(path.name.rpartition(".")[2], 16)
        if 0 <= ident < 1 << 64:
            return ident
    return None


def _escaped(space: str, topic: str) -> str:
    return namespace.topic_region(space, topic).rpartition(".topic.")[2]
