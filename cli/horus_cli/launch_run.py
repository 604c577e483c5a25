"""`horus launch FILE`: in this process, or in the background."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from horus_cli.output import safe, wants_colours

if TYPE_CHECKING:
    from horus_plugins.launch.file.launch_file import Choice

_READY_S = 60.0
_LAST_S = 0.5


def run(file: str, choice: Choice, log_dir: str) -> int:
    """Be the launcher until the session is over; the worst exit code."""
    from horus_plugins.launch.file.launch_file import plan  # noqa: PLC0415 - not needed for --help
    from horus_plugins.launch.leaving import Leaving  # noqa: PLC0415
    from horus_plugins.launch.session import running  # noqa: PLC0415
    from horus_plugins.launch.session.settings import Settings  # noqa: PLC0415

    settings = Settings(log_dir=log_dir, colour=wants_colours(sys.stdout), options=choice._asdict())
    made = plan(file, choice, look_into=True)
    gc.freeze()  # nothing but modules and the plan, which no collection need look through
    leaving = Leaving()
    code = running.run(made, settings)
    leaving.leave(code)
    return code


def detach(file: str, choice: Choice, log_dir: str, timeout_s: float | None) -> int:
    """Start the launcher in the background; 0 when all nodes are ready."""
    from horus_core.errors import HorusError, HorusTimeoutError  # noqa: PLC0415 - not needed for --help
    from horus_plugins.launch.file.launch_file import plan  # noqa: PLC0415
    from horus_plugins.launch.session.background import Running  # noqa: PLC0415

    made = plan(file, choice, look_into=True)
    running = Running(made, log_dir=log_dir, outlive=True, **choice._asdict())
    try:
        running.wait_ready(_READY_S if timeout_s is None else timeout_s)
    except HorusError:
        with suppress(HorusTimeoutError):  # if that was its only node
            running.wait(_LAST_S)
        if running.exit_code is None:
            click.echo(
                f"Session {made.session} goes on in the background: `horus launch --stop {made.session}` stops it.",
                err=True,
            )
        raise
    finally:
        running.release()
    nodes = "1 node" if len(made.nodes) == 1 else f"{len(made.nodes)} nodes"
    click.echo(
        f"Session {safe(made.session)} runs in the background: {nodes}, pid {running.pid}. "
        f"`horus launch --attach {made.session}` shows its output, --stop stops it.",
        err=True,
    )
    return 0
