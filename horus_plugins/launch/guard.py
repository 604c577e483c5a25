"""A process that outlives its launcher by seconds: if the launcher is killed, it stops what was started.

The kernel sends SIGTERM to the direct children of a launcher that dies (system.die_with). The guard does the
rest: their own children, and whoever does not heed the SIGTERM within 5 seconds.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

from horus_plugins.launch import system

GRACE_S = 5.0
_POLL_S = 0.05
_READY_S = 5.0
_DONE = b"done\n"
_MOST_FDS = (1 << 31) - 1


class Guard:
    """The launcher's end."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._watched: set[int] = set()
        self._start()

    def _start(self) -> None:
        launcher = os.getpid()
        heard, self._told = os.pipe2(os.O_CLOEXEC)
        ready, says = os.pipe2(os.O_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            _guard(heard, says, launcher, self._mark)
        os.close(heard)
        os.close(says)
        # It says that it is in its place by closing its end. Until then it has open what we have, so that we would
        # seem to live on in it, and Ctrl+C is for both of us. Milliseconds, unless somebody stops it at once.
        select.select([ready], [], [], _READY_S)
        os.close(ready)

    @property
    def fd(self) -> int:
        """To be polled: it has something to tell when the guard is dead."""
        return self._told

    def renew(self) -> None:
        """Somebody killed the guard: have another."""
        os.close(self._told)
        with suppress(ChildProcessError):  # whoever reaps all of the launcher's children may have been first
            os.waitpid(self.pid, 0)
        self._start()
        for group in self._watched:
            self._tell(b"%d\n" % group)

    def watch(self, group: int) -> None:
        """Tell the guard of a process group."""
        self._watched.add(group)
        self._tell(b"%d\n" % group)

    def forget(self, group: int) -> None:
        """Tell the guard that nothing is left of a process group: another may get its number."""
        self._watched.discard(group)
        self._tell(b"%d\n" % -group)

    def release(self) -> None:
        """All has ended well: the guard is to end, too. dismiss() waits for that."""
        if self._told >= 0:
            self._tell(_DONE)
            os.close(self._told)
            self._told = -1

    def dismiss(self) -> None:
        """All has ended well: the guard ends, too."""
        self.release()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _tell(self, line: bytes) -> None:
        with suppress(BrokenPipeError):  # somebody killed the guard: see renew()
            os.write(self._told, line)


def _guard(heard: int, says: int, launcher: int, mark: bytes) -> None:
    """The guard's life, in the forked child. Never returns."""
    try:
        _detach(heard, says)
        os.close(says)
        told = _hear(heard)
        if not told.endswith(_DONE):
            while os.getppid() == launcher:  # its files are closed before its children have their SIGTERM
                time.sleep(_POLL_S / 10)
            _stop(_groups(told), mark)
    finally:
        os._exit(0)


def _groups(told: bytes) -> set[int]:
    """The process groups that were told of and not taken back since. A line that was cut off counts for nothing."""
    groups: set[int] = set()
    for number in map(int, told.split(b"\n")[:-1]):
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
    return groups


def _detach(heard: int, says: int) -> None:
    # What the launcher has open is the launcher's: pipes of its children, its locks.
    low, high = sorted((heard, says))
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, _MOST_FDS)
    os.setsid()
    signal.set_wakeup_fd(-1)
    system.set_name("horus-guard")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    # Who reads our launcher's output waits for its end: do not hold it open.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)


def _hear(heard: int) -> bytes:
    """All that the launcher said, when it has ended or died."""
    told = b""
    while data := os.read(heard, 4096):
        told += data
    return told


def _stop(groups: set[int], mark: bytes) -> None:
    # The leaders have had their SIGTERM from the kernel; a second one would cut their shutdown short.
    system.signal_all(system.family(groups, mark) - groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while (left := system.family(groups, mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    system.kill_all(left, lambda: system.family(groups, mark), lambda: time.sleep(_POLL_S / 10))
