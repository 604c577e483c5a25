"""The group of all commands. A command's module is imported when that command runs, not for `--help`."""

from __future__ import annotations

import importlib
from typing import NamedTuple, cast

import click


class _Entry(NamedTuple):
    module: str
    summary: str


# Each module has a click command of the same name.
_COMMANDS = {
    "blackbox": _Entry("horus_cli.blackbox", "Show what a scheduler did last, also one that was killed."),
    "clean": _Entry("horus_cli.clean", "Remove what no living process uses from shared memory."),
    "estop": _Entry("horus_cli.estop", "Stop the robot, let it go again, or see how it stands."),
    "msg": _Entry("horus_cli.msg", "See, check and compare message types."),
    "run": _Entry("horus_cli.run", "Run Python files and executables, each in a process of its own."),
    "topic": _Entry("horus_cli.topic", "See the topics of this namespace."),
}


class LazyGroup(click.Group):
    """Knows names and summaries of all commands, and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for help and completion."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for an unknown name."""
        del ctx
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        return cast("click.Command", getattr(importlib.import_module(entry.module), cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, from the table alone."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in sorted(_COMMANDS.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one, name the nearest."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            import difflib  # noqa: PLC0415 - only for an error's text

            close = difflib.get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and needed only here

        click.echo(f"horus {version('horus-core')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
@click.pass_context
def horus(ctx: click.Context) -> None:
    """HORUS: robots in Python. Processes that share topics over shared memory.

    Processes with the same HORUS_NAMESPACE share topics; without it, those of one terminal do.
    """
    if ctx.invoked_subcommand != "clean":  # which says what it removes
        from horus_core.shm import cleaner  # noqa: PLC0415 - not needed for --help

        cleaner.clean_quietly()
