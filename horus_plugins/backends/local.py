"""Topics of one process."""

from __future__ import annotations

from typing import ClassVar

from horus_core.backends.private import PrivateBackend


class Local(PrivateBackend):
    """Topics that stay in this process: for tests, deterministic runs, and places without /dev/shm."""

    name = "local"
    across_processes: ClassVar[bool] = False
