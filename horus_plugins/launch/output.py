"""Output of several processes through one pair of streams: whole lines, each with its label.

Bytes pass as they came: what a node prints need not be UTF-8. Nobody waits for a reader that does not read:
a robot must not stop because a terminal is held with Ctrl+S or a pager shows its first page.
"""

from __future__ import annotations

import os
import select
import stat
import time
from typing import IO, NamedTuple, Protocol

# A write of at most PIPE_BUF bytes to a pipe that poll() calls writable cannot block.
_PIPE_CHUNK = 4096
_FILE_CHUNK = 1 << 16
_READ_SIZE = 1 << 16
_LONGEST_LINE = 1 << 16
# A pipe holds at most 1 MiB; more than that comes from somebody who is still writing.
_READS_TO_DRAIN = 17
_ENOUGH_QUEUED = 1 << 20
_STUCK_AFTER_S = 1.0
_FINISH_POLL_MS = 50


class Sink:
    """Our own stdout or stderr: takes lines at any time, writes them when somebody reads.

    Above 1 MiB of backlog the processes have to wait, as in any pipeline; once nobody has read for a second
    they do not wait any longer: lines are dropped, counted, and the count is shown.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.closed = False
        self._queue = bytearray()
        self._lost = 0
        self._progress = time.monotonic()
        self._chunk = _FILE_CHUNK if stat.S_ISREG(os.fstat(fd).st_mode) else _PIPE_CHUNK

    @property
    def pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._queue)

    @property
    def accepting(self) -> bool:
        """Whether the processes' output should be read now; False makes them wait."""
        return len(self._queue) < _ENOUGH_QUEUED or self._stuck

    @property
    def _stuck(self) -> bool:
        return bool(self._queue) and time.monotonic() - self._progress > _STUCK_AFTER_S

    def put(self, line: bytes) -> None:
        """Queue a line, or count it as lost when the reader is stuck."""
        if self.closed:
            return
        if len(self._queue) >= _ENOUGH_QUEUED and self._stuck:
            self._lost += 1
            return
        if not self._queue:
            self._progress = time.monotonic()
        if self._lost:
            self._queue += b"horus: %d lines lost here: nobody read them\n" % self._lost
            self._lost = 0
        self._queue += line

    def write(self) -> None:
        """Write a piece. To be called when poll() says that the stream takes one (or is broken)."""
        try:
            written = os.write(self.fd, memoryview(self._queue)[: self._chunk])
        except BlockingIOError:
            return
        except OSError:  # the reader has gone: EPIPE, or EIO of a terminal that hung up
            self.closed = True
            self._queue.clear()
            return
        del self._queue[:written]
        self._progress = time.monotonic()

    def push(self) -> None:
        """Write what the stream takes now."""
        if self.pending:
            poll = select.poll()
            poll.register(self.fd, select.POLLOUT)
            while self.pending and poll.poll(0):
                self.write()

    def finish(self) -> None:
        """Write all that is queued; give up when nobody reads."""
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        self._progress = time.monotonic()
        while self.pending and not self._stuck:
            if poll.poll(_FINISH_POLL_MS):
                self.write()


class LineLog(Protocol):
    """A file that keeps lines, too."""

    def put(self, line: bytes) -> None:
        """Keep a line, which ends with a newline. Never waits, never raises."""


class Outlet(NamedTuple):
    """Where the lines of a process go."""

    prefix: bytes
    """What each line starts with on the terminal: the label."""
    sink: Sink
    log: LineLog | None = None
    """Gets the lines without the prefix."""


def prefix(label: str, colour: str = "") -> bytes:
    """What the lines of a process start with; the colour is a number of ECMA-48, such as "32"."""
    shown = f"\x1b[{colour}m[{label}]\x1b[0m " if colour else f"[{label}] "
    return shown.encode(errors="surrogateescape")


class LineReader:
    """One stream of a process: cuts it into lines and hands each to its outlet."""

    def __init__(self, stream: IO[bytes], outlet: Outlet) -> None:
        os.set_blocking(stream.fileno(), False)
        self.fd = stream.fileno()
        self.sink = outlet.sink
        self.open = True
        self.taken = 0
        """Bytes that the last read() brought."""
        self._stream = stream
        self._outlet = outlet
        self._rest = b""

    def read(self) -> bool:
        """Take what is there. False when there is nothing now, or never will be again (then it is closed)."""
        self.taken = 0
        try:
            data = os.read(self.fd, _READ_SIZE)
        except BlockingIOError:
            return False
        self.taken = len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._rest) > _LONGEST_LINE:
            self.flush()
        if not data:
            self.close()
        return self.open

    def drain(self) -> None:
        """Take what is there, and show an unfinished last line."""
        for _ in range(_READS_TO_DRAIN):
            if not self.open or not self.read():
                break
        self.flush()

    def close(self) -> None:
        """Show an unfinished last line and let go of the stream."""
        self.flush()
        self.open = False
        self._stream.close()

    def flush(self) -> None:
        """Show an unfinished last line."""
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        prefix, sink, log = self._outlet
        sink.put(prefix + line + b"\n")
        if log is not None:
            log.put(line + b"\n")


def open_sinks() -> tuple[Sink, Sink]:
    """The sinks of stdout and stderr: one and the same when both lead to one place, so that order is kept."""
    out = Sink(_usable(1))
    err = Sink(_usable(2))
    same = os.path.sameopenfile(out.fd, err.fd)
    return out, out if same else err


def _usable(fd: int) -> int:
    """The descriptor, or /dev/null under its number when we were started with it closed."""
    try:
        os.fstat(fd)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        if null != fd:
            os.dup2(null, fd)
            os.close(null)
    return fd
