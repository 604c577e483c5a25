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


def has_descendants(child: int) -> bool:
    """Whether this process, which adopts orphans, has any descendant besides this child, which runs. In doubt it has.

    Whoever loses its parent becomes our child, so that there is no descendant without a child.
    """
    files = list(Path("/proc/self/task").glob("*/children"))  # none: a kernel that does not tell
    listed = {int(number) for file in files for number in file.read_bytes().split()}
    if not files or listed - {child}:
        return True
    # The list may lack one where another ended meanwhile: that one waits to be reaped.
    return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


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
