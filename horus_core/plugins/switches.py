"""How much is made of what plugins do.

HORUS_STRICT=1 makes a failed one fatal, HORUS_TRACE_PLUGINS=1 says on stderr what is found and imported, and how long
it takes.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

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
