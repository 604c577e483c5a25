"""Several targets at once, as `horus run` shows them: what, where, both phases, and what is left: nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.backends import registry
from horus_core.errors import HorusError
from horus_core.shm import cleaner, namespace
from horus_plugins.launch.environment import environment
from horus_plugins.launch.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_plugins.runners.target import Target


def run_several(targets: Sequence[Target], arguments: tuple[str, ...], *, isolated: bool) -> int:
    """Run every target in a process of its own; return the worst exit code when all have ended."""
    session = _session_id()
    where = f"run-{session}" if isolated else namespace.current()
    count = "1 file" if len(targets) == 1 else f"{len(targets)} files concurrently"
    with Supervisor(session) as supervisor:
        say = supervisor.say
        say(f"Executing {count}:")
        say(f"  🔒 Session: {session}")
        say(f"  Namespace: {where}")
        if len(targets) > 1 and os.environ.get(registry.VARIABLE) == registry.LOCAL:
            say(f"  {registry.VARIABLE}=local: each process keeps its topics to itself; they share none")
        for number, target in enumerate(targets, start=1):
            say(f"  {number}. {target.name} ({target.language})")
        say("")
        say("Phase 1: Building all files…")
        for target in targets:
            target.build()
        say("All files are ready.")
        say("")
        say("Phase 2: Starting all processes…")
        commands = [(target.label, target.command(arguments)) for target in targets]
        try:
            return supervisor.run(commands, environment(where))
        finally:
            _clean(where, isolated=isolated)


def _session_id() -> str:
    digits = os.urandom(6).hex()
    return "-".join((digits[:4], digits[4:8], digits[8:]))


def _clean(where: str, *, isolated: bool) -> None:
    """Leave nothing in shared memory that nobody uses any more."""
    with suppress(HorusError):  # somebody else holds the lock, and cleans or will be cleaned after
        cleaner.clean([where], records=isolated)
