"""What the kernel grants a real-time thread.

Each function acts on the calling thread, or its process, and returns None, or why the kernel refused.
"""

from __future__ import annotations

import os

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
        return f"sched_setscheduler(SCHED_FIFO, {priority}): {error.strerror}"
    return None


def pin(core: int) -> str | None:
    """Run on this core alone."""
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        return f"sched_setaffinity({core}): {error.strerror}"
    return None


def lock_memory() -> str | None:
    """Keep what the process has touched, and will touch, in memory; what it never touches takes none."""
    import ctypes  # noqa: PLC0415 - only where a node asks for it

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        return None
    return f"mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT): {os.strerror(ctypes.get_errno())}"
