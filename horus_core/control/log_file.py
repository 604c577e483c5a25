"""The log of this process in shared memory, which outlives it: `/dev/shm/horus_{ns}/logs/{pid}-{start}-{n}.jsonl`.

A line is a JSON object and one write, so that readers in any language need no lock, and a process killed in the
middle leaves one torn line at the end. The file that is written is locked (flock) for as long as its process lives.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.shm import namespace as namespaces

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "logs"
SUFFIX = ".jsonl"
SEGMENT_BYTES = 2**20
SEGMENTS = 4
"""So many files of that size a process keeps: a new one takes the oldest one's place."""
_EARLY_LINES = 256
"""So many lines are kept until there is a file for them."""
_NS = 1_000_000_000


class LogFiles:
    """The files of this process. Every method is for any thread, and none raises."""

    def __init__(self) -> None:
        self.file = _native.LogFile()
        """A line has a number whether it is stored or not: what is missing is seen, and how much."""
        self._changing = threading.RLock()
        self._namespace: str | None = None
        """Where the process has shown itself; before that there is no file."""
        self._early: deque[bytes] = deque(maxlen=_EARLY_LINES)
        self.look_ns = 0
        """When the file has to be looked at."""
        self._begin()

    def _begin(self) -> None:
        self.pid = os.getpid()
        self.file.begin(self.pid, SEGMENT_BYTES)
        self._start = f"{self.pid}-{time.time_ns():x}"
        self._segment = 0
        self._kept: list[Path] = []

    def begin_anew_in_child(self) -> None:
        """A forked child writes its own file, in the same namespace. The parent's is closed, its lock stays."""
        self._changing = threading.RLock()
        self.file.use(-1)
        self._early.clear()
        self.look_ns = 0
        self._begin()

    def add(self, line: bytes, now_ns: int) -> None:
        """Store a line, which ends in a line feed."""
        if now_ns >= self.look_ns:
            self._look(now_ns)
        try:
            size = self.file.append(line)
        except OSError:
            size = self._make_room_for(line)
        if size < 0:
            self._add_early(line)
        elif size >= SEGMENT_BYTES:
            self._open()

    def _add_early(self, line: bytes) -> None:
        """There is no file yet. Where another thread opens it, it has a moment."""
        with self._changing, suppress(OSError):
            if self.file.append(line) < 0:
                self._early.append(line)

    def show_in(self, namespace: str) -> None:
        """Write to that namespace from now on, what was said before included: the process has joined it.

        There is a file once there is a line.
        """
        if namespace == self._namespace and self.file.linked:
            return
        if self._namespace not in (None, namespace):
            self._early.clear()
        self._namespace, self.look_ns = namespace, 0
        self.file.use(-1)
        if self._early:
            self._open(anew=True)

    def _look(self, now_ns: int) -> None:
        """Once a second: somebody may have removed the file, or there is room for one by now."""
        self.look_ns = now_ns + _NS
        if self._namespace is not None and not self.file.linked:
            self._open(anew=True)

    def _open(self, *, anew: bool = False) -> None:
        """Go on in a new file. Where another thread, or this one below a signal's handler, is at it, do nothing."""
        if not self._changing.acquire(blocking=False):
            return
        try:
            if anew:
                self._kept.clear()
            path, fd = self._make()
        except OSError:  # no room, or the namespace is gone: lines wait for the next look
            if anew:
                self.file.use(-1)
        else:
            self.file.use(fd)
            self._kept.append(path)
            while len(self._kept) > SEGMENTS:
                self._remove_oldest()
            self._store_early()
        finally:
            self._changing.release()

    def _make(self) -> tuple[Path, int]:
        where = namespaces.path(self._namespace or "") / FOLDER
        with suppress(FileExistsError):
            where.mkdir(mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        while True:
            self._segment += 1
            path = where / f"{self._start}-{self._segment}{SUFFIX}"
            fd = os.open(path, flags, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(fd).st_nlink:  # else a cleaner came between: nobody's as yet
                    os.write(fd, self._head())
                    return path, fd
            except BlockingIOError:  # a cleaner looks at it, and removes it
                pass
            except BaseException:
                os.close(fd)
                path.unlink(missing_ok=True)
                raise
            os.close(fd)

    def _head(self) -> bytes:
        about = {
            "horus_log": 1,
            "pid": self.pid,
            "segment": self._segment,
            "command": [argument[:200] for argument in sys.argv[:20]],
        }
        return json.dumps(about).encode() + b"\n"

    def _make_room_for(self, line: bytes) -> int:
        """Shared memory is full: what this process said long ago goes before what it says now."""
        if self._changing.acquire(blocking=False):
            try:
                if len(self._kept) > 1:
                    self._remove_oldest()
                    with suppress(OSError):
                        return self.file.append(line)
            finally:
                self._changing.release()
        return 0

    def _remove_oldest(self) -> None:
        with suppress(OSError):
            self._kept.pop(0).unlink()

    def _store_early(self) -> None:
        with suppress(OSError, IndexError):
            while True:
                self.file.append(self._early[0])
                self._early.popleft()


files = LogFiles()
os.register_at_fork(after_in_child=files.begin_anew_in_child)


def is_locked(file: Path) -> bool:
    """Whether the process that writes the file lives."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def is_in_use(file: Path) -> bool:
    """Whether the process that wrote the file lives, this file being its newest or an older one."""
    start = file.name.rpartition("-")[0]
    return any(is_locked(one) for one in file.parent.glob(f"{start}-*{SUFFIX}"))
