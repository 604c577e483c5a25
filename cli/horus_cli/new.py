"""`horus new`: start a node, a plugin or a project from a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import bounded, json_option
from horus_cli.output import print_json

if TYPE_CHECKING:
    from horus_plugins.templates.kinds import Kind

_KINDS = ("message", "execution", "backend", "command", "runner", "lifecycle")


@click.group()
def new() -> None:
    """Start something of your own: a folder with code that works, tests, types and a README. Needs no network."""


@new.command()
@click.argument("name")
@json_option
@bounded()
def node(name: str, as_json: bool) -> None:
    """Start a packaged node: others install it by pip and run it by NAME.

    Examples:
      horus new node line-follower
    """
    from horus_plugins.templates import kinds  # noqa: PLC0415 - not needed for --help

    _make(kinds.NODE, name, as_json=as_json)


@new.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="What it brings.")
@json_option
@bounded()
def plugin(name: str, kind: str, as_json: bool) -> None:
    """Start a plugin: a package that brings what --kind says.

    A message type, an execution class, a backend, a command, a runner of .NAME files, or an observer of what becomes
    of nodes (lifecycle).

    Examples:
      horus new plugin grip --kind command
    """
    from horus_plugins.templates import kinds  # noqa: PLC0415 - not needed for --help

    _make(kinds.PLUGINS[kind], name, as_json=as_json)


@new.command()
@click.argument("name")
@json_option
@bounded()
def project(name: str, as_json: bool) -> None:
    """Start a project: a folder NAME with a horus.toml, two nodes that work together, and their tests.

    Examples:
      horus new project my-robot
    """
    from horus_plugins.templates import kinds  # noqa: PLC0415 - not needed for --help

    _make(kinds.PROJECT, name, as_json=as_json)


def _make(kind: Kind, name: str, *, as_json: bool) -> None:
    from pathlib import Path  # noqa: PLC0415 - not needed for --help

    from horus_plugins.templates.making import MadeReport, make  # noqa: PLC0415

    made = make(kind, name, Path())
    if as_json:
        print_json(MadeReport(str(made.folder), made.files, made.next_commands))
        return
    click.echo(f"Made {made.folder}/:")
    for file in made.files:
        click.echo(f"  {file}")
    click.echo("\nNext:")
    for command in made.next_commands:
        click.echo(f"  {command}")
