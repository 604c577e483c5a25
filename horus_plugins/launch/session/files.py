"""Files that a session appends lines to, bounded: the output of its nodes, what it said itself, its events."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST_HELD = 1 << 20


class LineFile:
    """A file of lines with a bounded size: when it is full it becomes `{name}.1`, that one `{name}.2`, and so on.

    A disk that is full, or a folder that was removed, costs lines, which are counted, and never the session.
    """

    def __init__(
        self, path: Path, *, most_bytes: int, older: int = 1, unwritten: set[LineFile] | None = None
    ) -> None:
        """`unwritten`: a set in which it stands while it has lines to flush."""
        self.path = path
        self.lost = 0
        """Lines that could not be written."""
        self._most = most_bytes
        self._older = older
        self._fd = -1
        self._size = 0
        self._held = bytearray()
        self._unwritten: set[LineFile] = set() if unwritten is None else unwritten

    def put(self, line: bytes) -> None:
        """Take a line with its newline; it is written by flush()."""
        if len(self._held) < _MOST_HELD:
            self._held += line
            self._unwritten.add(self)
        else:
            self.lost += 1

    def flush(self) -> None:
        """Write what was put."""
        self._unwritten.discard(self)
        if not self._held:
            return
        data, self._held = bytes(self._held), bytearray()
        try:
            if self._size + len(data) > self._most and self._size:
                self._rotate()
            self._write(data)
        except OSError:
            self.lost += data.count(b"\n")
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        if self._fd < 0 or os.fstat(self._fd).st_nlink == 0:
            self._open()
        written = os.write(self._fd, data)
        if written < len(data):  # all or nothing: half a line would spoil the next
            os.ftruncate(self._fd, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _open(self) -> None:
        self.close()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self.path, _FLAGS, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        self.close()
        self._size = 0
        if not self._older:
            self.path.unlink(missing_ok=True)
            return
        for number in range(self._older, 0, -1):
            with suppress(FileNotFoundError):
                self._named(number - 1).replace(self._named(number))

    def _named(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
