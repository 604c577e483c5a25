"""Shared memory objects: made with posix_ipc, sized so that a full /dev/shm fails here and not later."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import posix_ipc

from horus_core.errors import RegionError

if TYPE_CHECKING:
    from collections.abc import Callable

MODE = 0o600
_FOLDER = Path("/dev/shm")


def open_existing(name: str) -> int:
    """A descriptor of the object, which the caller closes.

    Raises posix_ipc.ExistentialError without one, RegionError for one that cannot be opened.
    """
    try:
        return _descriptor(posix_ipc.SharedMemory(f"/{name}"))
    except posix_ipc.ExistentialError:
        raise
    except posix_ipc.PermissionsError:
        raise RegionError(_permission_text(name)) from None
    except (ValueError, OSError) as error:  # a folder, or a symbolic link, of that name
        raise RegionError(
            f"Opening shared memory failed: expected {_FOLDER / name} to be a plain file, got something else "
            f"({error}). Remove it, or use another name."
        ) from None


def create(name: str, size: int, fill: Callable[[int], None]) -> int:
    """Create the object, all of its memory reserved and filled; a descriptor that the caller closes.

    It gets its name only when it is whole, so nobody meets one that a killed process left half-made. The caller
    holds the namespace's lock. Raises RegionError when /dev/shm has no room.
    """
    making = name.partition(".")[0] + ".making"
    try:
        unlink(making)
        fd = _descriptor(posix_ipc.SharedMemory(f"/{making}", posix_ipc.O_CREX, mode=MODE))
    except posix_ipc.PermissionsError:  # another user's leftover
        raise RegionError(_permission_text(making)) from None
    try:
        os.posix_fallocate(fd, 0, size)
        fill(fd)
        (_FOLDER / making).rename(_FOLDER / name)
    except BaseException as error:
        os.close(fd)
        unlink(making)
        if isinstance(error, OSError):
            raise no_room(_FOLDER / name, size, error) from None
        raise
    return fd


def unlink(name: str) -> None:
    """Remove the object's name; who has it mapped keeps it."""
    with suppress(posix_ipc.ExistentialError):
        posix_ipc.unlink_shared_memory(f"/{name}")


def identity(name: str) -> tuple[int, int] | None:
    """(device, inode) of the object, None when there is none."""
    try:
        status = (_FOLDER / name).stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _descriptor(memory: posix_ipc.SharedMemory) -> int:
    fd: int = memory.fd
    os.set_inheritable(fd, False)
    return fd


def _permission_text(name: str) -> str:
    status = (_FOLDER / name).stat()
    return (
        f"Opening shared memory failed: expected a region of user {os.geteuid()}, got one of user "
        f"{status.st_uid} with mode {status.st_mode & 0o777:04o} (file=/dev/shm/{name}, pid={os.getpid()}). "
        "Run as that user, or set HORUS_NAMESPACE to another name."
    )


def no_room(file: Path, size: int, error: OSError) -> RegionError:
    """What to raise where a file of so many bytes cannot be made in /dev/shm."""
    free = os.statvfs(_FOLDER)
    reason = "no room" if error.errno in (errno.ENOSPC, errno.ENOMEM) else os.strerror(error.errno or 0)
    return RegionError(
        f"Creating shared memory failed: expected {size} free bytes in /dev/shm, got "
        f"{free.f_bavail * free.f_frsize}: {reason} (file={file}, pid={os.getpid()}). Run `horus clean`, or "
        "enlarge it (in a container: --shm-size=1g)."
    )
