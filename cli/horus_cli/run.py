"""`horus run`: start files, each in a process of its own."""

from __future__ import annotations

import click

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
@click.pass_context
def run(ctx: click.Context, targets: tuple[str, ...], isolated: bool) -> int:
    """Run TARGETs: .py files, quoted globs ("nodes/*.py"), executables.

    One target takes the place of this command. Several run concurrently, their output labelled; Ctrl+C
    stops all of them with SIGTERM, a second Ctrl+C insists, a third kills. What follows -- goes to every
    target as its arguments. The exit code is the worst of all, 128 + n for a process that signal n ended.
    """
    from horus_plugins.runners.resolve import resolve  # noqa: PLC0415 - not needed for --help

    found = resolve(targets)
    arguments: tuple[str, ...] = ctx.meta.get(_ARGUMENTS, ())
    if len(found) == 1 and not isolated:
        from horus_plugins.launch.single import run_one  # noqa: PLC0415 - without what supervising needs

        run_one(found[0], arguments)
    from horus_plugins.launch.several import run_several  # noqa: PLC0415

    return run_several(found, arguments, isolated=isolated)
