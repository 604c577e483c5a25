"""What `ps` and `pgrep -f` show of this process: the arguments that it was started with lie in its memory."""

from __future__ import annotations

import os
from pathlib import Path

ROOM = " " * 2048
"""The last argument of a process that is to have other titles later: so long may they be."""
_ARG_START, _ARG_END = 45, 46  # fields of /proc/pid/stat after the name
_NAME_BYTES = 15


def set_title(words: list[str]) -> None:
    """Show these words as the command line, separated by spaces. Raises OSError where the kernel forbids it."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    # A last byte that is not zero tells the kernel that the area holds one text, up to the first zero.
    text = os.fsencode(" ".join(words))[: end - start - 2]
    memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        os.pwrite(memory, text.ljust(end - start - 1, b"\0") + b".", start)
    finally:
        os.close(memory)


def set_name(name: str) -> None:
    """Show this as the program's name. Raises OSError."""
    Path("/proc/self/comm").write_bytes(os.fsencode(name)[:_NAME_BYTES])
