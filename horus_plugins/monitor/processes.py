"""What the kernel says of other processes, read from /proc: they are not asked, and do not notice."""

from __future__ import annotations

import math
import os
import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from horus_core import _native
from horus_core.shm import namespace as namespaces
from horus_core.shm import process as membership

if TYPE_CHECKING:
    from collections.abc import Collection

_PROC = Path("/proc")
_LEAST_NS = 20_000_000
"""Over less, CPU time says nothing."""
_STOPPED, _TRACED = "T", "t"
_MOST_PARENTS = 16
# Of the C library's clock_getcpuclockid: the scheduler's account of a whole process, in ns.
_CPU_OF_PROCESS = 2
# Places in /proc/PID/stat after the name, which may hold blanks and parentheses itself.
_STATE, _PARENT, _THREADS, _STARTED, _PAGES = 0, 1, 17, 19, 21


class Process(msgspec.Struct, frozen=True):
    """A process at this moment."""

    pid: int
    state: str
    """One letter, as in ps(1)."""
    parent: int
    threads: int
    uptime_s: float
    memory_bytes: int
    """Resident, with what it shares with others."""

    @property
    def stopped_by(self) -> str:
        """What keeps the whole of it from running: a signal, a debugger, or "" for nothing."""
        return {_STOPPED: "a signal", _TRACED: "a debugger"}.get(self.state, "")


def read(pid: int) -> Process | None:
    """The process, or None when there is none of that pid, or one that is dead and only waited for."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    if fields[_STATE] in "ZX":
        return None
    started_s = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    return Process(
        pid,
        fields[_STATE],
        int(fields[_PARENT]),
        int(fields[_THREADS]),
        max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started_s),
        int(fields[_PAGES]) * os.sysconf("SC_PAGE_SIZE"),
    )


def of_namespace(pid: int, namespace: str) -> Process | None:
    """The process, if it is one of the namespace: a pid that was written in another container is another's here."""
    if pid <= 0:
        return None
    found = read(pid)
    if found is None:
        return None
    index = namespaces.region(namespace, membership.INDEX).encode()
    try:
        maps = (_PROC / str(pid) / "maps").read_bytes()
    except OSError:  # one with capabilities of its own does not show its memory
        return found
    return found if b"/" + index + b"\n" in maps or b"/" + index + b" (deleted)" in maps else None


def cpu_ns(pid: int) -> int | None:
    """The CPU time of all its threads since its start, dead ones included; None when it is gone."""
    with suppress(OSError):
        return time.clock_gettime_ns(~pid << 3 | _CPU_OF_PROCESS)
    return None


class CpuMeter:
    """How much of one core processes use, between one look and the next."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}

    def start(self, pid: int) -> None:
        """Begin with that process, if it is not known yet."""
        if pid > 0 and pid not in self._seen and (used := cpu_ns(pid)) is not None:
            self._seen[pid] = (_native.now_ns(), used)

    def keep(self, pids: Collection[int]) -> None:
        """Forget all others."""
        self._seen = {pid: seen for pid, seen in self._seen.items() if pid in pids}

    def counted_s(self) -> float:
        """For how many seconds all that are known have been counted; inf without any."""
        if not self._seen:
            return math.inf
        return (_native.now_ns() - max(begun_ns for begun_ns, _ in self._seen.values())) / 1e9

    def percent(self, pid: int) -> float | None:
        """Since start(), or since the last call; 100 is one core. None when it is gone or was just begun."""
        before, used = self._seen.get(pid), cpu_ns(pid)
        now_ns = _native.now_ns()
        if used is None or (before is not None and used < before[1]):  # gone; or another process has the pid
            self._seen.pop(pid, None)
            return None
        if before is None or now_ns - before[0] < _LEAST_NS:
            return None
        self._seen[pid] = (now_ns, used)
        return 100.0 * (used - before[1]) / (now_ns - before[0])


def ancestors(pid: int) -> list[int]:
    """The process and who started it, and so on, nearest first; those that are gone are left out."""
    found: list[int] = []
    while pid > 1 and len(found) < _MOST_PARENTS:
        found.append(pid)
        one = read(pid)
        pid = 0 if one is None else one.parent
    return found


def command_line(pid: int) -> str:
    """As a shell would take it; "" when it is gone."""
    with suppress(OSError):
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        return shlex.join(word.decode("utf-8", "replace") for word in words[:-1])
    return ""


def user(pid: int) -> str:
    """Whose process it is: a name, or a number where there is none; "" when it is gone."""
    import pwd  # noqa: PLC0415 - only for who asks

    with suppress(OSError):
        uid = (_PROC / str(pid)).stat().st_uid
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return str(uid)
    return ""


def shared_memory_bytes(pid: int) -> int | None:
    """How much of its resident memory is shared memory: topics, and frames that it looks at."""
    with suppress(OSError, ValueError, IndexError):
        for line in (_PROC / str(pid) / "status").read_text("utf-8", "replace").splitlines():
            if line.startswith("RssShmem:"):
                return int(line.split()[1]) * 1024
    return None
