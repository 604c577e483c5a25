"""What Linux offers a launcher and Python does not: prctl, and who belongs to a run."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_DEAD = (b"Z", b"X")

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost or stays a zombie."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """In a child, before exec: have the kernel send SIGTERM when the parent dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(128 + signal.SIGTERM)


def set_name(name: str) -> None:
    """The name that ps and top show for this process; at most 15 bytes."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def family(groups: set[int], mark: bytes) -> set[int]:
    """The living processes of a run: members of its process groups, and whoever carries its mark.

    The mark is a variable in the environment (`NAME=value`). It finds what left its group (a daemon), which
    no other trace leads to. Zombies are dead. Processes of other users cannot be read and are not ours.
    """
    return {pid for pid in _all() if _belongs(pid, groups, mark)}


def children() -> set[int]:
    """The living children of this process, which has one thread: those that it started, and orphans it has adopted.

    Whoever loses its parent becomes our child, so that there is no descendant without a child.
    """
    try:
        listed = Path("/proc/self/task", str(os.getpid()), "children").read_bytes().split()
        known: Iterable[int] = map(int, listed)
    except OSError:  # a kernel that does not tell
        known = _all()
    me = str(os.getpid()).encode()
    return {pid for pid in known if (found := _stat(pid)) and found[0] not in _DEAD and found[1] == me}


def _belongs(pid: int, groups: set[int], mark: bytes) -> bool:
    found = _stat(pid)
    if not found or found[0] in _DEAD:
        return False
    if int(found[2]) in groups:
        return True
    with suppress(OSError):
        return mark in Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
    return False


def _all() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _stat(pid: int) -> list[bytes]:
    """State, parent and group; nothing for a process that has gone."""
    with suppress(OSError):
        # The name stands in parentheses and may hold some.
        return Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[:3]
    return []


def signal_all(pids: set[int], number: signal.Signals) -> None:
    """Send a signal to each process that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
