"""The processes of a namespace that answer for their parameters and run no scheduler (horus_core/params/reach.py).

Their files are no proof of life: the kernel's lock of its process is. Nothing that stands in them is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from horus_core.params import reach
from horus_core.shm import namespace as namespaces
from horus_core.shm import process
from horus_core.text import plain_name

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Member

_MOST_BYTES = 1 << 20


class Answerer(msgspec.Struct):
    """A process that can be asked, by its name."""

    name: str
    pid: int
    ident: int
    nodes: list[str] = []
    """The node whose callbacks run there, for a scheduler in another process."""


def folder(namespace: str) -> Path:
    """Where a namespace has them, or would have."""
    return namespaces.path(namespace) / reach.FOLDER


def answerers(namespace: str) -> tuple[list[Answerer], dict[str, str]]:
    """Those that live, by name, and of the files that cannot be read why. Nothing is created."""
    found: list[Answerer] = []
    unreadable: dict[str, str] = {}
    paths = sorted(path for path in folder(namespace).glob(f"*{reach.SUFFIX}") if path.name[0] != ".")
    member = process.look(namespace) if paths else None
    for path in paths:
        try:
            one = _read(path)
        except FileNotFoundError:
            continue  # it has ended since
        except (OSError, ValueError) as error:
            unreadable[plain_name(path.name)] = plain_name(str(error))
            continue
        if _lives(one, member):
            found.append(one)
    return found, unreadable


def is_alive(namespace: str, name: str) -> bool:
    """Whether the process of that name lives."""
    try:
        return _lives(_read(folder(namespace) / f"{name}{reach.SUFFIX}"), process.look(namespace))
    except (OSError, ValueError):
        return False


def _read(path: Path) -> Answerer:
    with path.open("rb") as file:
        one = msgspec.json.decode(file.read(_MOST_BYTES), type=Answerer)
    one.name = plain_name(path.name.removesuffix(reach.SUFFIX))  # by which its topic is called
    one.nodes = [plain_name(node) for node in one.nodes]
    return one


def _lives(one: Answerer, member: Member | None) -> bool:
    return (
        member is not None
        and 0 < one.ident < 1 << 63
        and member.alive(one.ident)
        and member.pid(one.ident) == one.pid
    )
