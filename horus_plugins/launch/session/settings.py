"""What a session is run with, besides its plan."""

from __future__ import annotations

from typing import Any

import msgspec

_IN_SHM = 256 << 10
_ON_DISK = 8 << 20


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a launcher runs a plan."""

    log_dir: str = ""
    """Where the nodes' output is kept, in a folder of the session's name; "": in shared memory, by the manifest."""
    colour: bool = False
    """Whether labels are coloured."""
    hold_fd: int | None = None
    """A descriptor that whoever started the launcher holds the other end of: when it closes the session stops."""
    options: dict[str, Any] = {}
    """What the launch file was read with, kept in the manifest for a reload."""

    @property
    def log_bytes(self) -> int:
        """The most that one file of a node's output takes."""
        return _ON_DISK if self.log_dir else _IN_SHM

    @property
    def log_files(self) -> int:
        """How many files of each node are kept."""
        return 4 if self.log_dir else 2
