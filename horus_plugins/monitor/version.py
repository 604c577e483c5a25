"""What is installed here, and what it runs on: what a bug report should begin with."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import msgspec

import horus_core
from horus_core import _native
from horus_core.plugins import discovery, record


class Versions(msgspec.Struct):
    """Versions of HORUS and its surroundings."""

    horus: str
    layouts: list[int]
    """Of the regions in shared memory (index, topic, pool, flight): processes that share a namespace must agree."""
    location: str
    python: str
    executable: str
    platform: str
    plugins: dict[str, str]
    """Distributions with plugins, besides HORUS, and their versions."""


def versions() -> Versions:
    """Look them up. Imports no plugin."""
    return Versions(
        horus=metadata.version(record.BOX),
        layouts=list(_native.LAYOUTS),
        location=str(Path(horus_core.__file__).parent.parent),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        platform=f"{os.uname().sysname} {os.uname().release} {os.uname().machine}",
        plugins={one.distribution: one.version for one in discovery.every() if not one.is_box},
    )
