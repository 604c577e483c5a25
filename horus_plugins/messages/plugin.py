"""The plugin that brings the standard messages: the same door that a stranger's package comes through.

It stands apart from the classes so that importing one of them, as `horus.CmdVel` does, imports no plugin system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.plugins.marks import hookimpl
from horus_plugins.messages import (
    audio,
    control,
    diagnostics,
    force,
    geometry,
    input,  # noqa: A004 - the table is called so
    maps,
    navigation,
    perception,
    sensor,
    time,
    tracking,
    vision,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.messages.message import Message

TABLES = (
    geometry, control, sensor, time, diagnostics, force, navigation, maps, vision, perception, tracking, input, audio,
)  # fmt: skip


@hookimpl
def horus_register_messages(register: Callable[[type[Message]], None]) -> None:
    """Supply the types of every table."""
    for table in TABLES:
        for cls in table.TYPES:
            register(cls)
