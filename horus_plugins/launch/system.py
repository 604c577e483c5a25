"""What Linux offers a launcher and Python does not: prctl, and who belongs to a run."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

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


def has_descendants(*besides: int) -> bool:
    """Whether this process, which adopts orphans and has one thread, has any descendant besides these children.

    Whoever loses its parent becomes our child, so that there is none without a child. In doubt there is.
    """
    try:
        children = Path("/proc/self/task", str(os.getpid()), "children").read_bytes().split()
    except OSError:  # a kernel that does not tell
        return True
    return any(int(child) not in besides for child in children)


def family(groups: set[int], mark: bytes) -> set[int]:
    """The living processes of a run: members of its process groups, and whoever carries its mark.

    The mark is a variable in the environment (`NAME=value`). It finds what left its group (a daemon), which
    no other trace leads to. Zombies are dead. Processes of other users cannot be read and are not ours.
    """
    numbers = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return {pid for pid in map(int, numbers) if _belongs(pid, groups, mark)}


def _belongs(pid: int, groups: set[int], mark: bytes) -> bool:
    with suppress(OSError):
        # The name stands in parentheses and may hold some; after it come state, parent, group.
        state, _, group = Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[:3]
        if state in (b"Z", b"X"):
            return False
        if int(group) in groups:
            return True
        return mark in Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
    return False


def signal_all(pids: set[int], number: signal.Signals) -> None:
    """Send a signal to each process that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
