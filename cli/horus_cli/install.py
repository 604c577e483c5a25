"""`horus install` and `horus uninstall`: the right installer for this interpreter, and what HORUS has of it."""

from __future__ import annotations

import click

from horus_cli.options import json_option
from horus_cli.output import echo_all, print_json

_ARGUMENTS = click.argument("packages", nargs=-1, required=True, type=click.UNPROCESSED, metavar="PACKAGE...")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show the command.")
_FOR_THE_INSTALLER = {"ignore_unknown_options": True}


@click.command(context_settings=_FOR_THE_INSTALLER)
@_ARGUMENTS
@_DRY_RUN
@json_option
def install(packages: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Install PACKAGEs for this Python, and tell what HORUS gains and loses.

    The command is shown and run: uv's where uv made the environment or pip is missing, else pip's. Other options are
    the installer's: `horus install -e ./horus-arm`. The exit code is the installer's.

    Examples:
      horus install horus-gripper
      horus install -e ./horus-arm     a package that you work on
    """
    return _run("install", packages, dry_run=dry_run, as_json=as_json)


@click.command(context_settings=_FOR_THE_INSTALLER)
@_ARGUMENTS
@_DRY_RUN
@json_option
def uninstall(packages: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Remove PACKAGEs from this Python without a question, and tell what HORUS loses.

    The command is shown and run, as by `horus install`. The exit code is the installer's.

    Examples:
      horus uninstall horus-gripper
    """
    return _run("uninstall", packages, dry_run=dry_run, as_json=as_json)


def _run(verb: str, packages: tuple[str, ...], *, dry_run: bool, as_json: bool) -> int:
    import shlex  # noqa: PLC0415 - not needed for --help

    from horus_plugins.installing import changes, installer  # noqa: PLC0415

    line = installer.command(verb, packages)
    if dry_run:
        if as_json:
            print_json(changes.Outcome(line, None, []))
        else:
            click.echo(shlex.join(line))
        return 0
    click.echo(f"$ {shlex.join(line)}", err=True)
    before = changes.look()
    code = installer.run(line, quiet=as_json)
    found = changes.between(before, changes.look())
    if as_json:
        print_json(changes.Outcome(line, code, found))
    else:
        echo_all(list(changes.told(found)))
    return code
