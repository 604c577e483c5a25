"""The box's backends: the entry point `standard` of the group `horus.backends`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.backends.shm import Shm
from horus_core.plugins.marks import hookimpl
from horus_plugins.backends.local import Local

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import Backend, Bridge


@hookimpl
def horus_register_backends(register: Callable[[type[Backend | Bridge]], None]) -> None:
    """Supply shared memory and local memory."""
    register(Shm)
    register(Local)
