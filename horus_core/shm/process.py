"""This process in its namespaces: joined once, found again by everybody, joined anew in a forked child."""

from __future__ import annotations

import logging
import os
import threading
import weakref

import posix_ipc

from horus_core import _native
from horus_core.errors import RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import region

INDEX = "index"

_log = logging.getLogger("horus")
_lock = threading.Lock()
_members: dict[str, _native.Member] = {}

_REMOVED = (
    "The shared memory of namespace %r was removed under this process (pid=%d): its topics are opened anew. "
    "Find out who did it; `loginctl` users need RemoveIPC=no."
)
_CLOSED = (
    "This process closed the descriptor by which others in namespace %r see that it lives (pid=%d): it joins anew "
    "and opens its topics anew. Messages sent since then may be lost, and images received before may change. Close "
    "descriptors before the first topic is opened, or only those that are yours."
)

rings: weakref.WeakValueDictionary[tuple[int, str], _native.Ring] = weakref.WeakValueDictionary()
"""The topic regions that this process has mapped, once each, by its identity and the region's name."""


def member(namespace: str | None = None) -> _native.Member:
    """This process's membership of the namespace (default: the current one).

    Raises RegionError when the namespace's index cannot be created or trusted.
    """
    name = namespaces.current() if namespace is None else namespace
    joins = False
    with _lock:
        found = _members.get(name)
        if found is None or found.forked or not found.linked:
            joins = True
            found = _members[name] = _join(name)
    if joins and name == namespaces.current():
        from horus_core.control import logs  # noqa: PLC0415 - which need nothing of this to be imported

        logs.show_in(name)
    return found


def joined(namespace: str) -> _native.Member | None:
    """This process's membership of the namespace, if it has one that is good."""
    found = _members.get(namespace)
    return None if found is None or found.forked or not found.linked else found


def leave(namespace: str) -> None:
    """Be no member of the namespace any more once its topics are closed here; using it again joins it anew."""
    with _lock:
        _members.pop(namespace, None)


def mapped_rings() -> list[tuple[str, _native.Ring]]:
    """The topic regions that this process has mapped, each with its name."""
    # valuerefs() copies in one step: another thread may open a topic while we go through them.
    found = ((reference.key[1], reference()) for reference in rings.valuerefs())
    return [(name, ring) for name, ring in found if ring is not None]


def mapped(own: _native.Member) -> set[tuple[int, int]]:
    """(device, inode) of the topic regions that this process has mapped as that member."""
    return {ring.file for _, ring in mapped_rings() if ring.member is own}


def notice_loss() -> None:
    """Tell all handles to look at their regions when files of ours have lost their names.

    /dev/shm is cleared under running programs (a log-out with RemoveIPC, somebody's `rm`), or they close all their
    descriptors (`os.closerange`), so that others take them for dead. Handles then open their topics anew under the
    same names, here and in other processes, which meet again.
    """
    for joined_member in list(_members.values()):
        if not joined_member.forked and not joined_member.linked and _forget(joined_member):
            _log.error(_REMOVED if joined_member.locked else _CLOSED, joined_member.namespace, os.getpid())
            joined_member.bump()
    for name, ring in mapped_rings():
        if not ring.member.forked and region.identity(name) != ring.file:
            ring.member.bump()


def _forget(lost: _native.Member) -> bool:
    """Whoever needs a membership from now on joins anew. True for one caller: every scheduler's loop looks."""
    with _lock:
        known = _members.get(lost.namespace) is lost
        if known:
            del _members[lost.namespace]
        return known


def _join(namespace: str) -> _native.Member:
    with namespaces.locked(namespace):
        return _open_index(namespace)


def _open_index(namespace: str) -> _native.Member:
    name = namespaces.region(namespace, INDEX)
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        return _make_index(namespace)
    try:
        return _native.Member(fd, namespace)
    except RegionError as error:
        foreign, in_use, pid = _native.index_look(fd)
        if in_use or not foreign:
            raise _refusal(namespace, error, pid, foreign=foreign) from None
    finally:
        os.close(fd)
    # Nobody lives who could read what another version left: neither the index nor what it belongs to.
    for leftover in namespaces.regions(namespace):
        region.unlink(leftover)
    return _make_index(namespace)


def _make_index(namespace: str) -> _native.Member:
    name = namespaces.region(namespace, INDEX)
    fd = region.create(name, _native.INDEX_SIZE, _native.index_format)
    try:
        return _native.Member(fd, namespace)
    finally:
        os.close(fd)


def peek(namespace: str) -> _native.Member | None:
    """A membership of a namespace that this process does not use, for a moment; None when nobody lives there.

    The caller holds the namespace's lock, and drops the membership by dropping the object. Raises RegionError when
    living processes use the namespace and this one cannot: they are of another version, or too many.
    """
    return _opened(namespace, observe=False)


def look(namespace: str) -> _native.Member | None:
    """A membership only to look: no row, no lock, all mapped for reading; None when nobody has been there.

    Nobody sees it, it keeps nothing from being cleaned or replaced, and needs no lock of the namespace: regions get
    their names when they are whole. Raises RegionError when living processes of another version are there.
    """
    return _opened(namespace, observe=True)


def _opened(namespace: str, *, observe: bool) -> _native.Member | None:
    name = namespaces.region(namespace, INDEX)
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        return None
    try:
        return _native.Member(fd, namespace, observe)
    except RegionError as error:
        foreign, in_use, pid = _native.index_look(fd)
        if in_use:
            raise _refusal(namespace, error, pid, foreign=foreign) from None
        return None
    finally:
        os.close(fd)


def _refusal(namespace: str, error: RegionError, pid: int, *, foreign: bool) -> RegionError:
    user = f", which process {pid} uses" if pid and foreign else ""
    remedy = (
        f"Use one version of HORUS in all processes of the namespace, or set {namespaces.VARIABLE} to another name."
        if foreign
        else "Stop all processes of the namespace and run `horus clean`."
    )
    return RegionError(
        f"Joining namespace {namespace!r} failed: {error}{user} "
        f"(file=/dev/shm/{namespaces.region(namespace, INDEX)}, pid={os.getpid()}). {remedy}"
    )


def _forget_lock_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it at the fork
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock_in_child)
