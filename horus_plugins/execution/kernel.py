"""What the kernel grants a real-time thread.

Each function acts on the calling thread, or its process, and returns None, or why the kernel refused.
"""

from __future__ import annotations

import os
import resource

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4

FIX = {
    "SCHED_FIFO": (
        "Allow it: in a systemd unit AmbientCapabilities=CAP_SYS_NICE or LimitRTPRIO=99; for a user, "
        "'@robot - rtprio 99' in /etc/security/limits.conf."
    ),
    "locked memory": (
        "Allow it: in a systemd unit AmbientCapabilities=CAP_IPC_LOCK or LimitMEMLOCK=infinity; for a user, "
        "'@robot - memlock unlimited' in /etc/security/limits.conf."
    ),
    "core": "Name a core that this machine has and this process may use (taskset -p, AllowedCPUs=).",
}


def set_fifo(priority: int) -> str | None:
    """SCHED_FIFO with that priority, which children do not inherit."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        allowed = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
        asked = f" for priority {priority}" if allowed else ""
        return f"{error.strerror}{asked}: RLIMIT_RTPRIO is {allowed}"
    return None


def pin(core: int) -> str | None:
    """Run on this core alone."""
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        return f"{error.strerror} for core {core}: this process may use {sorted(os.sched_getaffinity(0))}"
    return None


def lock_memory() -> str | None:
    """Keep what the process has touched, and will touch, in memory; what it never touches takes none."""
    import ctypes  # noqa: PLC0415 - only where a node asks for it

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        return None
    allowed = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    return f"{os.strerror(ctypes.get_errno())}: RLIMIT_MEMLOCK is {allowed} bytes"


def unlock_memory() -> None:
    """Let memory be swapped again."""
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None).munlockall()


def has_locked_memory() -> bool:
    """Whether the process has locked memory, by us or by itself."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - once, and pathlib costs more
        return any(line.startswith("VmLck:") and line.split()[1] != "0" for line in status)
