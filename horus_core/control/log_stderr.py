"""Log lines on stderr: for people, or with priorities for the journal. A stderr that nobody reads holds nobody up."""

from __future__ import annotations

import atexit
import fcntl
import io
import os
import stat
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.control import log_text
from horus_core.control.log_file import files

if TYPE_CHECKING:
    from typing import TextIO

_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_NS = 1_000_000_000
_PIPE_BYTES = 2**20
_WITH_ASCII = frozenset({"utf-8", "utf8", "ascii", "us-ascii", "latin-1", "iso-8859-1", "iso8859-1"})
"""Encodings that leave plain text as it is."""


class Stderr:
    """What sys.stderr is now, and how lines get there. Every method is for any thread, and none raises."""

    def __init__(self) -> None:
        self._stream: TextIO | None = None
        self._fd = -1
        """The stream's descriptor where lines go there directly; -1: the stream is some object of the user's."""
        self._is_file = False
        """Which takes as long as its disk; all else is never waited for."""
        self._encoding = "utf-8"
        self._for_journal = False
        self._shown_levels = {name: name.upper() for name in log_text.NAMES}
        self._looked_ns = self._look_ns = 0
        self._second = (0, "")
        self._counting = threading.RLock()
        self.unshown = 0
        """How many lines nobody took in time, since the process began."""
        self._dropped = 0
        """The same since it was said last."""
        self._torn = False
        self._writing = threading.local()

    def begin_anew_in_child(self) -> None:
        """What is shared with the parent is looked at again; what the parent did not show is the parent's to say."""
        self._counting = threading.RLock()
        self._dropped, self._look_ns = 0, 0

    def show(self, level: str, source: str, text: str, trace: str, now_ns: int) -> None:
        """Write a line, or count it where it would have to be waited for."""
        stream: TextIO | None = sys.stderr
        if stream is None or getattr(stream, "closed", False):
            return
        if stream is not self._stream or not self._looked_ns <= now_ns < self._look_ns:
            self._look(stream, now_ns)
        if trace or not text.isprintable():
            text = log_text.laid_out(text, trace)
        if self._for_journal:
            mark = f"<{_PRIORITIES[level]}>"
            line = f"{mark}{source}: {text}\n".replace("\n ", f"\n{mark} ")
        else:
            line = f"{self._time(now_ns)} {self._shown_levels[level]} {source}: {text}\n"
        if self._fd < 0:
            self._write(stream, line)
        else:
            self._offer(line)

    def _look(self, stream: TextIO, now_ns: int) -> None:
        """Once a second, for a program may become a service."""
        fd, for_journal, coloured, is_file = -1, False, False, False
        if stream is sys.__stderr__ and type(stream) is io.TextIOWrapper:
            with suppress(OSError, ValueError):
                fd = stream.fileno()
                for_journal = _is_journal(fd)
                is_file = stat.S_ISREG(os.fstat(fd).st_mode)
                _widen(fd)
                coloured = os.isatty(fd) and not os.environ.get("NO_COLOR")
                coloured = coloured and os.environ.get("TERM") != "dumb"
        for name, colour in _COLOURS.items():
            shown = name.upper()
            self._shown_levels[name] = f"\x1b[{colour}m{shown}\x1b[0m" if coloured else shown
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._is_file = is_file
        self._looked_ns, self._look_ns = now_ns, now_ns + _NS  # both: the clock may be set back
        self._fd, self._for_journal, self._stream = fd, for_journal, stream

    def _time(self, now_ns: int) -> str:
        begin_ns, stamp = self._second
        rest = now_ns - begin_ns
        if not 0 <= rest < _NS:
            rest = now_ns % _NS
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now_ns // _NS))
            self._second = (now_ns - rest, stamp)
        return f"{stamp}.{rest // 1_000_000:03d}"

    def _offer(self, line: str) -> None:
        if self._dropped or self._torn:
            self._offer_after_a_gap(line)
            return
        data = line.encode(self._encoding, "backslashreplace")
        taken = self._taken(data)
        if taken < len(data):
            self.note(taken, len(data))

    def note(self, taken: int, length: int) -> None:
        """The stream took less than all of a line."""
        with self._counting:
            files.file.unaim()  # the next line says what is missing, or begins with the end of this one
            self._torn = taken > 0
            if taken < length - 1:  # else its end alone is missing
                self._drop()

    def aim(self, now_ns: int) -> None:
        """Let the short way have what follows, for as long as nothing is to be looked at."""
        begin_ns, stamp = self._second
        until_ns = min(begin_ns + _NS, self._look_ns)
        if files.is_waiting or self._fd < 0 or self._for_journal or not begin_ns <= now_ns < until_ns:
            return
        if self._encoding.lower() not in _WITH_ASCII:
            return
        levels = tuple(self._shown_levels[name].encode() for name in log_text.NAMES[:4])
        with self._counting:
            if not (self._dropped or self._torn):
                files.file.aim(self._stream, self._fd, self._is_file, stamp, begin_ns, until_ns, levels)

    def _taken(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data) if self._is_file else _native.offer(self._fd, data)
        except OSError:  # closed: there is nobody to say it to
            return len(data)

    def _offer_after_a_gap(self, line: str) -> None:
        with self._counting:
            notice = self._notice()
            data = (notice + line).encode(self._encoding, "backslashreplace")
            taken = self._taken(data)
            if taken >= len(data) - 1:
                self._dropped, self._torn = 0, taken < len(data)
            else:
                self._drop()
                self._torn = self._torn or taken > 0

    def _drop(self) -> None:
        self._dropped += 1
        self.unshown += 1

    def _notice(self) -> str:
        end = "\n" if self._torn else ""
        if not self._dropped:
            return end
        head = "<4>" if self._for_journal else f"{self._time(time.time_ns())} WARNING "
        said = f"{self._dropped} lines are missing here, for nobody read them in time; `horus logs` has them"
        return f"{end}{head}logs: {said}\n"

    def say_what_is_missing(self) -> None:
        """At the end of the process, when no further line says it."""
        if self._dropped and self._fd >= 0:
            self._taken(self._notice().encode())

    def _write(self, stream: TextIO, line: str) -> None:
        """To an object of the user's, which may log what is written to it."""
        if getattr(self._writing, "now", False):
            return
        self._writing.now = True
        try:
            stream.write(line)
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - there is nowhere left to say so
            pass
        finally:
            self._writing.now = False


def _widen(fd: int) -> None:
    """Let a pipe hold more than 64 KiB: who reads it may be late without missing a burst."""
    with suppress(OSError):
        if stat.S_ISFIFO(os.fstat(fd).st_mode) and fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ) < _PIPE_BYTES:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _is_journal(fd: int) -> bool:
    """Whether the stream is systemd's journal, which says so by the device and inode of what it connected."""
    said = os.environ.get("JOURNAL_STREAM", "")
    if not said:
        return False
    status = os.fstat(fd)
    return said == f"{status.st_dev}:{status.st_ino}"


stderr = Stderr()
os.register_at_fork(after_in_child=stderr.begin_anew_in_child)
atexit.register(stderr.say_what_is_missing)
