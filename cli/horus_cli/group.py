"""The group of all commands. A command is imported when it runs, not for `--help`."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING

import click

from horus_cli import commands, debugging
from horus_cli.options import namespace_option
from horus_core.plugins import reasons, rules

if TYPE_CHECKING:
    from horus_core.plugins.record import Plugin

_NO_PLUGINS = "--no-plugins"


class LazyGroup(click.Group):
    """Knows the names of all commands, and imports one when it is used."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Switch plugins off before anything asks for them, wherever among the options the switch stands."""
        if _NO_PLUGINS in takewhile(lambda arg: arg.startswith("-"), args):
            os.environ[rules.ONLY] = ""  # for the processes that are started, too
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for completion."""
        del ctx
        return commands.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for an unknown name."""
        del ctx
        return commands.load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The lists in `--help`: what comes with HORUS with its summary, the rest with its distribution."""
        del ctx
        width = max(map(len, commands.SUMMARIES))
        for task, listed in commands.by_task():
            with formatter.section(task):
                formatter.write_dl([(name.ljust(width), summary) for name, summary in listed])
        known = commands.known()
        if known.others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, _whose(known.others[name])) for name in sorted(known.others)])
        if known.shadowing:
            with formatter.section("Not used, for HORUS has commands of these names"):
                formatter.write_dl([(plugin.name, _whose([plugin])) for plugin in known.shadowing])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one, name the nearest."""
        name = args[0]
        command = None if name.startswith("-") else self.get_command(ctx, name)
        if command is not None:
            return name, command, args[1:]
        if name in commands.TO_COME:
            raise click.UsageError(
                f"`horus {name}` is not there yet: {commands.TO_COME[name]} are to come.", ctx
            )
        if not name.startswith("-"):
            commands.check_settings()
            raise click.UsageError(f"No such command {name!r}.{reasons.nearest(name, commands.names())}", ctx)
        return super().resolve_command(ctx, args)


def _whose(plugins: list[Plugin]) -> str:
    both = " and ".join(plugin.source for plugin in plugins)
    return both if len(plugins) == 1 else f"{both}: one too many"


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and needed only here

        click.echo(f"horus {version('horus-core')}")
        ctx.exit()


def _debug(_ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    debugging.show_tracebacks = debugging.show_tracebacks or wanted


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
@namespace_option
@click.option(_NO_PLUGINS, is_flag=True, expose_value=False, help="Use only what comes with HORUS.")
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_debug,
    help="Show errors with tracebacks.",
)
@click.pass_context
def horus(ctx: click.Context) -> None:
    """HORUS: robots in Python. Processes that share topics over shared memory.

    Processes with the same HORUS_NAMESPACE share topics; without it, those of one terminal do.
    """
    if ctx.invoked_subcommand != "clean":  # which says what it removes
        from horus_core.shm import cleaner  # noqa: PLC0415 - not needed for --help

        cleaner.clean_quietly()
