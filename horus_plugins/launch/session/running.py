"""Becoming the launcher of a plan: what a process does that runs one session and nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.backends import registry
from horus_core.errors import HorusError
from horus_core.shm import cleaner, namespace, process
from horus_plugins.launch.session.session import Session

if TYPE_CHECKING:
    from horus_plugins.launch.file.plan import Plan
    from horus_plugins.launch.session.settings import Settings


def run(plan: Plan, settings: Settings) -> int:
    """Run the session to its end, in this process, which has no other threads; the worst exit code.

    Raises LaunchError when it cannot start, RegionError when the namespace cannot be used.
    """
    os.environ[namespace.VARIABLE] = plan.namespace
    session = Session(plan, settings)
    session.report.say(f"Session: {plan.session}")
    session.report.say(f"Namespace: {plan.namespace}")
    count = "1 node" if len(plan.nodes) == 1 else f"{len(plan.nodes)} nodes"
    session.report.say(f"File: {plan.file} ({count})")
    for warning in plan.warnings:
        session.report.say(f"horus: {warning}")
    try:
        return session.run()
    finally:
        _leave(plan.namespace)


def _leave(where: str) -> None:
    """Leave nothing in shared memory that nobody uses any more."""
    registry.leave(where)
    with suppress(HorusError):  # somebody else holds the lock, and cleans or will be cleaned after
        cleaner.clean([where])
    process.leave(where)
