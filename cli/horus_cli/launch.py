"""`horus launch`: start what a launch file describes, or say what it would start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from horus_cli.options import Number, chosen_namespace, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_cli.launch_sessions import Where
    from horus_plugins.launch.file.launch_file import Choice

_VERBS = ("check", "list", "dry_run", "schema")
_ASKED = ("status", "stop", "attach", "restart", "reload")


@click.command()
@click.argument("file", required=False, type=click.Path(), metavar="[FILE]")
@click.option("--check", is_flag=True, help="Only tell what is wrong with FILE.")
@click.option("--list", is_flag=True, help="Only show the nodes, and what each waits for.")
@click.option(
    "--dry-run", is_flag=True, help="Only show what would be started: commands, environment, waits."
)
@click.option("--schema", is_flag=True, help="Show the JSON Schema of launch files, for editors.")
@json_option
@click.option(
    "--namespace",
    metavar="NAME",
    default=chosen_namespace,
    help="Whose topics they share, in the place of the file's.",
)
@click.option(
    "--only", multiple=True, metavar="NODE", help="This node, or r1.*, and what it depends on. Repeatable."
)
@click.option(
    "--except", "exclude", multiple=True, metavar="NODE", help="Not this node, or r1.*. Repeatable."
)
@click.option("--set", "sets", multiple=True, metavar="NODE.PARAM=VALUE", help="A parameter. Repeatable.")
@click.option(
    "--session", metavar="NAME", help="Another name than the file's; with --restart, the one meant."
)
@click.option(
    "--log-dir",
    type=click.Path(file_okay=False, resolve_path=True),
    metavar="DIR",
    help="Keep the nodes' output in DIR/SESSION, not in shared memory.",
)
@click.option("--detach", is_flag=True, help="Start it in the background, and return when all is ready.")
@click.option("--status", is_flag=True, help="Show the sessions that run, in all namespaces of this user.")
@click.option(
    "--watch",
    type=Number(min=0.05, max=86_400),
    is_flag=False,
    flag_value=1.0,
    default=None,
    metavar="[SECONDS]",
    help="With --status: show it anew every SECONDS (1), until q or Ctrl+C.",
)
@click.option("--stop", metavar="SESSION", help="Stop a session, and wait until it is over.")
@click.option("--attach", metavar="SESSION", help="Show a session's output until it is over, or Ctrl+C.")
@click.option("--restart", metavar="NODE", help="Stop the process of a node that runs, and start it again.")
@click.option(
    "--reload", metavar="SESSION", help="Read its file again: start, stop and restart what has changed."
)
@click.option(
    "--timeout",
    type=Number(min=0, max=86_400, min_open=True),
    default=None,
    metavar="SECONDS",
    help="Of --stop (30) and --detach (60): exit with 124 when it takes longer.",
)
def launch(
    *,
    file: str | None,
    as_json: bool,
    namespace: str | None,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    sets: tuple[str, ...],
    session: str | None,
    log_dir: str | None,
    detach: bool,
    watch: float | None,
    timeout: float | None,
    **verbs: Any,
) -> int:
    """Start the processes that the launch file FILE describes, watch them, and stop them together.

    Examples:
      horus launch robot.yaml                       start all; Ctrl+C stops all
      horus launch robot.yaml --check               what is wrong with it
      horus launch robot.yaml --dry-run             what would be started, and how
      horus launch robot.yaml --only arm --set arm.max_speed=0.5
      horus launch robot.yaml --detach              in the background
      horus launch --status                         what runs
      horus launch --attach robot                   its output; Ctrl+C leaves it running
      horus launch --restart arm
      horus launch --reload robot                   after the file was edited
      horus launch --stop robot                     from any terminal
    """
    verb = _verb(verbs)
    if watch is not None and verb != "status":
        raise click.UsageError("--watch goes with --status.")
    if verb == "schema":
        return _show_schema()
    if verb in _ASKED:
        from horus_cli import launch_sessions  # noqa: PLC0415 - not needed to run

        where = launch_sessions.Where(namespace, session, timeout, watch)
        return _ask(verb, verbs[verb], file, where, as_json=as_json)
    if file is None:
        raise click.UsageError("Expected a launch file, got none.")
    from horus_plugins.launch.file.launch_file import Choice  # noqa: PLC0415 - not needed for --help

    choice = Choice(namespace, session, only, exclude, sets)
    if verb:
        return _show(verb, file, choice, as_json=as_json)
    if as_json:
        raise click.UsageError("--json goes with --check, --list, --dry-run, --status and --reload.")
    from horus_cli import launch_run  # noqa: PLC0415 - not needed for --help

    if detach:
        return launch_run.detach(file, choice, log_dir or "", timeout)
    return launch_run.run(file, choice, log_dir or "")


def _verb(verbs: Mapping[str, Any]) -> str:
    """The one that was chosen; "" for none."""
    chosen = [name for name in (*_VERBS, *_ASKED) if verbs[name] not in (None, False)]
    if len(chosen) > 1:
        both = " and ".join("--" + name.replace("_", "-") for name in chosen)
        raise click.UsageError(f"Expected one of these, got {both}.")
    return chosen[0] if chosen else ""


def _ask(verb: str, name: str, file: str | None, where: Where, *, as_json: bool) -> int:
    """What is asked of sessions that run."""
    from horus_cli import launch_sessions as sessions  # noqa: PLC0415 - not needed to run

    if file is not None:
        raise click.UsageError(f"--{verb} takes no launch file, got {file}.")
    verbs = {
        "status": sessions.status,
        "stop": sessions.stop,
        "attach": sessions.attach,
        "restart": sessions.restart,
        "reload": sessions.reload,
    }
    return verbs[verb](name, where, as_json=as_json)


def _show(verb: str, file: str, choice: Choice, *, as_json: bool) -> int:
    """What a file would start."""
    from horus_cli import launch_show  # noqa: PLC0415 - not needed to run

    verbs = {"check": launch_show.check, "list": launch_show.list_nodes, "dry_run": launch_show.dry_run}
    return verbs[verb](file, choice, as_json=as_json)


def _show_schema() -> int:
    import json  # noqa: PLC0415 - not needed for --help

    from horus_plugins.launch.file.schema import schema  # noqa: PLC0415

    click.echo(json.dumps(schema(), indent=2))
    return 0
