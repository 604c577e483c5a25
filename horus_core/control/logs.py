"""Logs: what nodes and the framework say, through stdlib logging, and on stderr from the level that is set.

The level is HORUS_LOG, or HORUS_LOG_LEVEL, else info. A stderr that is closed loses lines, never a tick.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from types import CodeType
    from typing import TextIO

VARIABLES = ("HORUS_LOG", "HORUS_LOG_LEVEL")
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_ROOT = "horus"


class NodeLog:
    """The log of one node. Levels are checked first: a line below the level costs a dictionary look-up."""

    __slots__ = ("_last", "_logger")

    def __init__(self, node: str) -> None:
        self._logger = logger(f"node.{node}")
        self._last: dict[tuple[CodeType, int], float] = {}

    def debug(self, message: str) -> None:
        """Log at level debug."""
        self.write(logging.DEBUG, message)

    def warning(self, message: str) -> None:
        """Log at level warning."""
        self.write(logging.WARNING, message)

    def error(self, message: str, every: float | None = None, *, exc: BaseException | None = None) -> None:
        """Log at level error, with the traceback of `exc`."""
        self.write(logging.ERROR, message, every, exc)

    def write(
        self, level: int, message: str, every: float | None = None, exc: BaseException | None = None
    ) -> None:
        """Log what the caller's caller says; at most once in `every` seconds for each line of its code."""
        if self._logger.isEnabledFor(level) and (every is None or self._is_due(every)):
            self._logger.log(level, "%s", message, exc_info=exc)

    def _is_due(self, every: float) -> bool:
        # By place and not by text: texts that are throttled often hold a figure that differs each time.
        frame = sys._getframe(3)  # noqa: SLF001 - _is_due, write, log_info, and the line that calls it
        place = (frame.f_code, frame.f_lineno)
        now = time.monotonic()
        last = self._last.get(place)
        if last is not None and now - last < every:
            return False
        self._last[place] = now
        return True


def logger(name: str) -> logging.Logger:
    """The logger `horus.<name>`; the first call sets up the level and the lines on stderr."""
    root = logging.getLogger(_ROOT)
    if not any(isinstance(handler, _StderrHandler) for handler in root.handlers):
        root.setLevel(level())
        root.addHandler(_StderrHandler())
    return logging.getLogger(f"{_ROOT}.{name}")


def level() -> int:
    """The level that the environment asks for."""
    for variable in VARIABLES:
        text = os.environ.get(variable)
        if text:
            if text.lower() not in _LEVELS:
                raise ConfigError(f"Bad {variable}: expected one of {', '.join(_LEVELS)}, got {text!r}.")
            return _LEVELS[text.lower()]
    return logging.INFO


class _StderrHandler(logging.Handler):
    """Writes to whatever sys.stderr is now, and survives its end."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr
        if stream is None or _root_writes_to(stream):
            return
        try:
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - there is nowhere left to say so
            pass


def _root_writes_to(stream: TextIO) -> bool:
    """Whether the user's own logging set-up prints the same records on the same stream."""
    return any(
        isinstance(handler, logging.StreamHandler) and handler.stream is stream
        for handler in logging.getLogger().handlers
    )


class _Formatter(logging.Formatter):
    """`2026-01-31 12:00:00.123 INFO camera: text`."""

    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(source)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.source = record.name.removeprefix(f"{_ROOT}.").removeprefix("node.")
        return super().format(record)
