"""Namespaces: which processes share topics, and where their files and regions live.

A namespace is a word in names. Its small files (locks, presence, records) live in `/dev/shm/horus_{ns}/`, a
directory of one user; its regions are POSIX shared memory beside it, `horus_{ns}.topic.cmd_vel`.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core import names
from horus_core.errors import HorusTimeoutError, InvalidNameError, RegionError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "HORUS_NAMESPACE"
SHM = Path("/dev/shm")
_PREFIX = "horus_"
_TOPIC = ".topic."
_LOCK_FILE = "lock"
_LOCK_POLL_S = 0.002
# No topic name contains '+', so one character replaces '/' and the way back is as simple.
_SLASH = "+"


def current() -> str:
    """The namespace of this process: what HORUS_NAMESPACE says, else the service's, else the terminal's."""
    chosen = os.environ.get(VARIABLE)
    if chosen is None:
        return _of_session()
    try:
        return names.namespace_name(chosen)
    except InvalidNameError as error:
        raise InvalidNameError(f"{VARIABLE} is set, but cannot be used. {error}") from None


def _of_session() -> str:
    user = f"uid{os.geteuid()}"
    if "INVOCATION_ID" in os.environ and not _has_terminal():
        # systemd starts every service in a session of its own: by session no two services would meet.
        return f"service_{user}"
    return f"sid{os.getsid(0)}_{user}"


def _has_terminal() -> bool:
    """Whether this session has a controlling terminal, wherever stdin and stdout point."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def path(namespace: str) -> Path:
    """Where the namespace's files are, or would be: nothing is created."""
    return SHM / f"{_PREFIX}{names.namespace_name(namespace)}"


def directory(namespace: str) -> Path:
    """The namespace's directory, created (mode 0700) if it is missing.

    Raises RegionError when the name is taken by another user or by something that is no directory.
    """
    where = path(namespace)
    try:
        where.mkdir(mode=0o700)
    except FileExistsError:
        _require_own_directory(where, namespace)
    except OSError as error:
        raise RegionError(
            f"Creating namespace {namespace!r} failed: expected {where} to be creatable, got "
            f"{error.strerror} (pid={os.getpid()}). Check that {SHM} is mounted, writable and not full, or do "
            "without it, in one process: HORUS_BACKEND=local."
        ) from error
    return where


def require_ours(namespace: str) -> None:
    """Raise RegionError when the namespace exists and is another user's; nothing is created."""
    where = path(namespace)
    if where.exists():
        _require_own_directory(where, namespace)


def _require_own_directory(where: Path, namespace: str) -> None:
    try:
        found = where.lstat()
    except FileNotFoundError:  # a cleaner removed it since
        directory(namespace)
        return
    me = os.geteuid()
    if found.st_uid != me:
        raise RegionError(
            f"Opening namespace {namespace!r} failed: expected {where} to belong to {_user(me)}, got "
            f"{_user(found.st_uid)} (pid={os.getpid()}). Run as {_user(found.st_uid)}, or set {VARIABLE} to "
            f"another name."
        )
    if not stat.S_ISDIR(found.st_mode):
        raise RegionError(
            f"Opening namespace {namespace!r} failed: expected {where} to be a directory, got something else "
            f"(pid={os.getpid()}). Remove it, or set {VARIABLE} to another name."
        )
    if found.st_mode & 0o077:
        where.chmod(0o700)


def _user(uid: int) -> str:
    import pwd  # noqa: PLC0415 - only for an error's text

    try:
        return f"user {pwd.getpwuid(uid).pw_name!r} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def mine() -> list[str]:
    """All namespaces in which this user has files or regions, sorted."""
    found = set()
    with os.scandir(SHM) as entries:
        for entry in entries:
            namespace = entry.name.removeprefix(_PREFIX).partition(".")[0]
            if namespace not in found and _namespace_of(entry.name) is not None and _owned(entry):
                found.add(namespace)
    return sorted(found)


def _namespace_of(entry: str) -> str | None:
    if not entry.startswith(_PREFIX):
        return None
    # A namespace has no dot: the first one ends it.
    namespace = entry[len(_PREFIX) :].partition(".")[0]
    try:
        return names.namespace_name(namespace)
    except InvalidNameError:
        return None


