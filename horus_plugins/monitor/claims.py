"""What the nodes of a namespace have left in their presence: who holds a name, and who crashed.

A file is no proof of life: the kernel's lock of its process is. Nothing that stands in it is believed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from horus_core.shm import namespace as namespaces
from horus_core.text import plain, plain_name

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Member

_MOST_BYTES = 1 << 20


class Claim(msgspec.Struct):
    """A node's presence."""

    name: str
    pid: int
    ident: int
    """0: it crashed, and the name is free."""
    started_ns: int
    """By the calendar."""
    rate: float = 0.0
    order: int = 0
    pubs: list[str] = []
    subs: list[str] = []
    remapped: dict[str, str] = {}
    """{what the node calls a topic: its name}."""
    crashed: str = ""
    """Type and text of the exception."""
    crashed_ns: int = 0

    @property
    def uptime_s(self) -> float:
        """Since the node's start, whether it still runs or not."""
        return max(0.0, (time.time_ns() - self.started_ns) / 1e9)


def claims(namespace: str) -> tuple[dict[str, Claim], dict[str, str]]:
    """All presence of the namespace by node, and of the files that cannot be read why. Nothing is created."""
    found: dict[str, Claim] = {}
    unreadable: dict[str, str] = {}
    for path in sorted((namespaces.path(namespace) / "nodes").glob("*.json")):
        if path.name.startswith("."):
            continue  # being written
        name = plain_name(path.name.removesuffix(".json"))
        try:
            found[name] = _read(path, name)
        except FileNotFoundError:
            continue  # it has stopped since
        except (OSError, ValueError) as error:
            unreadable[name] = f"{plain_name(str(error))} (file={plain_name(str(path))})"
    return found, unreadable


def _read(path: Path, name: str) -> Claim:
    with path.open("rb") as file:
        claim = msgspec.json.decode(file.read(_MOST_BYTES), type=Claim)
    claim.name = name  # the file's name is what is claimed
    claim.crashed = plain(claim.crashed)
    claim.pubs, claim.subs = ([plain_name(topic) for topic in topics] for topics in (claim.pubs, claim.subs))
    claim.remapped = {plain_name(called): plain_name(topic) for called, topic in claim.remapped.items()}
    return claim


def is_alive(claim: Claim, member: Member | None) -> bool:
    """Whether the process that claims the name lives."""
    return (
        member is not None
        and 0 < claim.ident < 1 << 63
        and member.alive(claim.ident)
        and member.pid(claim.ident) == claim.pid
    )
