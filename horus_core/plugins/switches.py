"""What the user says about plugins: which ones may be used, and how much is said about them.

HORUS_PLUGINS=a,b uses only these besides what comes with HORUS (empty: none); HORUS_STRICT=1 makes a failed plugin
fatal; HORUS_TRACE_PLUGINS=1 says on stderr what is found and imported, and how long it takes.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.plugins.metadata import canonical

if TYPE_CHECKING:
    from horus_core.plugins.record import Plugin

ONLY = "HORUS_PLUGINS"
STRICT = "HORUS_STRICT"
TRACE = "HORUS_TRACE_PLUGINS"


def is_on(variable: str) -> bool:
    """Whether a variable of the environment says yes: anything but empty, 0, no, off and false."""
    return os.environ.get(variable, "").lower() not in {"", "0", "no", "off", "false"}


def is_strict() -> bool:
    """Whether a failed plugin is fatal."""
    return is_on(STRICT)


def trace(text: str) -> None:
    """Say what plugins do, with the time of the monotonic clock in seconds, if HORUS_TRACE_PLUGINS says so."""
    if is_on(TRACE) and sys.stderr is not None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            sys.stderr.write(f"horus plugins {time.monotonic():.4f}: {text}\n")
            sys.stderr.flush()


def allow(plugin: Plugin) -> bool:
    """Whether a stranger's plugin may be used. HORUS_PLUGINS has distributions and names of entry points."""
    only = os.environ.get(ONLY)
    if only is None:
        return True
    names = {canonical(name.strip()) for name in only.split(",")}
    return canonical(plugin.distribution) in names or canonical(plugin.name) in names


def how_to_enable(plugin: Plugin) -> str:
    """What to do about a plugin that is disabled."""
    if ONLY in os.environ:
        return f"{ONLY} leaves it out: add {plugin.distribution} to it, or unset it."
    return f"Run `horus plugin enable {plugin.distribution}`."
