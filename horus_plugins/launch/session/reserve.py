"""Room that is kept back in shared memory: when others have filled it, the manifest can still tell what is so."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SPARE = 2
"""As many times what is to be written; a session grows."""


class Reserve:
    """A file without a name that takes up room until it is needed. The kernel frees it when the launcher dies."""

    def __init__(self) -> None:
        self._fd = -1
        self._kept = 0

    def keep(self, folder: Path, size: int) -> None:
        """Keep back enough to replace a file of that size there, if there is so much."""
        if size <= self._kept:
            return
        with suppress(OSError):  # there is not: tried again with the next change
            if self._fd < 0:
                self._fd = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            os.posix_fallocate(self._fd, 0, _SPARE * size)
            self._kept = _SPARE * size

    def give(self) -> None:
        """Make the room free."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
        self._kept = 0

    def close(self) -> None:
        """Keep nothing any more."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._kept = -1, 0
