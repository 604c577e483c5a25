"""Processes that do what a verdict must notice: they exist for its tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from horus_core.shm import namespace

if TYPE_CHECKING:
    from collections.abc import Callable

    from endurance.actor import Actor
    from endurance.workload import Role

_CRASH_AT = 1
_kept: list[bytes] = []


def _memory(_actor: Actor) -> None:
    _kept.append(b"\1" * 100_000)


def _descriptors(actor: Actor) -> None:
    if actor.steps % 5 == 0:
        os.open(os.devnull, os.O_RDONLY)


def _shm(actor: Actor) -> None:
    file = namespace.path(namespace.current()) / f"left-{actor.steps}"
    file.write_bytes(bytes(50_000))


def _silence(actor: Actor) -> None:
    """Receives what its own records never hear of."""
    for ear in actor.ports.ears.values():
        ear._recv()


def _crash(actor: Actor) -> None:
    if actor.steps == _CRASH_AT:
        raise RuntimeError("a crash that was asked for")


_KINDS: dict[str, Callable[[Actor], None]] = {
    "memory": _memory,
    "descriptors": _descriptors,
    "shm": _shm,
    "silence": _silence,
    "crash": _crash,
}


def of(role: Role) -> Callable[[Actor], None]:
    """What the role does besides at each step."""
    wanted = [_KINDS[name] for name in role.faults if name in _KINDS]

    def misbehave(actor: Actor) -> None:
        for one in wanted:
            one(actor)

    return misbehave
