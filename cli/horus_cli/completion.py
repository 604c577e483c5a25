"""`horus completion`: what a shell needs to complete the command line."""

from __future__ import annotations

import sys

import click

_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/horus",
    "zsh": "~/.zfunc/_horus  (with ~/.zfunc in fpath, before compinit)",
    "fish": "~/.config/fish/completions/horus.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(sorted(_PLACES)))
def completion(shell: str) -> None:
    """Print a script that has SHELL complete commands, options, topics, nodes and sessions.

    Examples:
      horus completion bash > ~/.local/share/bash-completion/completions/horus
      horus completion fish > ~/.config/fish/completions/horus.fish
      eval "$(horus completion zsh)"
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - needed only here

    found = get_completion_class(shell)
    if found is None:  # a click without that shell
        raise click.UsageError(f"This version of click completes no {shell}.")
    click.echo(
        found(click.get_current_context().find_root().command, {}, "horus", "_HORUS_COMPLETE").source()
    )
    if sys.stdout.isatty():  # elsewhere it is kept already, or a shell reads it at each of its starts
        click.echo(f"To keep it: {_PLACES[shell]}", err=True)
