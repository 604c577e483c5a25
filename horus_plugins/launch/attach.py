"""The output of a session again, from the files that it is kept in: for whoever attaches to it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_plugins.launch import asking, manifest
from horus_plugins.launch.output import prefix
from horus_plugins.launch.session.report import label_colour

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_plugins.launch.manifest import Session

_POLL_S = 0.05
_CHUNK = 1 << 16
_TAIL_BYTES = 4096


class _Follower:
    """Reads a file as it grows, also when it is rotated and another takes its name."""

    def __init__(self, path: str, shown: bytes, *, tail: bool) -> None:
        self._path = Path(path)
        self._shown = shown
        self._fd = -1
        self._rest = b""
        self._tail = tail

    def lines(self) -> list[bytes]:
        """The whole lines that came since the last call, labelled."""
        found = self._read()
        if self._was_rotated():
            found += self._read()
            self.close()
            found += self._read()
        return [self._shown + line + b"\n" for line in found]

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self) -> list[bytes]:
        if self._fd < 0 and not self._open():
            return []
        found: list[bytes] = []
        while data := os.read(self._fd, _CHUNK):
            *lines, self._rest = (self._rest + data).split(b"\n")
            found += lines
        return found

    def _open(self) -> bool:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        size = os.fstat(self._fd).st_size
        if self._tail and size > _TAIL_BYTES:
            os.lseek(self._fd, size - _TAIL_BYTES, os.SEEK_SET)
            while os.read(self._fd, 1) not in (b"\n", b""):  # the rest of a line is none
                pass
        self._tail = False
        return True

    def _was_rotated(self) -> bool:
        if self._fd < 0:
            return False
        with suppress(OSError):
            return not os.path.samestat(os.fstat(self._fd), self._path.stat())
        return False


def attach(session: Session, write: Callable[[bytes], object], *, colour: bool) -> None:
    """Write the last lines of every node, and all that come, until the session is over."""
    own = _Follower(session.log, b"", tail=True)
    followers: dict[str, _Follower] = {}
    running = True
    while running:
        # Asked first: what was said before the end is read after it.
        running = asking.is_running(session)
        for number, node in enumerate(_nodes(session)):
            if node.log not in followers:
                shown = prefix(node.name, label_colour(number) if colour else "")
                followers[node.log] = _Follower(node.log, shown, tail=True)
        lines = [line for one in (*followers.values(), own) for line in one.lines()]
        if lines:
            write(b"".join(lines))
        elif running:
            time.sleep(_POLL_S)
    for one in (*followers.values(), own):
        one.close()


def _nodes(session: Session) -> list[manifest.LaunchedNode]:
    """As the manifest has them now: a reload adds some."""
    now = manifest.read(session.namespace, session.session)
    return (now or session).nodes
