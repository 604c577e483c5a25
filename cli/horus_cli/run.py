"""`horus run`: start files and packaged nodes, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from horus_plugins.packages.settings import Settings
    from horus_plugins.runners.target import Target

_ARGUMENTS = "horus_cli.run.arguments"


class _RunCommand(click.Command):
    """Keeps what follows `--` apart: click would join it with the targets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Cut the line at the first `--`."""
        if "--" in args:
            cut = args.index("--")
            ctx.meta[_ARGUMENTS] = tuple(args[cut + 1 :])
            args = args[:cut]
        return super().parse_args(ctx, args)


@click.command(cls=_RunCommand, options_metavar="[OPTIONS]")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET... [-- ARGS...]")
@click.option("--isolated", is_flag=True, help="Share topics with nobody else: a namespace of its own.")
@click.option("--rate", type=float, metavar="HZ", help="Of a packaged node: how often it ticks.")
@click.option(
    "--param", multiple=True, metavar="NAME=VALUE", help="Of a packaged node: a parameter. Repeatable."
)
@click.option(
    "--topic", multiple=True, metavar="OLD=NEW", help="Of a packaged node: use topic NEW for OLD. Repeatable."
)
@click.option("--name", metavar="NAME", help="Of a packaged node: the node's name.")
@click.pass_context
def run(
    ctx: click.Context,
    targets: tuple[str, ...],
    isolated: bool,
    rate: float | None,
    param: tuple[str, ...],
    topic: tuple[str, ...],
    name: str | None,
) -> int:
    """Run TARGETs: .py files, quoted globs ("nodes/*.py"), packaged nodes, executables.

    One target takes the place of this command. Several run concurrently, their output labelled; Ctrl+C
    stops all of them with SIGTERM, a second Ctrl+C insists, a third kills. What follows -- goes to every
    target as its arguments. The exit code is the worst of all, 128 + n for a process that signal n ended.

    Examples:
      horus run sensor.py                        one file
      horus run sensor.py controller.py          several, each in a process of its own
      horus run "nodes/*.py"                     every match of a quoted glob
      horus run wander --rate 50 -- --fast       a packaged node; what follows -- goes to it
    """
    from horus_plugins.runners.resolve import resolve  # noqa: PLC0415 - not needed for --help

    found = resolve(targets)
    if param or topic or rate is not None or name is not None:
        from horus_plugins.packages.settings import settings  # noqa: PLC0415 - not for files

        found = [_placed(found, settings(param, rate, topic, name))]
    arguments: tuple[str, ...] = ctx.meta.get(_ARGUMENTS, ())
    if len(found) == 1 and not isolated:
        from horus_plugins.launch.single import run_one  # noqa: PLC0415 - without what supervising needs

        run_one(found[0], arguments)
    from horus_plugins.launch.several import run_several  # noqa: PLC0415

    return run_several(found, arguments, isolated=isolated)


def _placed(found: list[Target], settings: Settings) -> Target:
    """The one packaged node of the line, with what --rate and its like say."""
    if [target.runner.name for target in found] != ["package"]:
        raise click.UsageError(
            f"--rate, --param, --topic and --name set up one packaged node; got "
            f"{', '.join(f'{target.name} ({target.language})' for target in found)}. What a file is to have as its "
            f"arguments follows --."
        )
    from horus_plugins.packages.runner import package  # noqa: PLC0415 - not for files

    return package(found[0].name, settings)
