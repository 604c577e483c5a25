"""What PYTHONUNBUFFERED=1 makes of stdout and stderr, which every image of a container has, but with whole writes.

Python then writes to the file itself, once, and what the kernel did not take is lost: it takes 64 KiB of a long write
to a pipe, and no more, when the process is stopped and continued meanwhile (Ctrl+Z and fg, SIGSTOP).
"""

from __future__ import annotations

import sys
from errno import EAGAIN
from io import FileIO, TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Whole(FileIO):
    """A file without a buffer that writes all or raises."""

    def write(self, data: Buffer, /) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            taken = super().write(view[done:])
            if taken is None:  # somebody has made the pipe non-blocking; Python's buffers say it in this way
                raise BlockingIOError(EAGAIN, "write could not complete without blocking", done)
            done += taken
        return done


def write_whole(name: str) -> None:
    """Replace sys.stdout or sys.stderr where Python has not given it a buffer; else nothing is done."""
    stream = getattr(sys, name)
    if not isinstance(stream, TextIOWrapper) or not isinstance(stream.buffer, FileIO):
        return
    file = _Whole(stream.fileno(), "wb", closefd=False)
    whole = TextIOWrapper(file, stream.encoding, stream.errors, write_through=True)
    setattr(sys, name, whole)
