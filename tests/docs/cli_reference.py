"""docs/cli-reference.md, made from the commands: run this file, or `make reference`, to write it anew."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
from horus_cli import commands

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli-reference.md"
HEAD = """\
# Reference of the command line

Every command that comes with HORUS with all its options, written by `make reference` from the commands themselves.
How they are used is in [the `horus` command](cli.md). All take `-h` or `--help`; `--debug`, `--no-plugins` and
`--namespace` may also stand before any of them: `horus --namespace robot topic list`.

"""
_KEPT = "\b\n"
_EXAMPLES = "Examples:"


def page():
    """The whole text of the page."""
    own = [name for _, listed in commands.by_task() for name, _ in listed]
    parts = [part for name in own for part in _command([name], commands.load(name))]
    return HEAD + "\n".join(parts)


def examples(command):
    """(command line, what it is for) of each example in a command's help."""
    for paragraph in _paragraphs(command):
        if paragraph.startswith(_KEPT + _EXAMPLES):
            for line in paragraph.splitlines()[2:]:
                shown, _, meaning = re.sub(r"\s{2,}", "\0", line.strip(), count=1).partition("\0")
                yield shown, meaning


def walk(words, command):
    """(words, command) of the command and of all below it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from walk([*words, name], command.get_command(context, name))


def _command(words, command):
    for path, one in walk(words, command):
        yield f"## horus {' '.join(path)}\n"
        usage = " ".join(one.collect_usage_pieces(click.Context(one, info_name=path[-1])))
        yield f"`horus {' '.join(path)} {usage}`\n"
        for paragraph in _paragraphs(one):
            if not paragraph.startswith(_KEPT):
                yield f"{_escaped(' '.join(paragraph.split()))}\n"
        yield from _options(one)
        found = list(examples(one))
        if found:
            width = max(len(shown) for shown, _ in found)
            lines = [f"{shown:<{width}}  # {meaning}" if meaning else shown for shown, meaning in found]
            yield "```sh\n" + "\n".join(lines) + "\n```\n"


def _options(command):
    rows = [
        option.get_help_record(click.Context(command))
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if rows:
        yield "| option | |"
        yield "|---|---|"
        for names, meaning in rows:
            yield f"| `{names.replace('|', chr(92) + '|')}` | {_escaped(meaning)} |"
        yield ""


def _paragraphs(command):
    return [part for part in inspect.cleandoc(command.help or "").split("\n\n") if part.strip()]


def _escaped(text):
    return " ".join(re.sub(r"([|<>*\[\]])", r"\\\1", text).split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
