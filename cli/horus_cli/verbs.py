"""Commands with verbs, each a module of its own: imported when it runs, or to show its summary."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from horus_cli import help_text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verbs(click.Group):
    """A group whose verbs stand in a table: `@click.group(cls=Verbs, verbs={"list": "module:function"})`."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for help and completion, as the table has them."""
        del ctx
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb; None for an unknown name."""
        del ctx
        if cmd_name not in self._verbs:
            return None
        module, _, function = self._verbs[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        help_text.keep_lists(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; for an unknown one, name the nearest."""
        if args[0] not in self._verbs and not args[0].startswith("-"):
            from horus_core.plugins import reasons  # noqa: PLC0415 - only for an error

            near = reasons.nearest(args[0], list(self._verbs))
            raise click.UsageError(f"No such command {args[0]!r}.{near}", ctx)
        return super().resolve_command(ctx, args)
