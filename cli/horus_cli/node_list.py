"""`horus node list`: the nodes of all processes of a namespace, as they really are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import (
    Number,
    bounded,
    current_namespace,
    json_option,
    namespace_option,
    until_interrupted,
)
from horus_cli.output import echo_all, print_json, safe

if TYPE_CHECKING:
    from horus_plugins.monitor.node_list import NodeList


@click.command("list")
@click.option("-v", "--verbose", is_flag=True, help="Also rate reached, memory, misses, tick times, class.")
@click.option("--all", "everything", is_flag=True, help="Also nodes that have ended.")
@click.option(
    "--watch",
    type=Number(min=0.05, max=86_400),
    is_flag=False,
    flag_value=1.0,
    default=None,
    metavar="[SECONDS]",
    help="Show it anew every SECONDS (1), in place on a terminal, until q or Ctrl+C.",
)
@json_option
@namespace_option
@bounded()
@click.pass_context
def list_nodes(
    ctx: click.Context, verbose: bool, everything: bool, watch: float | None, as_json: bool
) -> None:
    """List the nodes of all processes of the namespace, with their true state.

    What runs is not asked, so it works while a process is frozen, hung or dead. RATE is the one that a node is to
    keep now, TICKS those since its start, SOURCE the pid, CPU that of its process over the last moment. Below the
    table stands why a node is not as it should be. Exits with 1 when something cannot be read.

    Examples:
      horus node list              what runs, frozen, hung and crashed nodes, too
      horus node list -v --all     with rates reached, memory, misses; also what has ended
      horus node list --watch 0.5  in place, twice a second
    """
    from horus_plugins.monitor.node_list import Observer  # noqa: PLC0415 - not needed for --help

    where = current_namespace()
    observer = Observer(where, everything=everything, measure=verbose or as_json)
    if watch is not None:
        from horus_cli import node_watch  # noqa: PLC0415

        until_interrupted(ctx)
        node_watch.watch(observer, watch, verbose=verbose, as_json=as_json)
        return
    listed = observer.look()
    if as_json:
        print_json(listed)
    else:
        show(listed, verbose=verbose)
    if not listed.nodes:
        _explain_nothing(where, listed)
    ctx.exit(1 if complain(listed) else 0)


def show(listed: NodeList, *, verbose: bool) -> None:
    """Print the table."""
    from horus_cli import node_table  # noqa: PLC0415 - not needed for --help

    echo_all(node_table.lines(listed, verbose=verbose))


def complain(listed: NodeList) -> bool:
    """Say on stderr what could not be read; whether there is anything."""
    for what, why in listed.unreadable.items():
        click.echo(f"horus: {what} cannot be read: {safe(why)}", err=True)
    return bool(listed.unreadable)


def _explain_nothing(where: str, listed: NodeList) -> None:
    from horus_plugins.monitor import schedulers  # noqa: PLC0415 - not needed for --help

    hidden = f" {listed.left_out} that have ended are shown by --all." if listed.left_out else ""
    click.echo(f"No nodes in namespace {where!r}.{hidden}", err=True)
    others = schedulers.running_elsewhere(where)
    for other in sorted(others, key=lambda name: -others[name])[:5]:
        run = "1 scheduler runs" if others[other] == 1 else f"{others[other]} schedulers run"
        click.echo(f"In namespace {other!r} {run}: horus node list --namespace {other}", err=True)
