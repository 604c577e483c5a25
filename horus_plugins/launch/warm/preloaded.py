"""What the warm process has imported: all that a simple node needs, nothing that starts threads, and no numpy."""

from __future__ import annotations

import importlib
from contextlib import suppress

MODULES = (
    "horus",
    "horus_core.nodes.node",
    "horus_core.scheduler.scheduler",
    "horus_core.scheduler.session",
    "horus_core.topics.topic",
    "horus_core.backends.shm",
    "horus_core.messages.codec",
    "horus_core.plugins.discovery",
    "horus_core.plugins.hooks",
    "horus_core.plugins.hookspecs",
    "horus_core.plugins.kinds",
    "horus_core.plugins.rules",
    "horus_core.project",
    "horus_plugins.execution.plugin",
    "horus_plugins.execution.async_io",
    "horus_plugins.execution.best_effort",
    "horus_plugins.execution.compute",
    "horus_plugins.execution.event",
    "horus_plugins.execution.rt",
    "msgspec",
    "pluggy",
)


def preload() -> None:
    """Import them. One that is missing is the program's to miss, if it ever needs it."""
    for name in MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
