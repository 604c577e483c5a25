"""How the help of a command is laid out: its docstring, with lists and examples line by line."""

from __future__ import annotations

from inspect import cleandoc

import click

_KEPT = "\b\n"
"""Click's mark of a paragraph that it is not to fill."""


def keep_lists(command: click.Command) -> None:
    """Have click show a paragraph with indented lines as it stands, in the help of the command and of its verbs."""
    if command.help is not None:
        paragraphs = cleandoc(command.help).split("\n\n")
        # In lists of commands the first sentence as a whole: click would cut it to a line.
        first, more, _ = " ".join(paragraphs[0].split()).partition(". ")
        command.short_help = command.short_help or first + more.rstrip()
        command.help = "\n\n".join(
            _KEPT + one if "\n  " in one and not one.startswith(_KEPT) else one for one in paragraphs
        )
    if isinstance(command, click.Group):
        for verb in command.commands.values():
            keep_lists(verb)
