"""The logs of a namespace: the files of all its processes, living and dead, as one list by time."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from horus_core.control import log_file, log_text
from horus_core.shm import namespace as namespaces
from horus_core.text import plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLLS_A_SECOND = 20
_NAME = re.compile(r"(\d+)-([0-9a-f]+)-(\d+)\.jsonl")
_READ_BYTES = 2**20
_MAX_LINE_BYTES = 2**22
_LEVELS = {name: number for number, name in enumerate(log_text.NAMES)}


class LogLine(msgspec.Struct, frozen=True):
    """What somebody logged. Unlike in the file, nothing is left out."""

    time_ns: int
    """When, in nanoseconds since 1970."""
    number: int
    """The how manieth of its process it is; where a number is missing, a line is."""
    pid: int
    level: Literal["debug", "info", "warning", "error", "critical"]
    text: str
    node: str = ""
    """The node that said it; empty: HORUS itself, or code outside of any node."""
    logger: str = ""
    """Its name in Python's logging."""
    traceback: str = ""

    @property
    def source(self) -> str:
        """Who says it: the node, else the logger without `horus.`."""
        own = self.logger.removeprefix("horus.")
        return self.node if self.node and own.startswith("node.") else own or self.node

    def is_from(self, level: str) -> bool:
        """Whether it is of that level or above."""
        return _LEVELS[self.level] >= _LEVELS[level]


class Missing(msgspec.Struct, frozen=True):
    """Lines of a process that are not there any more, or never were."""

    pid: int
    removed: int
    """How many had to make room for newer ones."""
    lost: int
    """How many found no room in shared memory."""


_decoder = msgspec.json.Decoder(LogLine)


class _Segment:
    """One file, and how far it has been read. It is opened for each read: processes come and go."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> Iterator[LogLine]:
        """What has been added since. A line is read when it is whole; what is none is passed over."""
        rest = b""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # its process has made room, or a cleaner
            return
        try:
            while data := os.pread(fd, _READ_BYTES, self.offset + len(rest)):
                *lines, rest = (rest + data).split(b"\n")
                if len(rest) > _MAX_LINE_BYTES:  # none of ours
                    self.offset, rest = self.offset + len(rest), b""
                for line in lines:
                    self.offset += len(line) + 1
                    decoded = _decoded(line)
                    if decoded is not None:
                        yield decoded
        finally:
            os.close(fd)


def _decoded(line: bytes) -> LogLine | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decoder.decode(line)
    return None


class _Process:
    """The numbers of one process's lines."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.first = self.last = self.count = 0

    def saw(self, number: int) -> None:
        """A line was read."""
        self.first = min(self.first or number, number)
        self.last = max(self.last, number)
        self.count += 1

    def missing(self) -> Missing:
        """What there should be besides."""
        return Missing(self.pid, max(0, self.first - 1), max(0, self.last - self.first + 1 - self.count))


class Reader:
    """Reads the logs of a namespace, again and again."""

    def __init__(self, namespace: str) -> None:
        self._folder = namespaces.path(namespace) / log_file.FOLDER
        self._segments: dict[str, _Segment] = {}
        self._processes: dict[str, _Process] = {}
        self._held: list[LogLine] = []

    def read(self, since_ns: int = 0) -> list[LogLine]:
        """What has been logged since the last call, by time; the first time all. `since_ns` skips older files."""
        now_ns = time.time_ns()
        lines, self._held = self._held, []
        for name, path in self._listed(since_ns):
            for line in self._segment(name, path).read():
                self._processes[name.rpartition("-")[0]].saw(line.number)
                lines.append(line)
        lines.sort(key=lambda line: (line.time_ns, line.pid, line.number))
        return self._until(now_ns, lines)

    @property
    def has_any(self) -> bool:
        """Whether there was a line."""
        return any(process.count for process in self._processes.values())

    def missing(self) -> list[Missing]:
        """What was not to be found, by process; only of those of which something is."""
        found = [process.missing() for process in self._processes.values()]
        return [one for one in found if one.removed or one.lost]

    def _until(self, now_ns: int, lines: list[LogLine]) -> list[LogLine]:
        """Those before now: another process may have logged before a line that was read after its file."""
        count = len(lines)
        while count and now_ns <= lines[count - 1].time_ns < now_ns + 10**9:
            count -= 1
        self._held = lines[count:]
        return lines[:count]

    def _listed(self, since_ns: int) -> list[tuple[str, Path]]:
        """Files that have grown, a process's in their order."""
        found = []
        names = set()
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                match = _NAME.fullmatch(entry.name)
                if match is None or not entry.is_file(follow_symlinks=False):
                    continue
                names.add(entry.name)
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    known = self._segments.get(entry.name)
                    if status.st_size > (known.offset if known else 0) and status.st_mtime_ns >= since_ns:
                        found.append((int(match[2], 16), int(match[3]), entry.name))
        for gone in self._segments.keys() - names:
            del self._segments[gone]
        return [(name, self._folder / name) for _, _, name in sorted(found)]

    def _segment(self, name: str, path: Path) -> _Segment:
        found = self._segments.get(name)
        if found is None:
            found = self._segments[name] = _Segment(path)
            start = name.rpartition("-")[0]
            self._processes.setdefault(start, _Process(int(start.partition("-")[0])))
        return found


def follow(reader: Reader, *, is_over: Callable[[], bool]) -> Iterator[list[LogLine]]:
    """What is logged from now on, of processes that start later, too; at most so many looks a second."""
    while not is_over():
        yield reader.read()
        time.sleep(1 / POLLS_A_SECOND)


def elsewhere(but: str) -> dict[str, int]:
    """The other namespaces of this user that have logs, and of how many processes."""
    counts = {}
    for other in namespaces.mine():
        folder = namespaces.path(other) / log_file.FOLDER
        starts = {file.name.rpartition("-")[0] for file in folder.glob(f"*{log_file.SUFFIX}")}
        if starts and other != but:
            counts[other] = len(starts)
    return counts


def shown(line: LogLine, level: str) -> str:
    """A line for people: date, level (as it is to look), who, and the text, which cannot forge another one."""
    second, rest = divmod(line.time_ns, 10**9)
    stamp = _stamp(second)
    text = log_text.laid_out(line.text, line.traceback)
    return f"{stamp}.{rest // 10**6:03d} {level} {plain_name(line.source)}[{line.pid}]: {text}"


@lru_cache(maxsize=8)
def _stamp(second: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
    except (OverflowError, ValueError, OSError):  # nobody's clock says so
        return f"@{second}"
