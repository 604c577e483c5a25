"""`horus package`: the packaged nodes that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import Number, bounded, json_option
from horus_cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from horus_plugins.packages.installed import Package
    from horus_plugins.packages.report import Check, FunctionReport, NodeReport, PackageReport, Topic

_TIMEOUT = click.option(
    "--timeout",
    type=Number(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each node may take to be imported and made.",
)
_PARAM = click.option(
    "--param", multiple=True, metavar="NAME=VALUE", help="A parameter for making the nodes. Repeatable."
)


@click.group()
def package() -> None:
    """See what packaged nodes are installed, and whether they do what they declare."""


@package.command("list")
@json_option
@bounded()
def list_packages(as_json: bool) -> None:
    """List the distributions with packaged nodes. Nothing of them is imported.

    Examples:
      horus package list
    """
    from horus_plugins.packages.installed import packages  # noqa: PLC0415 - not needed for --help

    found = packages(disabled=False)
    if as_json:
        print_json({"packages": found})
    elif found:
        _echo(_table(["PACKAGE", "VERSION", "NODES"], [_row(one) for one in found]))
    elif packages():
        click.echo("All packaged nodes are disabled: `horus plugin list` tells by what.", err=True)
    else:
        click.echo(
            "No packaged nodes are installed. A package has them in its entry points, group horus.nodes.",
            err=True,
        )


def _row(package: Package) -> list[str]:
    return [package.distribution, package.version, ", ".join(node.name for node in package.nodes)]


@package.command("info")
@click.argument("name")
@click.option("--check", is_flag=True, help="Run each node for a second, too: see `horus package check`.")
@_PARAM
@_TIMEOUT
@json_option
@click.pass_context
def info(
    ctx: click.Context, name: str, check: bool, param: tuple[str, ...], timeout: float, as_json: bool
) -> None:
    """Show the nodes of a package, or one of them: topics with types, and parameters.

    Each node is imported and made in a process of its own, with its defaults. Exits with 1 when one cannot be.

    Examples:
      horus package info wander
    """
    _tell(ctx, name, param, timeout, as_json, seconds=1.0 if check else None)


@package.command("check")
@click.argument("name")
@click.option(
    "--seconds",
    type=Number(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How long each node runs.",
)
@_PARAM
@_TIMEOUT
@json_option
@click.pass_context
def check(
    ctx: click.Context, name: str, seconds: float, param: tuple[str, ...], timeout: float, as_json: bool
) -> None:
    """Run the nodes of a package, and compare the topics that they use with those that they declare.

    What they control moves: each really runs, in a process and a namespace of its own, and finds default messages on
    the typed topics that it subscribes. Exits with 1 when a node fails, or does not do what it declares.

    Examples:
      horus package check wander --seconds 5
    """
    _tell(ctx, name, param, timeout, as_json, seconds=seconds)


def _tell(
    ctx: click.Context,
    name: str,
    param: tuple[str, ...],
    timeout: float,
    as_json: bool,
    *,
    seconds: float | None,
) -> None:
    from horus_plugins.packages.describing import describe  # noqa: PLC0415 - not needed for --help
    from horus_plugins.packages.runner import required  # noqa: PLC0415
    from horus_plugins.packages.settings import settings  # noqa: PLC0415

    report = describe(required(name, "Looking into"), settings(param), timeout_s=timeout, check_s=seconds)
    if as_json:
        print_json(report)
    else:
        _echo(_told(report))
    ctx.exit(1 if any(one.error or (one.check and one.check.problems) for one in report.nodes) else 0)


def _told(report: PackageReport) -> Iterator[str]:
    yield f"{report.distribution} {report.version}"
    for function in report.nodes:
        yield ""
        yield f"{report.distribution}:{function.name}  ({function.value})"
        if function.doc:
            yield f"  {function.doc}"
        yield from _parameters(function)
        for node in function.nodes:
            yield from _node(node)
        if function.error:
            yield f"  error: {function.error}"
        if function.check is not None:
            yield from _checked(function.check)


def _parameters(function: FunctionReport) -> Iterator[str]:
    rows = [
        [
            one.name,
            one.type,
            "required" if one.required else f"{_shown(one.default)} {one.unit}".rstrip(),
            one.doc,
        ]
        for one in function.parameters
    ]
    if rows:
        yield from (f"  {line}" for line in _table(["PARAMETER", "TYPE", "DEFAULT", ""], rows))


def _node(node: NodeReport) -> Iterator[str]:
    when = "when messages come" if node.rate is None else f"{node.rate:g} Hz"
    yield f"  node {node.name}, {when}"
    for verb, topics in (("publishes", node.publishes), ("subscribes", node.subscribes)):
        for topic in topics:
            yield f"    {verb:<11} {_topic(topic)}"


def _topic(topic: Topic) -> str:
    return f"{topic.topic or '(any topic)'}  {topic.type or '(no type declared)'}"


def _checked(check: Check) -> Iterator[str]:
    yield f"  ran for {check.seconds:g} s: {'not as declared' if check.problems else 'as declared'}"
    yield from (f"    problem: {line}" for line in check.problems)
    yield from (f"    note: {line}" for line in check.notes)


def _shown(value: object) -> str:
    import json  # noqa: PLC0415 - not needed for --help

    return value if isinstance(value, str) and value else json.dumps(value)


def _table(head: list[str], rows: Sequence[list[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _echo(lines: Iterator[str]) -> None:
    for line in lines:  # names and texts are strangers': no control characters of theirs reach the terminal
        click.echo("".join(char if char.isprintable() else repr(char)[1:-1] for char in line))
