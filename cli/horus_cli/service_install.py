"""`horus service install`: unit files for launch files and nodes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from horus_cli.options import Number, bounded, json_option
from horus_cli.output import print_json

if TYPE_CHECKING:
    from horus_plugins.services.installed import Installed


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--name", metavar="NAME", help="Of the service. Default: of the only target, else of the folder."
)
@click.option(
    "--namespace", metavar="NAME", help="HORUS_NAMESPACE of the service. Default: a launch file's, else NAME."
)
@click.option("--user", metavar="USER", help="Who it runs as. Default: who called sudo.")
@click.option("--session", is_flag=True, help="For your own systemd (systemctl --user), without root.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Besides the user's own: for devices. Repeatable.",
)
@click.option("--after", multiple=True, metavar="UNIT", help="Start after this unit. Repeatable.")
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of its environment. Repeatable.",
)
@click.option(
    "--restart",
    type=click.Choice(["on-failure", "always", "no"]),
    default="on-failure",
    show_default=True,
    help="When systemd starts it again.",
)
@click.option(
    "--restart-delay",
    type=Number(0, 3600),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="How long after its end.",
)
@click.option(
    "--watchdog",
    type=Number(0, 3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Restart it when it has hung for so long; 0: never.",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["notify", "simple"]),
    default="notify",
    show_default=True,
    help="simple: for programs that never tell systemd that they are ready, and have no watchdog.",
)
@click.option(
    "--realtime/--no-realtime", default=True, help="The rights for real-time threads and locked memory."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go, in systemd's place.",
)
@click.option("--enable", is_flag=True, help="Have it start with the machine.")
@click.option("--now", is_flag=True, help="Start it now, too; with --enable.")
@click.option("--force", is_flag=True, help="Replace one of that name.")
@click.option("--dry-run", is_flag=True, help="Only show the files.")
@json_option
@bounded(120)
def install(
    targets: tuple[str, ...],
    name: str | None,
    namespace: str | None,
    user: str | None,
    session: bool,
    groups: tuple[str, ...],
    after: tuple[str, ...],
    environment: tuple[str, ...],
    restart: str,
    restart_delay: float,
    watchdog: float,
    kind: str,
    realtime: bool,
    folder: Path | None,
    enable: bool,
    now: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write systemd units that run TARGETs: launch files, Python files, executables, packaged nodes.

    One target is one service, horus-NAME.service. Several are one each, in this order, and horus-NAME.target holds
    them together. systemd-analyze checks the files before they are written.

    Examples:
      sudo horus service install robot.yaml --user robot --enable --now
      horus service install sensor.py --dry-run --user robot     only show the unit
      horus service install drive.py camera.py --session         of your own systemd
    """
    from horus_plugins.services import installing  # noqa: PLC0415 - not needed for --help
    from horus_plugins.services.wanted import Wanted, default_name  # noqa: PLC0415

    name = name or default_name(targets)
    wanted = Wanted(
        targets=targets,
        name=name,
        namespace=namespace or installing.namespace_of(targets) or name,
        user=None if session else installing.user(user, os.environ.get("SUDO_USER")),
        groups=groups,
        after=after,
        environment=dict(_pair(one) for one in environment),
        restart=restart,
        restart_s=restart_delay,
        watchdog_s=watchdog,
        notify=kind == "notify",
        realtime=realtime,
        stop_s=installing.stop_time_of(targets),
    )
    plan = installing.Choices(folder=folder, enable=enable or now, start=now, replace=force, dry_run=dry_run)
    done = installing.install(wanted, plan)
    if as_json:
        print_json(done)
    else:
        _show(done)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"expected NAME=VALUE, got {text!r}.", param_hint="--env")
    return name, value


def _show(done: Installed) -> None:
    for path, text in done.files.items():
        if done.written:
            click.echo(f"Wrote {path}")
        else:
            click.echo(f"# {path}\n{text}")
    for note in done.notes:
        click.echo(f"horus: {note}", err=True)
    if done.problems is None:
        click.echo("systemd-analyze is not here: the units were not checked.", err=True)
    if done.started:
        click.echo("Started.")
    elif done.enabled:
        click.echo("Enabled: it starts with the machine.")
    if done.next_commands and done.written:
        click.echo("\nNext:")
        for line in done.next_commands:
            click.echo(f"  {line}")
