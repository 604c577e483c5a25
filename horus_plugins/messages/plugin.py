"""The plugin that brings the standard messages: the same door that a stranger's package comes through.

It stands apart from the classes so that importing one of them, as `horus.CmdVel` does, imports no plugin system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.plugins.hookspecs import hookimpl
from horus_plugins.messages import control, geometry, safety, sensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.messages.message import Message


@hookimpl
def horus_register_messages(register: Callable[[type[Message]], None]) -> None:
    """Supply the types of every table."""
    for table in (geometry, control, sensor, safety):
        for cls in table.TYPES:
            register(cls)
