"""How a process ended: its exit code, a signal by its name, and whether the kernel ran out of memory."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_plugins.launch.manifest import Exit

if TYPE_CHECKING:
    from horus_plugins.launch.child import Child

_OOM_COUNTER = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_KMSG_MOST = 1 << 14


_Counts = tuple["int | None", "int | None"]
"""Of the machine, and of our control group; None where there is none."""


class OutOfMemory:
    """What the kernel tells of processes that it killed for want of memory."""

    def __init__(self, files: tuple[Path, Path | None] | None = None) -> None:
        """`files`: where the counters of the machine and of our control group stand."""
        self._files = files or (Path("/proc/vmstat"), _memory_events())
        self._last: _Counts = self._count()
        self._before = self._last

    def look(self) -> None:
        """To be called every second or so: a SIGKILL is never blamed on what the kernel did long before."""
        self._before, self._last = self._last, self._count()

    def killed(self, pid: int) -> bool | None:
        """Whether that is what a SIGKILL was; None where the kernel does not tell.

        A machine that killed nobody since the last look but one settles it. Otherwise the kernel's log names the
        process, or the counter of our control group has risen, of which each counts for one process.
        """
        now = machine, group = self._count()
        machine_before, group_before = self._before
        if machine is not None and machine == machine_before:
            return False
        rose = group is not None and group_before is not None and group > group_before
        if not (_named_in_log(pid) or rose):
            return None
        self._before, self._last = _one_more(self._before, now), _one_more(self._last, now)
        return True

    def _count(self) -> _Counts:
        machine, group = map(_count, self._files)
        return machine, group


def _one_more(seen: _Counts, most: _Counts) -> _Counts:
    """The counters with one more kill accounted for."""
    machine, group = (
        None if one is None or limit is None else min(one + 1, limit)
        for one, limit in zip(seen, most, strict=True)
    )
    return machine, group


def exit_of(child: Child, memory: OutOfMemory | None = None) -> Exit:
    """The end of a process that was reaped; whether the kernel was out of memory, if that was followed."""
    code = child.code
    found = Exit(time.time_ns(), child.pid, asked=child.asked)
    if code is None:
        found.signal = "SIGKILL"
        found.text = "did not end, even killed"
    elif code < 0:
        found.signal = _signal_name(-code)
        if -code == signal.SIGKILL and not child.killed and memory is not None:
            found.out_of_memory = memory.killed(child.pid)
        found.text = f"ended by {found.signal}"
        if found.out_of_memory:
            found.text += " (out of memory)"
    else:
        found.code = code
        found.text = f"exit code {code}"
    return found


def failed(end: Exit) -> bool:
    """Whether it ended by a signal or with another exit code than 0."""
    return end.code != 0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _memory_events() -> Path | None:
    """The counters of the control group that we are in, of either version, if it has any."""
    root = Path("/sys/fs/cgroup")
    with suppress(OSError):
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        for _, kind, where in groups:
            if kind == "memory":
                return root / "memory" / where.lstrip("/") / "memory.oom_control"
        for _, kind, where in groups:
            if not kind:
                return root / where.lstrip("/") / "memory.events"
    return None


def _count(file: Path | None) -> int | None:
    if file is None:
        return None
    with suppress(OSError):
        found = _OOM_COUNTER.search(file.read_text())
        return int(found[1]) if found else None
    return None


def _named_in_log(pid: int) -> bool:
    """Whether the kernel's log says that it killed this process for want of memory."""
    wanted = re.compile(rb"Killed process %d \(" % pid)
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        while record := os.read(fd, _KMSG_MOST):
            if wanted.search(record):
                return True
    except OSError:  # the end of what there is, or not ours to read
        return False
    finally:
        os.close(fd)
    return False
