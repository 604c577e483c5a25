"""Logs: what nodes, HORUS and the user's stdlib logging say, on stderr and in the namespace's shared memory.

The level is HORUS_LOG, or HORUS_LOG_LEVEL, else info; it holds for both. A node's line takes a short way past stdlib
logging as long as nobody listens there; a handler of the user's, on whatever logger, gets it as ever.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING

from horus_core.control import log_text
from horus_core.control.log_file import files
from horus_core.control.log_stderr import stderr
from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

VARIABLES = ("HORUS_LOG", "HORUS_LOG_LEVEL")
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_ROOT = "horus"
_NODE = "horus.node."
_MAX_TEXT = 64 * 1024
"""Characters of a text, and of a traceback, that a file keeps."""
_NO_ROOM_EVERY_S = 60.0
_no_room_said = -_NO_ROOM_EVERY_S


class NodeLog:
    """The log of one node."""

    __slots__ = ("_due", "_heads", "_logger", "_node", "_short", "_source")

    def __init__(self, node: str) -> None:
        self._node = node
        self._logger = logger(f"node.{node}")
        self._heads = {number: _head(name, node, _NODE + node) for number, name in _NAME_OF.items()}
        self._short = {number: head.encode() for number, head in self._heads.items()}
        self._source = f"{node}: ".encode() if node.isascii() else b""
        self._due: dict[tuple[CodeType, int], float] = {}

    @property
    def levels(self) -> dict[int, bool] | None:
        """Which levels are wanted, kept true by stdlib logging; what does not stand in it has to be asked for."""
        found = getattr(self._logger, "_cache", None)
        return found if isinstance(found, dict) else None

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
        """Log what the caller says; at most once in `every` seconds for each line of its code."""
        logger = self._logger
        if not logger.isEnabledFor(level) or (every is not None and not self._is_due(every)):
            return
        if _is_heard(logger):
            logger.log(level, "%s", message, exc_info=exc)
            return
        text = message if type(message) is str else _text_of(message)
        if exc is None and (done := files.file.line(level, text, self._short[level], self._source)):
            if type(done) is tuple:
                _note(*done)
            return
        now_ns = time.time_ns()
        trace = "" if exc is None else _trace(exc)
        _store(self._heads[level], text, trace, now_ns)
        stderr.show(_NAME_OF[level], self._node, text, trace, now_ns)
        stderr.aim(now_ns)

    def _is_due(self, every: float) -> bool:
        # By place and not by text: texts that are throttled often hold a figure that differs each time.
        frame = sys._getframe(2)  # noqa: SLF001 - _is_due, write, and the line that logs: log_info() is no frame
        place = (frame.f_code, frame.f_lineno)
        now = time.monotonic()
        if now < self._due.get(place, now):
            return False
        try:
            self._due[place] = now + every
        except TypeError:
            raise TypeError(f"Bad every= of a log line: expected seconds, got {every!r}.") from None
        return True


_NAME_OF = {
    number: log_text.name_of(number)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
}


def logger(name: str) -> logging.Logger:
    """The logger `horus.<name>`; the first call sets logging up."""
    set_up()
    return logging.getLogger(f"{_ROOT}.{name}")


def set_up() -> None:
    """Have the lines of `horus` and its loggers written, and store what others log by way of stdlib logging.

    Raises ConfigError for a level that does not exist. What was set up stays as it is.
    """
    root = logging.getLogger(_ROOT)
    if any(isinstance(handler, _Handler) for handler in root.handlers):
        return
    root.setLevel(level())
    root.addHandler(_Handler())
    if logging.lastResort is not None and type(logging.lastResort).__module__ == "logging":
        logging.lastResort = _LastResort(logging.lastResort.level)
    logging.setLogRecordFactory(_observed(logging.getLogRecordFactory()))


def show_in(namespace: str) -> None:
    """What this process logs is stored in that namespace, which it has joined, or a process that it works for."""
    set_up()
    files.show_in(namespace)


def level() -> int:
    """The level that the environment asks for."""
    for variable in VARIABLES:
        text = os.environ.get(variable)
        if text:
            if text.lower() not in _LEVELS:
                raise ConfigError(f"Bad {variable}: expected one of {', '.join(_LEVELS)}, got {text!r}.")
            return _LEVELS[text.lower()]
    return logging.INFO


def _is_heard(logger: logging.Logger) -> bool:
    """Whether somebody besides HORUS listens to the logger, or filters it."""
    at: logging.Logger | None = logger
    while at is not None:
        if at.filters:
            return True
        if at.handlers and not (at.name == _ROOT and len(at.handlers) == 1):
            return True
        if not at.propagate:
            return at.name != _ROOT
        at = at.parent
    return False


def _head(level: str, node: str, logger: str) -> str:
    return f'"level":"{level}","node":{quoted(node)},"logger":{quoted(logger)},"text":'


def _store(head: str, text: str, trace: str, now_ns: int) -> None:
    if len(text) > _MAX_TEXT or len(trace) > _MAX_TEXT or not text.isascii() or not trace.isascii():
        text, trace = _cut(text), _cut(trace)
    more = f',"traceback":{quoted(trace)}' if trace else ""
    line = f'"time_ns":{now_ns},"pid":{files.pid},{head}{quoted(text)}{more}}}\n'
    if not files.add(line):
        _say_that_there_is_no_room(now_ns)


def _note(is_stored: bool, taken: int, length: int) -> None:
    """A line that went the short way was lost, or stderr took less than all of it."""
    if taken < length:
        stderr.note(taken, length)
    if not is_stored:
        _say_that_there_is_no_room(time.time_ns())


def _say_that_there_is_no_room(now_ns: int) -> None:
    """Once a minute at most, on stderr; readers count by the numbers."""
    global _no_room_said  # noqa: PLW0603 - of the process, as are its files
    now = time.monotonic()
    if now >= _no_room_said + _NO_ROOM_EVERY_S:
        _no_room_said = now
        where = f"namespace {files.namespace!r}"
        text = f"no room for lines in {where}: {files.trouble}. They are shown here alone; `horus logs` counts them."
        stderr.show("warning", "logs", text, "", now_ns)


def _text_of(message: object) -> str:
    """A string, whatever the user's object does: what is logged on the way to handle a fault must not be another."""
    try:
        return str.__str__(str(message))
    except Exception as error:  # noqa: BLE001 - of the user's object
        return f"<{type(message).__name__}, whose str() fails: {type(error).__name__}>"


