"""Figures of processes and of shared memory, as the kernel tells them in /proc and /dev/shm."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_SHM = Path("/dev/shm")
_PAGE = 1024
_DELETED = " (deleted)"
_LINE = re.compile(r"^(\w+):\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class ProcessSample:
    """One process at one moment. Sizes are KiB."""

    rss: int
    anonymous: int
    """What it has for itself."""
    shared: int
    """Pages of shared memory that it touched."""
    descriptors: int
    threads: int
    maps: int
    """Mappings of the namespace's regions."""
    gone: int
    """Those among them whose file has no name any more."""
    gone_kib: int


@dataclass(frozen=True)
class ShmSample:
    """What of the namespace stands in /dev/shm."""

    files: int
    kib: int
    topics: int
    arenas: int
    records: int
    """Files in the namespace's directory, its lock aside."""


def process(pid: int, namespace: str) -> ProcessSample | None:
    """A sample of a process; None when it has ended."""
    root = Path(f"/proc/{pid}")
    try:
        status = {key: int(value) for key, value in _LINE.findall((root / "status").read_text())}
        maps = (root / "maps").read_text().splitlines()
        descriptors = sum(1 for _ in (root / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if "VmRSS" not in status:
        return None  # a zombie
    ours = [line for line in maps if f"/dev/shm/horus_{namespace}." in line]
    gone = [line for line in ours if line.endswith(_DELETED)]
    return ProcessSample(
        status["VmRSS"], status["RssAnon"], status["RssShmem"], descriptors, status["Threads"], len(ours), len(gone),
        sum(map(_size_kib, gone)),
    )  # fmt: skip


def _size_kib(line: str) -> int:
    start, _, end = line.partition(" ")[0].partition("-")
    return (int(end, 16) - int(start, 16)) // _PAGE


def shm(namespace: str) -> ShmSample:
    """A sample of the namespace's part of /dev/shm."""
    names = []
    blocks = 0
    with os.scandir(_SHM) as entries:
        for entry in entries:
            if entry.name.startswith(f"horus_{namespace}."):
                names.append(entry.name.partition(".")[2])
                blocks += _blocks(Path(entry.path))
    directory = _SHM / f"horus_{namespace}"
    records = [file for file in directory.rglob("*") if file.name != "lock" and not file.is_dir()]
    blocks += sum(map(_blocks, records))
    return ShmSample(
        files=len(names) + len(records),
        kib=blocks // 2,
        topics=sum(name.startswith("topic.") for name in names),
        arenas=sum(name.startswith("pool.") for name in names),
        records=len(records),
    )


def _blocks(file: Path) -> int:
    try:
        return file.stat().st_blocks
    except FileNotFoundError:
        return 0


def left_over(namespace: str) -> list[str]:
    """What of the namespace stands in /dev/shm at all."""
    return sorted(path.name for path in _SHM.glob(f"horus_{namespace}*"))


def as_dict(sample: ProcessSample | ShmSample | None) -> dict[str, Any] | None:
    """As JSON takes it."""
    return None if sample is None else asdict(sample)
