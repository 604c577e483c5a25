"""`horus topic find`: topics by type or name."""

from __future__ import annotations

import click

from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import echo_all, print_json, table


@click.command()
@click.argument("wanted", metavar="TYPE_OR_PATTERN")
@click.option("--all", "reserved", is_flag=True, help="HORUS's own topics, too.")
@json_option
@namespace_option
@bounded()
@click.pass_context
def find(ctx: click.Context, wanted: str, reserved: bool, as_json: bool) -> None:
    """Find topics by their type or name. Exits with 1 when there is none.

    A type is named as `CmdVel`, or by its kind: typed, dict, pool-backed. In patterns `*` stands for anything, `?`
    for one character.

    Examples:
      horus topic find Image
      horus topic find "front.*"
    """
    from horus_plugins.monitor import topic_find  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    found = topic_find.find(where, wanted, reserved=reserved)
    if as_json:
        print_json(found)
    elif found.topics:
        echo_all(table(("TOPIC", "TYPE", "STATE"), [(one.name, one.type, one.state) for one in found.topics]))
    if not found.topics:
        click.echo(f"horus: no topic in namespace {where!r} has that name or type: {wanted!r}.", err=True)
        ctx.exit(1)
