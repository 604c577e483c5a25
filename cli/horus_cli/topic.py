"""`horus topic`: look at the topics of a namespace. A verb is imported when it runs, or to show its summary."""

from __future__ import annotations

from importlib import import_module

import click

VERBS = {
    "list": "horus_cli.topic_list:list_topics",
}
"""Module and function of each, in the order of `horus topic --help`."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for help and completion."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb; None for an unknown name."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module, _, function = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command


@click.group(cls=_Verbs)
def topic() -> None:
    """See the topics of this namespace."""
