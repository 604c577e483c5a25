"""Removing what no living process uses: regions of topics, arenas of dead writers, then the namespace itself.

Liveness is the kernel's word (locks held by processes, horus/member.h), never a pid. The namespace's lock is
held exclusively, so nobody opens what is being removed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import posix_ipc

from horus_core import _native
from horus_core.control import log_file, room
from horus_core.errors import HorusError, RegionError
from horus_core.params import reach
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger("horus")

_POOL = re.compile(r"pool\.(\d+)-(\d+)\.\d+")
_LAUNCH = "launch"
_ESTOP = "_horus.estop"
_OF_THE_LIVING = (f"/{room.FOLDER}/", f"/{reach.FOLDER}/")
"""What lies there is of no use once its process has ended, and goes at once."""
_RECORDS_MAX_AGE_S = 24 * 3600
_RECORDS_MAX_BYTES = 64 * 2**20
_QUIET_LOCK_S = 0.5


def clean(
    only: Iterable[str] | None = None, *, records: bool = False, dry_run: bool = False, timeout_s: float = 5.0
) -> list[str]:
    """Remove what no living process uses, in the given namespaces or in all of this user's.

    `records` removes the records of dead nodes and launches, too, which otherwise stay for 24 h. Returns the
    names of what was removed (with `dry_run`: would be), as they stand in /dev/shm.
    """
    removed: list[str] = []
    left_out: list[str] = []
    for namespace in namespaces.mine() if only is None else only:
        if not namespaces.path(namespace).exists() and not namespaces.regions(namespace):
            continue
        with namespaces.locked(namespace, timeout_s=timeout_s):
            try:
                sweep = _Sweep(namespace, records=records, dry_run=dry_run)
            except RegionError as error:  # living processes of another version: all of it is theirs
                left_out.append(f"Cleaning namespace {namespace!r} was left out: {error}")
                continue
            removed += sweep.run()
    for line in left_out:
        _log.debug("%s", line)
    return removed


def clean_quietly(only: Iterable[str] | None = None) -> None:
    """Clean as every command and every run does at its start; trouble is nobody's trouble but the cleaner's.

    A namespace whose lock somebody holds is left out; all of them together are waited for half a second.
    """
    deadline = time.monotonic() + _QUIET_LOCK_S
    try:
        for namespace in namespaces.mine() if only is None else only:
            _clean_one_quietly(namespace, deadline)
    except OSError as error:
        _log.debug("Cleaning was left out: %s", error)


def _clean_one_quietly(namespace: str, deadline: float) -> None:
    try:
        clean([namespace], timeout_s=max(0.0, deadline - time.monotonic()))
    except (HorusError, OSError) as error:
        _log.debug("Cleaning namespace %r was left out: %s", namespace, error)


class _Sweep:
    """One pass over one namespace, whose lock is held."""

    def __init__(self, namespace: str, *, records: bool, dry_run: bool) -> None:
        self._namespace = namespace
        self._records = records
        self._dry_run = dry_run
        self._own = process.joined(namespace)
        member = self._own if self._own is not None else process.peek(namespace)
        self._member = member
        self._others = [] if member is None else [who for who in member.living() if who != member.ident]
        self._removed: list[str] = []

    def run(self) -> list[str]:
        index = namespaces.region(self._namespace, process.INDEX)
        kept = []
        for name in namespaces.regions(self._namespace):
            if name == index:
                continue
            if self._in_use(name):
                kept.append(name)
            else:
                self._remove_region(name)
        directory = namespaces.path(self._namespace)
        if directory.exists():
            self._clean_records(directory)
        if not self._others and all(self._is_own_arena(name) for name in kept):
            self._remove_namespace(index, directory, kept)
        return self._removed

    def _in_use(self, name: str) -> bool:
        kind = name.partition(".")[2]
        writer = _writer_of(kind)
        if writer is not None:
            return self._is_own_arena(name) or (self._member is not None and self._member.alive(writer))
        if not kind.startswith("topic."):
            return False  # half-made: nobody makes anything while we hold the lock
        return self._topic_in_use(name)

    def _is_own_arena(self, name: str) -> bool:
        return self._own is not None and _writer_of(name.partition(".")[2]) == self._own.ident

    def _topic_in_use(self, name: str) -> bool:
        if self._member is None:
            return False
        if self._own is not None and region.identity(name) in process.mapped(self._own):
            return True
        if not self._others and namespaces.topic_of(name) != _ESTOP:
            return False  # nobody is left who could use it
        try:
            fd = region.open_existing(name)
        except posix_ipc.ExistentialError:
            return False
        try:
            ring = _native.Ring(fd, self._member)
            return ring.in_use(True) or _is_engaged_estop(name, ring)
        except RegionError:
            return bool(self._others)  # not ours to read: maybe of another version that somebody runs
        finally:
            os.close(fd)

    def _remove_region(self, name: str) -> None:
        self._removed.append(name)
        if not self._dry_run:
            region.unlink(name)

    def _clean_records(self, directory: Path) -> None:
        """Records stay until `horus clean`, 24 h or 64 MiB; what belongs to the living always stays.

        What a killed process did not finish goes at once.
        """
        found = _record_files(directory)
        total = sum(status.st_size for _, status in found)
        oldest = time.time() - _RECORDS_MAX_AGE_S
        for path, status in sorted(found, key=lambda pair: pair[1].st_mtime):
            aged = status.st_mtime <= oldest or total > _RECORDS_MAX_BYTES
            wanted = aged or self._records or any(folder in path for folder in _OF_THE_LIVING)
            if not wanted and "/." not in path:  # as nearly all: no time is lost on it
                continue
            file = Path(path)
            if not _is_half_made(file) and not (wanted and self._is_nobodys(file, aged=aged)):
                continue
            total -= status.st_size
            self._removed.append(str(file.relative_to(namespaces.SHM)))
            if not self._dry_run:
                file.unlink(missing_ok=True)

    def _is_nobodys(self, file: Path, *, aged: bool) -> bool:
        """Whether no living process needs the record; one that does not say whose it is counts by its age."""
        if file.parent.name == log_file.FOLDER and file.suffix == log_file.SUFFIX:
            return not (log_file.is_locked(file) if aged else log_file.is_in_use(file))
        if self._member is None or not (self._others or self._own):
            return True
        ident = _ident_in(file)
        return aged if ident is None else not self._member.alive(ident)

    def _remove_namespace(self, index: str, directory: Path, own_arenas: list[str]) -> None:
        """Nobody else lives here, and this process has no topic open: it joins anew if it ever opens one."""
        if self._own is not None and (
            process.mapped(self._own) or self._has_records(directory, self._own.ident)
        ):
            return
        for name in own_arenas:
            self._remove_region(name)
        if region.identity(index) is not None:
            self._remove_region(index)
        if not directory.exists() or _record_files(directory):
            return
        self._removed.append(directory.name)
        if not self._dry_run:
            _remove_tree(directory)

    def _has_records(self, directory: Path, ident: int) -> bool:
        """A node without topics, whose tick was left behind by its run, keeps its name; parameters are reached."""
        files = (*(directory / "nodes").glob("*.json"), *(directory / reach.FOLDER).glob("*.json"))
        return any(_ident_in(file) == ident for file in files)


def _is_engaged_estop(name: str, ring: _native.Ring) -> bool:
    """An emergency stop stays until it is released, whoever is left."""
    if namespaces.topic_of(name) != _ESTOP:
        return False
    from horus_core.control import estop  # noqa: PLC0415 - only where there is one

    return estop.stands(ring)


def _writer_of(kind: str) -> int | None:
    """The process whose arena a region is, None when it is no arena."""
    found = _POOL.fullmatch(kind)
    return None if found is None else int(found[2]) << 16 | int(found[1])


def _remove_tree(directory: Path) -> None:
    """As shutil.rmtree does, which takes 2 ms to import; what cannot be removed stays."""
    for folder, _, files in os.walk(directory, topdown=False):
        for file in files:
            with suppress(OSError):
                os.unlink(os.path.join(folder, file))  # noqa: PTH108, PTH118 - as os.walk gives them
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106


def _record_files(directory: Path) -> list[tuple[str, os.stat_result]]:
    """All files but the lock, by path: every run looks at them. Logs come and go without the lock."""
    found = []
    folders, lock = [str(directory)], f"{directory}/lock"
    while folders:
        with suppress(FileNotFoundError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                    continue
                with suppress(FileNotFoundError):
                    if entry.is_file() and entry.path != lock:
                        found.append((entry.path, entry.stat()))
    return found


def _is_half_made(file: Path) -> bool:
    """Whether the record has not got its name yet: nobody makes one while we hold the lock (horus_core/control)."""
    return file.parent.name in ("nodes", "schedulers", reach.FOLDER) and file.name.startswith(".")


def _ident_in(file: Path) -> int | None:
    """The process that the record names; None when it is none of ours, or not to be understood."""
    launch = next((folder for folder in file.parents if folder.name == _LAUNCH), None)
    if launch is not None and not file.name.startswith("."):
        return _launcher_of(file, launch)
    if file.parent.name == room.FOLDER:
        return room.owner_of(file)
    return _flight_owner(file) if file.suffix == ".flight" else _json_owner(file)


def _launcher_of(file: Path, launch: Path) -> int:
    """The launcher of the session that a file belongs to, as its manifest says; nobody (0) once it is over."""
    name = file.relative_to(launch).parts[0]
    for manifest in sorted(launch.glob("*.json"), key=lambda path: -len(path.stem)):
        if name == manifest.stem or name.startswith(f"{manifest.stem}."):
            return _json_owner(manifest) or 0
    return 0


def _flight_owner(file: Path) -> int | None:
    """The process that writes a scheduler's record; nobody (0) once it has ended it."""
    try:
        header = _native.FlightReader(file).header()
    except (OSError, HorusError):
        return None
    return 0 if header["ended_ns"] else int(header["ident"])


def _json_owner(file: Path) -> int | None:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_bytes())
        ident = found.get("ident") if isinstance(found, dict) else None
        if isinstance(ident, int) and 0 <= ident < 1 << 64:
            return ident
    return None
