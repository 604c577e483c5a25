"""The logs of a namespace: the files of all its processes, living and dead, as one list by time."""

from __future__ import annotations

import os
import re
import stat
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
    """How many had to make room for newer ones, or went with a file that somebody removed."""
    lost: int
    """How many found no room in shared memory."""


class _Head(msgspec.Struct, frozen=True):
    """The first line of a file: how many lines of its process came before, and how many of these found no room."""

    horus_log: int
    number: int
    lost: int


_lines = msgspec.json.Decoder(LogLine)
_heads = msgspec.json.Decoder(_Head)


class _Segment:
    """One file, and how far it has been read. It is opened for each read: processes come and go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0

    def read(self) -> Iterator[LogLine | _Head]:
        """What has been added since. A line is read when it is whole; what is none is passed over.

        Raises PermissionError for a file that is another user's.
        """
        rest = b""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except PermissionError:
            raise
        except OSError:  # its process has made room, or a cleaner
            return
        try:
            while data := os.pread(fd, _READ_BYTES, self.offset + len(rest)):
                *lines, rest = (rest + data).split(b"\n")
                if len(rest) > _MAX_LINE_BYTES:  # none of ours
                    self.offset, rest = self.offset + len(rest), b""
                for line in lines:
                    decoded = _decoded(line, is_first=not self.offset)
                    self.offset += len(line) + 1
                    if decoded is not None:
                        yield decoded
        finally:
            os.close(fd)


def _decoded(line: bytes, *, is_first: bool) -> LogLine | _Head | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _heads.decode(line) if is_first and line.startswith(b'{"horus_log"') else _lines.decode(line)
    return None


class _Process:
    """The numbers of one process's lines, which stand in its files in their order."""

    def __init__(self, pid: int, *, from_start: bool) -> None:
        self.pid = pid
        self.count = 0
        self._is_asked = from_start
        """Whether what is missing before the first file that is read is asked for."""
        self._last = self._lost = 0
        self._said = Missing(pid, 0, 0)
        self._is_joined = False
        """Whether the number of the line before is known, and a greater step means lines that found no room."""

    def begins(self) -> None:
        """A file is read for the first time, which need not say how many lines came before."""
        self._is_joined = False

    def saw(self, line: LogLine | _Head) -> None:
        """It was read. What is missing within a file found no room; what is missing between two was removed."""
        if isinstance(line, _Head):
            self._lost = line.lost
        else:
            self.count += 1
            if line.number <= self._last:  # written late, by a program that has no lock
                self._lost = max(0, self._lost - 1)
            elif self._is_joined:
                self._lost += line.number - self._last - 1
        self._is_joined = True
        if not self._is_asked:
            self._is_asked = True
            before = line.number - isinstance(line, LogLine)
            self._said = Missing(self.pid, before - self._lost, self._lost)
        self._last = max(self._last, line.number)

    def missing(self) -> Missing:
        """What there should be besides, and has not been said."""
        removed = max(0, self._last - self.count - self._lost)
        return Missing(self.pid, max(0, removed - self._said.removed), max(0, self._lost - self._said.lost))

    def say(self) -> Missing:
        """The same; it is said now."""
        now = self.missing()
        self._said = Missing(self.pid, self._said.removed + now.removed, self._said.lost + now.lost)
        return now


class Reader:
    """Reads the logs of a namespace, again and again."""

    def __init__(self, namespace: str) -> None:
        self._folder = namespaces.path(namespace) / log_file.FOLDER
        self._segments: dict[str, _Segment] = {}
        self._processes: dict[str, _Process] = {}
        self._held: list[LogLine] = []
        self._since_ns = 0
        self._is_older_there = False
        self.unreadable: set[int] = set()
        """Processes whose files are another user's."""

    def read(self, since_ns: int = 0) -> list[LogLine]:
        """What has been logged since the last call, by time; the first time all.

        `since_ns` skips older files, for good.
        """
        self._since_ns = max(self._since_ns, since_ns)
        now_ns = time.time_ns()
        lines, self._held = self._held, []
        for name, path in self._listed():
            lines += self._read(name, path)
        lines.sort(key=lambda line: (line.time_ns, line.pid, line.number))
        return self._until(now_ns, lines)

    @property
    def has_any(self) -> bool:
        """Whether there was a line, or a file that is too old to be read."""
        return self._is_older_there or any(process.count for process in self._processes.values())

    def missing(self) -> list[Missing]:
        """What was not to be found and has not been said, by process; only of those of which something is.

        With what is read it makes all that was logged from the first file on that was read: lines have their numbers
        in the order in which they stand there.
        """
        found = [process.missing() for process in self._processes.values()]
        return [one for one in found if one.removed or one.lost]

    def say_missing(self) -> list[Missing]:
        """The same, which from now on is said."""
        found = [process.say() for process in self._processes.values()]
        return [one for one in found if one.removed or one.lost]

    def _read(self, name: str, path: Path) -> Iterator[LogLine]:
        start = name.rpartition("-")[0]
        pid = int(start.partition("-")[0])
        process = self._processes.get(start)
        if process is None:
            process = self._processes[start] = _Process(pid, from_start=not self._since_ns)
        segment = self._segments.get(name)
        if segment is None:
            segment = self._segments[name] = _Segment(path)
            process.begins()
        try:
            for line in segment.read():
                process.saw(line)
                if isinstance(line, LogLine):
                    yield line
        except PermissionError:
            self.unreadable.add(pid)

    def _until(self, now_ns: int, lines: list[LogLine]) -> list[LogLine]:
        """Those before now: another process may have logged before a line that was read after its file."""
        count = len(lines)
        while count and now_ns <= lines[count - 1].time_ns < now_ns + 10**9:
            count -= 1
        self._held = lines[count:]
        return lines[:count]

    def _listed(self) -> list[tuple[str, Path]]:
        """Files that have grown, a process's in their order.

        They are listed before their sizes are asked for: where there is a newer one, nobody writes to the older.
        """
        with suppress(FileNotFoundError):
            found = [file.name for file in self._folder.iterdir()]
            names = {name: match for name in found if (match := _NAME.fullmatch(name))}
            for gone in self._segments.keys() - names:
                del self._segments[gone]
            order = sorted(names, key=lambda name: (int(names[name][2], 16), int(names[name][3])))
            return [(name, self._folder / name) for name in order if self._has_grown(name)]
        self._segments.clear()
        return []

    def _has_grown(self, name: str) -> bool:
        try:
            status = os.lstat(self._folder / name)
        except FileNotFoundError:
            return False
        known = self._segments.get(name)
        if not stat.S_ISREG(status.st_mode) or status.st_size <= (known.offset if known else 0):
            return False
        is_older = status.st_mtime_ns < self._since_ns
        self._is_older_there = self._is_older_there or is_older
        return not is_older


def follow(reader: Reader, *, is_over: Callable[[], bool]) -> Iterator[tuple[list[LogLine], list[Missing]]]:
    """What is logged from now on, of processes that start later, too; at most so many looks a second.

    With it, once a second, what is missing since that was said last.
    """
    due = 0.0
    while not is_over():
        lines, now = reader.read(), time.monotonic()
        missing = reader.say_missing() if now >= due else []
        due = now + 1 if missing else due
        yield lines, missing
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
