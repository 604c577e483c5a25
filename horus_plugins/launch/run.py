"""What `horus run` does: one target takes the place of the command, several are supervised."""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from horus_core.errors import HorusError, LaunchError
from horus_core.shm import cleaner, namespace
from horus_plugins.launch.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_plugins.runners.target import Target


def run_one(target: Target, arguments: tuple[str, ...]) -> NoReturn:
    """Become the target: same pid, same terminal, same signals."""
    where = namespace.current()
    _tell(f"Namespace: {where}")
    target.build()
    command = target.command(arguments)
    # Python ignores these two; exec would hand that down.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execve(command[0], command, environment(where))  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise LaunchError(
            f"Starting {target.path} failed: {error.strerror} ({command[0]}). Check that it runs by itself."
        ) from error


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
        for number, target in enumerate(targets, start=1):
            say(f"  {number}. {target.path} ({target.runner.language})")
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


def environment(where: str) -> dict[str, str]:
    """Our environment, with what a target needs: its namespace, and output that shows when it is printed."""
    return {"PYTHONUNBUFFERED": "1", **os.environ, namespace.VARIABLE: where}


def _tell(line: str) -> None:
    with suppress(OSError):  # a closed stderr is no reason not to run
        os.write(2, line.encode() + b"\n")


def _session_id() -> str:
    digits = secrets.token_hex(6)
    return "-".join((digits[:4], digits[4:8], digits[8:]))


def _clean(where: str, *, isolated: bool) -> None:
    """Leave nothing in shared memory that nobody uses any more."""
    with suppress(HorusError):  # somebody else holds the lock, and cleans or will be cleaned after
        cleaner.clean([where], records=isolated)