def _cut(text: str) -> str:
    """Not too long, and without halves of characters, which JSON cannot hold."""
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]} ... ({len(text)} characters)"
    return text.encode(errors="backslashreplace").decode()


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _store_record(record: logging.LogRecord, node: str = "") -> tuple[str, str, str]:
    """Store what stdlib logging made; its level, text and traceback."""
    name, text, trace = _said(record)
    _store(_head(name, node, _cut(record.name)), text, trace, time.time_ns())
    return name, text, trace


def _said(record: logging.LogRecord) -> tuple[str, str, str]:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - of the user's format or object
        text = f"{_text_of(record.msg)} (its values do not fit: {type(error).__name__}: {_text_of(error)})"
    trace = record.stack_info or ""
    if record.exc_info and record.exc_info[1] is not None:
        trace = _trace(record.exc_info[1])
    return log_text.name_of(record.levelno), text, trace


class _Handler(logging.Handler):
    """Of the logger `horus`: stores a line, and writes it to stderr."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Without the lock of a handler: the values of a record are objects of the user's."""
        if record.levelno < self.level or not self.filter(record):
            return False
        source = record.name.removeprefix(f"{_ROOT}.")
        node = record.name.removeprefix(_NODE) if record.name.startswith(_NODE) else ""
        name, text, trace = _store_record(record, node)
        if not _root_writes_to_stderr():
            stderr.show(name, node or source, text, trace, time.time_ns())
        return True


class _LastResort(logging.Handler):
    """Writes what nobody else handles, as stdlib logging does, with date, level and source."""

    def handle(self, record: logging.LogRecord) -> bool:
        """It is stored already."""
        if not self.filter(record):
            return False
        name, text, trace = _said(record)
        stderr.show(name, record.name, text, trace, time.time_ns())
        return True


def _observed(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """A factory of records that stores those of others' loggers.

    Not a handler of the root logger: with one there, the user's `logging.basicConfig()` would do nothing.
    """

    def made(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        is_others = record.name and not f"{record.name}.".startswith(f"{_ROOT}.")
        if is_others and record.levelno >= logging.getLogger(_ROOT).getEffectiveLevel():
            _store_record(record, _node_here())
        return record

    return made


def _node_here() -> str:
    """The node whose callback runs on this thread."""
    clock = sys.modules.get("horus_core.scheduler.clock")
    loop = None if clock is None else clock.here()
    entry = None if loop is None else loop.current
    return entry.node.name if entry is not None and entry.node.info is not None else ""


def _root_writes_to_stderr() -> bool:
    """Whether the user's own logging set-up prints the same records on the same stream."""
    return any(
        isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
        for handler in logging.getLogger().handlers
    )