def _owned(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What the entry is, if it is there and this user's."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found if found.st_uid == os.geteuid() else None


def region(namespace: str, kind: str) -> str:
    """The name of one of the namespace's shared memory objects, as `/dev/shm` shows it (no leading slash)."""
    return f"{_PREFIX}{namespace}.{kind}"


def regions(namespace: str) -> list[str]:
    """The names of the namespace's shared memory objects that this user owns, sorted.

    What is no plain file, a folder for one, is none of them, whatever its name: no such thing can be opened as one.
    """
    start = f"{_PREFIX}{names.namespace_name(namespace)}."
    with os.scandir(SHM) as entries:
        return sorted(entry.name for entry in entries if entry.name.startswith(start) and _is_region(entry))


def _is_region(entry: os.DirEntry[str]) -> bool:
    found = _owned(entry)
    return found is not None and stat.S_ISREG(found.st_mode)


def topic_region(namespace: str, topic: str) -> str:
    """The name of a topic's shared memory object: `horus_{ns}.topic.{name}`, flat, never above 190 bytes."""
    return f"{_PREFIX}{namespace}{_TOPIC}{topic.replace('/', _SLASH)}"


def topic_of(region_name: str) -> str | None:
    """The topic whose region has this name; None when it is no topic's region."""
    head, found, escaped = region_name.partition(_TOPIC)
    if not found or _namespace_of(head) is None or "." in head:
        return None
    topic = escaped.replace(_SLASH, "/")
    try:
        return names.topic_name(topic) if not topic.startswith("/") else None
    except InvalidNameError:  # a file that no process of ours made
        return None


@contextmanager
def locked(namespace: str, *, exclusive: bool = True, timeout_s: float = 5.0) -> Iterator[None]:
    """Hold the namespace's lock: shared to create or open what others may clean, exclusive to clean.

    Not re-entrant. Raises HorusTimeoutError, naming the holder if the kernel tells, after `timeout_s`.
    """
    file = _lock(namespace, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, timeout_s)
    try:
        yield
    finally:
        if file in _lock_files:  # not in a child that was forked meanwhile
            fcntl.flock(file, fcntl.LOCK_UN)
            _close_lock_file(file)


_lock_files: set[int] = set()
"""Descriptors of lock files that are open here. The lock belongs to the open file: a child that another thread forks
would keep it when this process is killed. So the child closes them."""


def _close_lock_file(file: int) -> None:
    _lock_files.discard(file)
    os.close(file)


def _close_lock_files_in_child() -> None:
    while _lock_files:
        os.close(_lock_files.pop())


os.register_at_fork(after_in_child=_close_lock_files_in_child)


def _lock(namespace: str, mode: int, timeout_s: float) -> int:
    while True:
        file = _open_lock_file(namespace)
        try:
            _wait_for_flock(namespace, file, mode, timeout_s)
            if _still_named(file, namespace):
                return file
        except BaseException:
            _close_lock_file(file)
            raise
        _close_lock_file(file)


def _open_lock_file(namespace: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        # A cleaner may remove the directory between the two steps; then there is a new one to make.
        with suppress(FileNotFoundError):
            file = os.open(directory(namespace) / _LOCK_FILE, flags, 0o600)
            _lock_files.add(file)
            return file


def _wait_for_flock(namespace: str, file: int, mode: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not _flock_now(file, mode):
        if time.monotonic() >= deadline:
            raise HorusTimeoutError(
                f"Locking namespace {namespace!r} failed: expected the lock within {timeout_s:g} s, got none "
                f"({_holder(file)}). Wait for the holder, or stop it."
            )
        time.sleep(_LOCK_POLL_S)


def _flock_now(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _still_named(file: int, namespace: str) -> bool:
    """Whether the locked file is the one that others will find: a cleaner may have removed it meanwhile."""
    try:
        named = (path(namespace) / _LOCK_FILE).lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(file))


def _holder(file: int) -> str:
    """Who holds the lock, as far as /proc/locks tells (a holder in another pid namespace shows as 0)."""
    target = os.fstat(file)
    where = f"{os.major(target.st_dev):02x}:{os.minor(target.st_dev):02x}:{target.st_ino}"
    try:
        rows = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return "holder unknown"
    for row in rows:
        # "1: FLOCK ADVISORY WRITE 1234 00:1a:5678 0 EOF"; who only waits has "->" in the second column.
        _, kind, *rest = row.split()
        if kind == "FLOCK" and rest[3] == where and rest[2] not in ("0", "-1"):
            return f"held by {_command(rest[2])}pid={rest[2]}"
    return "holder unknown"


def _command(pid: str) -> str:
    try:
        return f"{Path('/proc', pid, 'comm').read_text().strip()!r}, "
    except OSError:
        return ""
