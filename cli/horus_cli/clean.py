"""`horus clean`: remove what no living process uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.options import bounded, json_option, namespace_option
from horus_cli.output import print_json, safe

if TYPE_CHECKING:
    from horus_plugins.monitor.clean import Cleaned


@click.command()
@click.option("--shm", is_flag=True, help="Clean shared memory. There is nothing else to clean: the default.")
@click.option(
    "--all", "everywhere", is_flag=True, help="All namespaces of this user, not only the current one."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@json_option
@namespace_option
@bounded(30)
def clean(shm: bool, everywhere: bool, dry_run: bool, as_json: bool) -> None:
    """Remove topics, pools and records that no living process uses, and print them.

    Never what a living process maps: cleaning under a running robot is safe.

    Examples:
      horus clean                    what is left of dead processes in this namespace
      horus clean --all --dry-run    what there is to remove in all of yours
    """
    from horus_core.shm import namespace  # noqa: PLC0415 - not needed for --help
    from horus_plugins.monitor import clean as cleaning  # noqa: PLC0415

    del shm
    done = cleaning.clean(everywhere=everywhere, dry_run=dry_run)
    if as_json:
        print_json(done)
        return
    for name in done.removed:
        click.echo(safe(str(namespace.SHM / name)))
    click.echo(_summary(done, everywhere=everywhere), err=True)


def _summary(done: Cleaned, *, everywhere: bool) -> str:
    place = "all namespaces of this user" if everywhere else f"namespace {done.namespaces[0]!r}"
    if not done.removed:
        return f"Nothing to remove in {place}: all of it is in use, or there is nothing."
    return f"{'Would remove' if done.dry_run else 'Removed'} {len(done.removed)} from {place}."
