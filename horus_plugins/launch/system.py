"""What Linux offers a launcher and Python does not: prctl, and who belongs to a run."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

_KILLS_S = 2.0

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost or stays a zombie."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """In a child, before exec: have the kernel send SIGTERM when the parent dies, however it dies.

    The parent's handler goes: in the child it would take the SIGTERM, and the program that comes never hear of it.
    """
    if callable(signal.getsignal(signal.SIGTERM)):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(128 + signal.SIGTERM)


def set_name(name: str) -> None:
    """The name that ps and top show for this process; at most 15 bytes."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def has_descendants(own: set[int]) -> bool:
    """Whether this process, which adopts orphans, has descendants besides these children, which run. In doubt it has.

    Whoever loses its parent becomes our child, so that there is no descendant without a child.
    """
    files = list(Path("/proc/self/task").glob("*/children"))  # none: a kernel that does not tell
    listed = {int(number) for file in files for number in file.read_bytes().split()}
    if not files or listed - own:
        return True
    # The list may lack one where another ended meanwhile: that one waits to be reaped.
    return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def family(groups: set[int], mark: bytes) -> set[int]:
    """The living processes of a run: members of its process groups, and whoever carries its mark.

    The mark is a variable in the environment (`NAME=value`). It finds what left its group (a daemon), which
    no other trace leads to. Zombies are dead. Processes of other users cannot be read and are not ours.
    """
    return {pid for pid in _all() if _belongs(pid, groups, mark)}


def children() -> set[int]:
    """The living children of this process: those that it started, and the orphans that it has adopted."""
    me = str(os.getpid()).encode()
    return {
        pid for pid in _all() if (found := _stat(pid)) and found[0] not in (b"Z", b"X") and found[1] == me
    }


def _belongs(pid: int, groups: set[int], mark: bytes) -> bool:
    found = _stat(pid)
    if not found or found[0] in (b"Z", b"X"):
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


def kill_all(pids: set[int], look: Callable[[], set[int]], wait: Callable[[], object]) -> None:
    """SIGKILL to each, and to whoever `look` finds until that is nobody: who is killed may have forked meanwhile.

    Gives up after 2 s: somebody who waits for a disk may take as long to die, or for ever.
    """
    deadline = time.monotonic() + _KILLS_S
    while pids and time.monotonic() < deadline:
        signal_all(pids, signal.SIGKILL)
        wait()
        pids = look()
