"""Cleaning that nobody asks for: what dead processes left behind, before and after each run (SPEC A47)."""

from __future__ import annotations

from horus_core.control import logs
from horus_core.errors import HorusError
from horus_core.shm import cleaner, namespace


def before_run() -> None:
    """Remove what no living process uses, in all namespaces of this user."""
    cleaner.clean_quietly()


def after_run() -> None:
    """Remove what no living process uses any more in this namespace."""
    try:
        cleaner.clean([namespace.current()])
    except (HorusError, OSError) as error:
        logs.logger("scheduler").debug("cleaning up after the run failed: %s", error)
