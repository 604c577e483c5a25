"""The machine that was measured: its cores, its load, and what a run may have left on it."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
from pathlib import Path

SHM = Path("/dev/shm")
PR_SET_PDEATHSIG = 1


class TooFewCoresError(RuntimeError):
    """Two processes that poll need a core each."""


def two_cores() -> tuple[int, int]:
    """The two cores that pairs of processes are pinned to."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise TooFewCoresError(f"expected two cores to pin a pair of processes to, got {len(cores)}: {cores}")
    return cores[0], cores[1]


def load() -> str:
    """The load averages: who else was at work."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def describe() -> dict[str, str]:
    """What to print above a table, so that its figures can be read elsewhere."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Processor")):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": f"{os.cpu_count()} x {model}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": load(),
    }


def prepare_child(core: int | None) -> None:
    """In a new process before its program starts: it dies with the harness and keeps to its core."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if core is not None:
        os.sched_setaffinity(0, {core})


def shared_memory(namespace: str) -> dict[str, int]:
    """The sizes of all shared memory objects of a namespace, and of the files in its folder."""
    sizes = {}
    for path in SHM.glob(f"horus_{namespace}*"):
        files = [path] if path.is_file() else path.rglob("*")
        sizes.update({str(file.relative_to(SHM)): file.stat().st_size for file in files if file.is_file()})
    return sizes


def remove_leftovers(prefix: str) -> list[str]:
    """Removes what a run left in shared memory under its own prefix, and says what it was."""
    left = []
    for path in [*SHM.glob(f"horus_{prefix}*"), *SHM.glob(f"{prefix}*"), *Path("/tmp").glob(f"{prefix}*")]:
        left.append(str(path))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return left


def remove_dead_runs(stem: str) -> list[str]:
    """Removes what killed runs left: their prefix is the stem and the id of a process that is gone."""
    left = []
    for path in [*SHM.glob(f"*{stem}*"), *Path("/tmp").glob(f"{stem}*")]:
        pid = path.name.partition(stem)[2].partition("_")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            left += remove_leftovers(f"{stem}{pid}_")
    return left
