"""The lock of a handle that opens its topic, and what is logged meanwhile."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger("horus")


class Opening:
    """Held by the thread that opens a handle's topic; threads may share a handle, one opens it.

    What is logged inside comes out when the lock is free: a log handler is a user's code, and may open topics or
    wait for a thread that needs this very handle.
    """

    def __init__(self) -> None:
        # Of a kind that the same thread may take again: a signal's handler may use the handle in the middle.
        self._lock = threading.RLock()
        self._depth = 0
        self._lines: list[tuple[int, str, tuple[object, ...]]] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        lines: list[tuple[int, str, tuple[object, ...]]] = []
        if self._depth == 0:
            lines, self._lines = self._lines, lines
        self._lock.release()
        for level, text, values in lines:
            _log.log(level, text, *values)

    def log(self, level: int, text: str, *values: object) -> None:
        """Log the line when the lock is let go. The caller holds it."""
        self._lines.append((level, text, values))
