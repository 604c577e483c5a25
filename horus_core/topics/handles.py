"""All open handles on topics of this process: who uses a ring, and from which threads."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core import _native
    from horus_core.abc import Backend
    from horus_core.topics.binding import Handle

_handles: weakref.WeakValueDictionary[int, Handle] = weakref.WeakValueDictionary()
"""By id()."""


def add(handle: Handle) -> None:
    """The handle was opened."""
    _handles[id(handle)] = handle


def every() -> list[Handle]:
    """All of them."""
    # valuerefs() copies in one step: another thread may open a handle meanwhile.
    return [handle for reference in _handles.valuerefs() if (handle := reference()) is not None]


def on_ring(ring: _native.Ring) -> list[Handle]:
    """Those that are bound to the ring."""
    return [handle for handle in every() if handle._ring is ring]  # noqa: SLF001 - our own


def of_backend(backend: Backend) -> set[str]:
    """The topics that are open over the backend, whether they are there yet or not."""
    return {one.name for one in every() if one._backend is backend and not one._closed}  # noqa: SLF001


def threads_of(ring: _native.Ring) -> set[int]:
    """The threads of this process that opened handles on the ring."""
    return {handle._thread for handle in on_ring(ring)}  # noqa: SLF001
