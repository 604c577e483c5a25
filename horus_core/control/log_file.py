"""The log of this process in shared memory, which outlives it: `/dev/shm/horus_{ns}/logs/{pid}-{start}-{n}.jsonl`.

A line is a JSON object and one write, so that readers in any language need no lock, and a process killed in the
middle leaves one torn line at the end. The file that is written is locked (flock) for as long as its process lives.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.shm import namespace as namespaces

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "logs"
SUFFIX = ".jsonl"
SEGMENT_BYTES = 2**20
"""So large a file grows; a line that is larger has a file for itself."""
SEGMENTS = 4
"""So many files of that size a process keeps: a new one takes the oldest one's place."""
_EARLY_LINES = 256
_EARLY_CHARACTERS = 2**18
"""So much is kept until there is a file for it."""


class LogFiles:
    """The files of this process. Every method is for any thread, a signal's handler too, and none raises.

    There is no lock: what has to be one step is one call of the native part.
    """

    def __init__(self) -> None:
        self.file = _native.LogFile(SEGMENT_BYTES, SEGMENTS)
        self.namespace: str | None = None
        """Where the process has shown itself; before that there is no file."""
        self._early: deque[str] = deque()
        self.pid = os.getpid()

    def begin_anew_in_child(self) -> None:
        """A forked child writes its own file, in the same namespace. The parent's is closed, its lock stays."""
        self.pid = os.getpid()
        self._early.clear()
        self.file.use(None, b"")
        if self.namespace is not None:
            self._use(self.namespace)

    def add(self, line: str) -> bool:
        """Store an object without its `{`, with its line feed. False: lost; one that waits for a file is not."""
        stored = self.file.write(line)
        if stored < 0:
            self._wait_for_a_file(line)
        elif self._early:
            self._store_early()
        return stored != 0

    @property
    def is_waiting(self) -> bool:
        """Whether there are lines for which there is no file yet."""
        return bool(self._early)

    @property
    def trouble(self) -> str:
        """Why the line that was lost last was."""
        return os.strerror(self.file.error)

    def show_in(self, namespace: str) -> None:
        """Write to that namespace from now on, what was said before included: the process has joined it.

        There is a file once there is a line.
        """
        if namespace != self.namespace:
            if self.namespace is not None:
                self._early.clear()
            self.namespace = namespace
            self._use(namespace)
        if self._early:
            self._store_early()

    def _use(self, namespace: str) -> None:
        about = {
            "horus_log": 1,
            "pid": self.pid,
            "command": [_plain(argument) for argument in sys.argv[:20]],
        }
        stem = namespaces.path(namespace) / FOLDER / f"{self.pid}-{time.time_ns():x}"
        self.file.use(str(stem), json.dumps(about).encode()[:-1])

    def _wait_for_a_file(self, line: str) -> None:
        early = self._early
        early.append(line)
        self.file.unaim()  # the short way would leave these waiting when there is a file
        while len(early) > _EARLY_LINES or sum(map(len, tuple(early))) > _EARLY_CHARACTERS:
            try:
                early.popleft()
            except IndexError:  # another thread stored them
                return
            self.file.lose()

    def _store_early(self) -> None:
        while True:
            try:
                line = self._early.popleft()
            except IndexError:
                return
            if self.file.write(line) < 0:
                self._early.appendleft(line)
                return


def _plain(argument: object) -> str:
    return str(argument)[:200].encode(errors="backslashreplace").decode()


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
