"""What `horus launch` tells of a file without starting it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from horus_cli.exit_codes import FAILED
from horus_cli.output import echo_all, print_json, safe, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.launch.file.launch_file import Choice
    from horus_plugins.launch.file.plan import Dependency, Plan, PlannedNode, RestartPolicy


def check(file: str, choice: Choice, *, as_json: bool) -> int:
    """`--check`: all that is wrong; exit code 1 when something is."""
    from horus_plugins.launch.file import report  # noqa: PLC0415 - not needed for --help

    found = report.check(file, choice)
    if as_json:
        print_json(found)
        return 0 if found.ok else FAILED
    for problem in found.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        click.echo(f"{safe(place)}: {problem.text}")
    if found.ok:
        click.echo(f"{safe(file)}: {_nodes(len(found.nodes))}, nothing wrong.")
    _warn(found.warnings)
    return 0 if found.ok else FAILED


def list_nodes(file: str, choice: Choice, *, as_json: bool) -> int:
    """`--list`: the nodes and their dependencies, in the order of their start."""
    from horus_plugins.launch.file import launch_file, report  # noqa: PLC0415 - not needed for --help

    plan = launch_file.plan(file, choice)
    if as_json:
        print_json(report.listing(plan))
        return 0
    click.echo(_heading(plan))
    rows = [
        [one.name, one.kind, _waits(one.depends_on) or "-", one.restart.policy, plan.places.get(one.name, "")]
        for one in plan.nodes
    ]
    echo_all(table(["NAME", "KIND", "DEPENDS ON", "RESTART", "WHERE"], rows))
    _warn(plan.warnings)
    return 0


def dry_run(file: str, choice: Choice, *, as_json: bool) -> int:
    """`--dry-run`: everything that would be started, in order, with all that it would get."""
    from horus_plugins.launch.file import launch_file  # noqa: PLC0415 - not needed for --help

    plan = launch_file.plan(file, choice)
    if as_json:
        print_json(plan)
        return 0
    click.echo(_heading(plan))
    for number, one in enumerate(plan.nodes, start=1):
        click.echo(f"{number}. {safe(one.name)} ({one.kind})")
        for name, text in _details(one):
            click.echo(f"     {name:<9} {safe(text)}")
    stop, ask = plan.stop, "A stop asks the schedulers"
    click.echo(f"{ask}, sends SIGTERM after {stop.graceful_s:g} s and SIGKILL {stop.terminate_s:g} s on.")
    _warn(plan.warnings)
    return 0


def _heading(plan: Plan) -> str:
    return safe(
        f"Session {plan.session}, namespace {plan.namespace}, {_nodes(len(plan.nodes))} from {plan.file}:"
    )


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _details(node: PlannedNode) -> Iterable[tuple[str, str]]:
    yield "command", shlex.join(node.command)
    yield "folder", node.cwd
    for name, value in sorted(node.environment.items()):
        yield "env", f"{name}={value}"
    waits = _waits(node.depends_on)
    if waits:
        yield "waits for", waits
    if node.start_delay_s:
        yield "then", f"{node.start_delay_s:g} s"
    yield "ready in", f"{node.ready_timeout_s:g} s at most"
    yield "restart", _restart(node.restart)
    if node.on_exit == "shutdown":
        yield "at its end", "the session stops"


def _waits(dependencies: Iterable[Dependency]) -> str:
    return ", ".join(
        one.node if one.condition == "ready" else f"{one.node} ({one.condition})" for one in dependencies
    )


def _restart(policy: RestartPolicy) -> str:
    if policy.policy == "never":
        return "never"
    window = f" in {policy.window_s:g} s" if policy.window_s is not None else ""
    return (
        f"{policy.policy}, {policy.max} times at most{window}, after {policy.backoff_s:g} s, doubled up to "
        f"{policy.max_backoff_s:g} s, anew after {policy.stable_s:g} s of running"
    )


def _warn(warnings: Iterable[str]) -> None:
    for one in warnings:
        click.echo(f"horus: {safe(one)}", err=True)
