"""`horus service status` and `horus service uninstall`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from horus_cli.options import bounded, json_option
from horus_cli.output import echo_all, print_json, table

if TYPE_CHECKING:
    from horus_plugins.services.installed import Service

_SESSION = click.option("--session", is_flag=True, help="Of your own systemd (systemctl --user).")
_FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files are, in systemd's place.",
)


@click.command()
@click.argument("name")
@_SESSION
@_FOLDER
@json_option
@bounded(120)
def uninstall(name: str, session: bool, folder: Path | None, as_json: bool) -> None:
    """Stop and disable the services of NAME, and remove their files. What others made stays.

    Examples:
      sudo horus service uninstall robot
    """
    from horus_plugins.services import installed, systemd  # noqa: PLC0415 - not needed for --help

    done = installed.uninstall(name, folder or systemd.folder(own=session), own=session)
    if as_json:
        print_json(done)
    else:
        echo_all([f"Removed {path}" for path in done.removed])


@click.command()
@click.argument("name", required=False)
@_SESSION
@_FOLDER
@json_option
@bounded(30)
@click.pass_context
def status(ctx: click.Context, name: str | None, session: bool, folder: Path | None, as_json: bool) -> None:
    """Show the services that `horus service install` made, or those of NAME. Exits with 1 when one has failed.

    Examples:
      horus service status
      horus service status robot --json
    """
    from horus_plugins.services import installed, systemd  # noqa: PLC0415 - not needed for --help

    where = folder or systemd.folder(own=session)
    found = installed.services(where, name, own=session)
    runs = systemd.is_running(own=session)
    if as_json:
        print_json(installed.Services(str(where), runs, found))
    elif found:
        rows = [_row(one) for one in found]
        echo_all(
            table(["UNIT", "ACTIVE", "PID", "RESTARTS", "ENABLED", "STATUS"], rows, right=["PID", "RESTARTS"])
        )
        if not runs:
            click.echo("systemd does not run here: how they stand is not known.", err=True)
    else:
        click.echo(f"No services of `horus service install` in {where}.", err=True)
    ctx.exit(1 if any(one.active == "failed" for one in found) else 0)


def _row(one: Service) -> list[str]:
    pid = str(one.pid or "-")
    return [one.unit, one.active, pid, str(one.restarts), one.enabled or "-", one.status or one.sub or "-"]
