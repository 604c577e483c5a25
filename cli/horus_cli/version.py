"""`horus version`: what is installed here."""

from __future__ import annotations

import click

from horus_cli.options import bounded, json_option
from horus_cli.output import print_json, safe

_LAYOUTS = ("index", "topic", "pool", "flight record")


@click.command()
@json_option
@bounded()
def version(as_json: bool) -> None:
    """Show the versions of HORUS, Python and what they run on: for bug reports.

    Examples:
      horus version
      horus version --json
    """
    from horus_plugins.monitor.version import versions  # noqa: PLC0415 - not needed for --help

    found = versions()
    if as_json:
        print_json(found)
        return
    click.echo(f"horus {found.horus}  ({found.location})")
    layouts = [f"{what} {number}" for what, number in zip(_LAYOUTS, found.layouts, strict=True)]
    click.echo(f"layouts of shared memory: {', '.join(layouts)}")
    click.echo(f"{found.python}  ({found.executable})")
    click.echo(found.platform)
    for name, number in sorted(found.plugins.items()):
        click.echo(safe(f"plugin {name} {number}"))
