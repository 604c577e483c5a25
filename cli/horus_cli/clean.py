"""`horus clean`: remove what no living process uses."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--shm", is_flag=True, help="Clean shared memory. There is nothing else to clean: the default.")
@click.option(
    "--all", "everywhere", is_flag=True, help="All namespaces of this user, not only the current one."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def clean(shm: bool, everywhere: bool, dry_run: bool, as_json: bool) -> None:
    """Remove topics, pools and records that no living process uses, and print them.

    Never what a living process maps: cleaning under a running robot is safe.
    """
    from horus_core.shm import cleaner, namespace  # noqa: PLC0415 - not needed for --help

    del shm
    where = namespace.mine() if everywhere else [namespace.current()]
    removed = cleaner.clean(where, records=True, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"namespaces": where, "dry_run": dry_run, "removed": removed}))
        return
    for name in removed:
        click.echo(namespace.SHM / name)
    click.echo(_summary(len(removed), where, everywhere=everywhere, dry_run=dry_run), err=True)


def _summary(count: int, where: list[str], *, everywhere: bool, dry_run: bool) -> str:
    place = "all namespaces of this user" if everywhere else f"namespace {where[0]!r}"
    if count == 0:
        return f"Nothing to remove in {place}: all of it is in use, or there is nothing."
    return f"{'Would remove' if dry_run else 'Removed'} {count} from {place}."
