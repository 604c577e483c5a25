"""`horus estop`: stop the robot, let it go again, or see how it stands."""

from __future__ import annotations

import click

from horus_cli.options import bounded, json_option, namespace_option
from horus_cli.output import print_json


@click.command()
@click.argument("reason", required=False)
@click.option("--release", is_flag=True, help="Let the nodes tick again.")
@click.option("--status", is_flag=True, help="Only show how it stands.")
@json_option
@namespace_option
@bounded()
@click.pass_context
def estop(ctx: click.Context, reason: str | None, release: bool, status: bool, as_json: bool) -> None:
    """Stop the robot: every scheduler of the namespace enters its nodes' safe state, and ticks none.

    Launch sessions stop all of their processes. The order stands for processes that start later, too, until it is
    released. Exits with 1 when neither a scheduler nor a session heard it, or a node has not reached its safe state;
    --status with 1 for such a node, or a session that runs on.

    Examples:
      horus estop "door open"    stop
      horus estop --status       who has obeyed
      horus estop --release      let the nodes tick again
    """
    from horus_plugins.monitor import estop as monitor  # noqa: PLC0415 - not needed for --help

    if sum((reason is not None, release, status)) > 1:
        raise click.UsageError("Give a reason, --release or --status.")
    if release:
        found = monitor.release()
    elif status:
        found = monitor.status()
    else:
        found = monitor.engage(reason or "horus estop")
    if as_json:
        print_json(found)
    else:
        for line in monitor.told_of_release(found) if release else monitor.told(found):
            click.echo(line)
    if status:
        ctx.exit(1 if found.engaged and (found.moving or found.deaf) else 0)
    if not release:
        ctx.exit(0 if found.is_safe else 1)
