"""`horus node kill`, `pause`, `resume`, `restart`: steer nodes, whichever process they are in."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from horus_cli.exit_codes import FAILED, TIMEOUT
from horus_cli.options import bounded, current_namespace, json_option, namespace_option
from horus_cli.output import print_json, safe

if TYPE_CHECKING:
    from horus_plugins.monitor.steering import Outcome

_SECONDS = 5.0
_KILL_SECONDS = 10.0  # more than the patience of a run with a tick
_LEAST_S, _SPARE_S = 0.1, 0.5  # to ask, and to tell what came of it


@click.command("kill")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--force", is_flag=True, help="Leave a tick behind that does not end; its thread goes on.")
@json_option
@namespace_option
@bounded(_KILL_SECONDS)
@click.pass_context
def kill_nodes(ctx: click.Context, names: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Remove nodes from their schedulers, each with its shutdown(). A process ends with its last node.

    The current tick ends first. A launcher is told, and does not start the node again. A node whose tick hangs
    stays, and the command says so, unless --force is given; that helps a node with a thread of its own, else end the
    process.

    Examples:
      horus node kill arm
      horus node kill "arm*" gripper
    """
    _steer(ctx, "StopNode", names, as_json=as_json, force=force)


@click.command("pause")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@namespace_option
@bounded(_SECONDS)
@click.pass_context
def pause_nodes(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Let nodes tick no more until they are resumed; their topics stay open.

    Examples:
      horus node pause arm
    """
    _steer(ctx, "PauseNode", names, as_json=as_json)


@click.command("resume")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@namespace_option
@bounded(_SECONDS)
@click.pass_context
def resume_nodes(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Let paused nodes tick again; during an emergency stop, after its release.

    Examples:
      horus node resume arm
    """
    _steer(ctx, "ResumeNode", names, as_json=as_json)


@click.command("restart")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@namespace_option
@bounded(_SECONDS)
@click.pass_context
def restart_nodes(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Call shutdown() and init() of nodes again, in their process. Nodes that were isolated start anew.

    Examples:
      horus node restart arm
    """
    _steer(ctx, "RestartNode", names, as_json=as_json)


def _steer(
    ctx: click.Context, command: str, names: tuple[str, ...], *, as_json: bool, force: bool = False
) -> None:
    from horus_plugins.monitor import steering  # noqa: PLC0415 - not needed for --help

    here = current_namespace()
    chosen = steering.choose(here, names)
    left_s = signal.getitimer(signal.ITIMER_REAL)[0] - _SPARE_S
    share_s = max(_LEAST_S, left_s / max(1, len(chosen)))
    outcome = steering.steer(command, chosen, here, timeout_s=share_s, force=force)
    if as_json:
        print_json(outcome)
    else:
        _show(outcome)
    ctx.exit(0 if outcome.is_good else TIMEOUT if outcome.timed_out else FAILED)


def _show(outcome: Outcome) -> None:
    for node in outcome.nodes:
        if node.ok:
            click.echo(safe(node.text))
        else:
            click.echo(f"horus: {safe(node.name)}: {safe(node.text)}", err=True)
