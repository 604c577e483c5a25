"""A stdout or stderr whose reader is gone must not stop a robot."""

from __future__ import annotations

import errno
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_STREAMS = ((1, "stdout"), (2, "stderr"))


def mute_if_closed(error: Exception) -> bool:
    """Whether the error is print()'s on a stream that nobody reads; that stream then writes to nowhere."""
    if not _may_come_from_print(error):
        return False
    broken = [(fd, name) for fd, name in _STREAMS if _is_broken(fd, getattr(sys, name))]
    for fd, name in broken:
        _mute(fd, name)
    return bool(broken)


def _may_come_from_print(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.EPIPE, errno.EBADF)
    return isinstance(error, ValueError) and "closed file" in str(error)


def _is_broken(fd: int, stream: TextIO | None) -> bool:
    if stream is None:
        return False
    if stream.closed:
        return True
    try:
        if stream.fileno() != fd:
            return False
    except (OSError, ValueError):  # replaced by something without a descriptor
        return False
    poller = select.poll()
    poller.register(fd, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poller.poll(0))


def _mute(fd: int, name: str) -> None:
    # The descriptor, not only the object: what the stream still holds would fail again when the process ends.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)
    if getattr(sys, name).closed:
        setattr(sys, name, open(fd, "w", closefd=False))  # noqa: SIM115 - lives as long as the process
