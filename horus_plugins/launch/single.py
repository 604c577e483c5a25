"""One target takes the place of the command that runs it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from horus_core.errors import LaunchError
from horus_core.shm import namespace
from horus_plugins.launch.environment import environment

if TYPE_CHECKING:
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
            f"Starting {target.name} failed: {error.strerror} ({command[0]}). Check that it runs by itself."
        ) from error


def _tell(line: str) -> None:
    with suppress(OSError):  # a closed stderr is no reason not to run
        os.write(2, line.encode() + b"\n")
