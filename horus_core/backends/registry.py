"""Which backend a topic is opened over: what the topic names, else HORUS_BACKEND, else shared memory."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any

from horus_core.abc import Backend, Bridge
from horus_core.errors import ConfigError
from horus_core.plugins.group import Group
from horus_core.shm import namespace as namespaces

if TYPE_CHECKING:
    from horus_core._native import Pool
    from horus_core.topics.attach import Request

VARIABLE = "HORUS_BACKEND"
SHM, LOCAL = "shm", "local"

_lock = threading.RLock()
_open: dict[tuple[str, str], Backend] = {}


def _check(offered: Any) -> None:
    fits = isinstance(offered, type) and issubclass(offered, (Backend, Bridge))
    if not fits or not isinstance(getattr(offered, "name", None), str):
        raise ConfigError(
            f"Bad backend: expected a subclass of Backend or Bridge with a name, got {offered!r}."
        )


def _name(backend: type[Backend | Bridge]) -> str:
    return backend.name


kinds: Group[type[Backend | Bridge]] = Group(
    "horus.backends", "horus_register_backends", "a backend", _check, _name
)
"""The plugins that supply backends."""


def of_request(request: Request) -> Backend:
    """What carries the topic that is asked for: one object for all topics of a backend and namespace.

    Raises:
        PluginError: nobody supplies such a backend.
        ConfigError: its name is no text.
    """
    if request.framework and request.backend is None:
        return _get(*_control())
    return _get(*_chosen(request.backend), f"Opening topic {request.topic!r}")


def shows_runs() -> bool:
    """Whether runs of this process are to be seen by others: not where HORUS_BACKEND keeps all topics to itself."""
    return _control()[0] == SHM


def default_pool() -> Pool:
    """Where new images take their memory from: sending them over the default backend then copies nothing."""
    backend = _get(*_chosen(None))
    return backend.pool(backend.member())


def clean() -> None:
    """Forget what nobody uses, in all backends of this process."""
    for backend in _every():
        backend.clean()


def leave(namespace: str) -> None:
    """Close what the process has open in the namespace."""
    with _lock:
        left = [_open.pop(key) for key in list(_open) if key[1] == namespace]
    for backend in left:
        backend.close()


def _control() -> tuple[str, str]:
    """What control topics go over: shared memory, or the default where that reaches no other process."""
    name, why = _chosen(None)
    if name != SHM and not getattr(_class(name, why), "across_processes", True):
        return name, why
    return SHM, why


def _chosen(named: str | None) -> tuple[str, str]:
    """The backend's name, and what to say of where it comes from."""
    if named is None:
        found = os.environ.get(VARIABLE)
        return (found, f" by {VARIABLE}={found}") if found else (SHM, "")
    if not isinstance(named, str) or not named:
        raise ConfigError(f"Bad backend: expected the name of one, or None, got {named!r}.")
    return named, ""


def _class(name: str, why: str, needed_by: str = "Choosing a backend") -> type[Backend | Bridge]:
    return kinds.named(
        name, f"{needed_by}{why}", "Correct the name, or install the distribution that supplies it."
    )


def _get(name: str, why: str, needed_by: str = "Choosing a backend") -> Backend:
    key = name, namespaces.current()
    found = _open.get(key)
    if found is not None:
        return found
    with _lock:
        found = _open.get(key)
        if found is None:
            found = _open[key] = _make(name, why, needed_by)
        return found


def _make(name: str, why: str, needed_by: str) -> Backend:
    """The shared memory of the core is not looked up: that would read the metadata of all distributions."""
    if name == SHM:
        from horus_core.backends.shm import Shm  # noqa: PLC0415 - it needs the topics, which need this

        return Shm(namespaces.current())
    cls = _class(name, why, needed_by)
    if issubclass(cls, Bridge):
        from horus_core.backends.bridged import Bridged  # noqa: PLC0415 - only where there is a bridge

        return Bridged(cls, namespaces.current())
    return cls(namespaces.current())


def _every() -> list[Backend]:
    with _lock:
        return list(_open.values())


def _close_all() -> None:
    for backend in _every():
        backend.close()


def _begin_anew_in_child() -> None:
    """Threads and memory of the parent's backends are the parent's."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()
    _open.clear()


os.register_at_fork(after_in_child=_begin_anew_in_child)
atexit.register(_close_all)
