"""`horus launch`: start what a launch file describes, or say what it would start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horus_cli.common import json_option

if TYPE_CHECKING:
    from horus_plugins.launch.file.launch_file import Choice

_VERBS = ("check", "list", "dry_run", "schema")


@click.command()
@click.argument("file", required=False, type=click.Path(), metavar="[FILE]")
@click.option("--check", is_flag=True, help="Only tell what is wrong with FILE.")
@click.option("--list", is_flag=True, help="Only show the nodes, and what each waits for.")
@click.option(
    "--dry-run", is_flag=True, help="Only show what would be started: commands, environment, waits."
)
@click.option("--schema", is_flag=True, help="Show the JSON Schema of launch files, for editors.")
@json_option
@click.option("--namespace", metavar="NAME", help="Whose topics they share, in the place of the file's.")
@click.option(
    "--only", multiple=True, metavar="NODE", help="This node, or r1.*, and what it depends on. Repeatable."
)
@click.option(
    "--except", "exclude", multiple=True, metavar="NODE", help="Not this node, or r1.*. Repeatable."
)
@click.option("--set", "sets", multiple=True, metavar="NODE.PARAM=VALUE", help="A parameter. Repeatable.")
def launch(
    *,
    file: str | None,
    as_json: bool,
    namespace: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    sets: tuple[str, ...],
    **verbs: bool,
) -> int:
    """Start the processes that the launch file FILE describes, watch them, and stop them together.

    \b
    Examples:
      horus launch robot.yaml                       start all; Ctrl+C stops all
      horus launch robot.yaml --check               what is wrong with it
      horus launch robot.yaml --dry-run             what would be started, and how
      horus launch robot.yaml --only arm --set arm.max_speed=0.5
    """  # noqa: D301 - \b is click's sign for lines that are to stay
    ctx = click.get_current_context()
    chosen = [name for name in _VERBS if verbs[name]]
    if len(chosen) > 1:
        both = " and ".join("--" + name.replace("_", "-") for name in chosen)
        raise click.UsageError(f"Expected one of these, got {both}.", ctx)
    if verbs["schema"]:
        return _show_schema()
    if file is None:
        raise click.UsageError("Expected a launch file, got none.", ctx)
    from horus_plugins.launch.file.launch_file import Choice  # noqa: PLC0415 - not needed for --help

    choice = Choice(namespace, None, only, exclude, sets)
    if chosen:
        from horus_cli import launch_show  # noqa: PLC0415 - not needed to run

        return {"check": launch_show.check, "list": launch_show.list_nodes, "dry_run": launch_show.dry_run}[
            chosen[0]
        ](file, choice, as_json=as_json)
    if as_json:
        raise click.UsageError("--json goes with --check, --list and --dry-run.", ctx)
    return _run(file, choice)


def _show_schema() -> int:
    import json  # noqa: PLC0415 - not needed for --help

    from horus_plugins.launch.file.schema import schema  # noqa: PLC0415

    click.echo(json.dumps(schema(), indent=2))
    return 0


def _run(file: str, choice: Choice) -> int:
    from horus_plugins.launch.file.launch_file import plan  # noqa: PLC0415 - not needed for --help

    made = plan(file, choice)
    raise click.ClickException(
        f"{file} is right, with {len(made.nodes)} nodes, but starting them is not there yet. `horus run` starts "
        f"several targets; --dry-run shows what the nodes would be started with."
    )
