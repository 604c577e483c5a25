"""Presence: one JSON file for each running node, from which tools learn what runs.

`/dev/shm/horus_{ns}/nodes/{name}.json` holds what does not change while the node runs. The file is no proof
of life: its `ident` is, together with the kernel's locks (Member.alive).
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from horus_core.backends import registry as backends
from horus_core.errors import NodeError
from horus_core.shm import namespace, process, region

if TYPE_CHECKING:
    from pathlib import Path

    from horus_core._native import Member
    from horus_core.nodes.node import Node

_FOLDER = "nodes"
# What this process holds: (namespace, node), and its record.
_held: dict[tuple[str, str], dict[str, Any]] = {}
_lock = threading.Lock()
"""Of what is held here and the file of it together: another thread may want the name that one gives back."""


class Presence:
    """This process's claim on a node's name."""

    def __init__(self, node: Node, rate: float) -> None:
        """Claim the name, or raise NodeError naming the living holder."""
        self.namespace = namespace.current()
        self._shown = backends.shows_runs()
        """Whether there is a file; where all topics stay in this process, names need only be unique in it."""
        member = process.member(self.namespace) if self._shown else None
        self._record: dict[str, Any] = {
            "name": node.name,
            "pid": os.getpid(),
            "ident": 0 if member is None else member.ident,
            "rate": rate,
            "order": node.order,
            "pubs": node.publishers(),
            "subs": node.subscribers(),
            "remapped": node._horus.wiring.remapped,  # noqa: SLF001 - the framework's own view of a node
            "started_ns": time.time_ns(),
        }
        if member is None:
            self._claim_here()
            return
        with namespace.locked(self.namespace), _lock:
            holder = _read(self._path)
            if holder is not None and self._is_alive(holder, member):
                raise _taken(node.name, holder)
            self._write()
            _held[self._key] = self._record

    def _claim_here(self) -> None:
        holder = _held.setdefault(self._key, self._record)
        if holder is not self._record:
            raise _taken(self._record["name"], holder)

    @property
    def _key(self) -> tuple[str, str]:
        return self.namespace, self._record["name"]

    @property
    def _path(self) -> Path:
        return path(self.namespace, self._record["name"])

    def remove(self) -> None:
        """Give the name back.

        Raises HorusTimeoutError when somebody else keeps the namespace's lock. In this process the name is free
        nevertheless; to others it stays taken until this process ends.
        """
        if self._is_seen():
            # Nobody takes the name of who is seen to live: no lock, for which many that end at once would queue.
            with _lock:
                self._unlink()
                _held.pop(self._key, None)
            return
        _held.pop(self._key, None)
        if not self._shown:
            return
        with namespace.locked(self.namespace):
            self._unlink()

    def _is_seen(self) -> bool:
        """Whether others see that the process which claimed the name lives."""
        member = process.joined(self.namespace) if self._shown else None
        return member is not None and member.ident == self._record["ident"]

    def _unlink(self) -> None:
        file = namespace.path(self.namespace) / _FOLDER / f"{self._record['name']}.json"
        if self._is_in(file):
            file.unlink(missing_ok=True)

    def crashed(self, error: BaseException) -> None:
        """Leave a record of the crash, which stays until the name starts again; the name is free."""
        self._record |= {
            "ident": 0,
            "crashed": f"{type(error).__name__}: {error}",
            "crashed_ns": time.time_ns(),
        }
        _held.pop(self._key, None)
        if not self._shown:
            return
        with namespace.locked(self.namespace):
            self._write()

    def _is_alive(self, holder: dict[str, Any], member: Member) -> bool:
        if holder["ident"] == self._record["ident"]:
            # This process, or one of another life of the namespace, which counted from the start as well.
            return self._key in _held
        return member.alive(holder["ident"]) and member.pid(holder["ident"]) == holder["pid"]

    def _is_in(self, file: Path) -> bool:
        found = _read(file)
        return found is not None and all(found[key] == self._record[key] for key in ("ident", "started_ns"))

    def _write(self) -> None:
        write(self._path, self._record)


def path(namespace_name: str, node: str) -> Path:
    """Where a node's presence stands."""
    return namespace.directory(namespace_name) / _FOLDER / f"{node}.json"


def write(final: Path, record: dict[str, Any]) -> None:
    """Put a record where others find it, whole or not at all. The caller holds the namespace's lock.

    Raises RegionError where that cannot be: /dev/shm is full, for one.
    """
    text = json.dumps(record)
    draft = final.with_name(f".{final.name}.{os.getpid()}")
    try:
        final.parent.mkdir(mode=0o700, exist_ok=True)
        draft.write_text(text)
        draft.replace(final)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise region.no_room(final, len(text), error) from None


def _read(file: Path) -> dict[str, Any] | None:
    """The record, or None when there is none that makes sense."""
    with suppress(FileNotFoundError, ValueError):
        found = json.loads(file.read_bytes())
        if isinstance(found, dict) and all(
            isinstance(found.get(key), int) for key in ("pid", "ident", "started_ns")
        ):
            return found
    return None


def _taken(name: str, holder: dict[str, Any]) -> NodeError:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["started_ns"] / 1e9))
    return NodeError(
        f"Starting node {name!r} failed: expected a free name, got one that is in use since {since} "
        f"(node={name!r}, pid={holder['pid']}). Stop that node, or give this one another name."
    )


def _forget_lock_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it at the fork
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock_in_child)
