"""What a process looks after once a second, from whatever loop it is in."""

from __future__ import annotations

from horus_core.shm import pool, process


def look() -> None:
    """Notice files that were removed under this process, and let go of what dead processes left mapped here."""
    process.notice_loss()
    pool.unmap_dead()
