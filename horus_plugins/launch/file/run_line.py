"""`horus run X` in a command, resolved to what it would execute: the same process, one start of Python earlier."""

from __future__ import annotations

import argparse
import glob
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from horus_core.errors import LaunchError
from horus_plugins.launch.file.problems import nearest, shown
from horus_plugins.packages.installed import known_words
from horus_plugins.packages.runner import package
from horus_plugins.packages.settings import Settings, settings
from horus_plugins.runners import registry, scripts
from horus_plugins.runners.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Line(NamedTuple):
    """`horus run` of one target."""

    word: str
    arguments: tuple[str, ...] = ()
    settings: Settings | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise LaunchError(message)


def parse(words: Sequence[str], arguments: tuple[str, ...]) -> Line | None:
    """The line, if it runs one target in place of `horus`; None for several targets, other options and commands.

    Raises LaunchError for settings that are none.
    """
    if not words or words[0] != "run":
        return None
    cut = words.index("--") if "--" in words else len(words)
    parser = _Parser(allow_abbrev=False, add_help=False)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--name")
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--topic", action="append", default=[])
    told, others = parser.parse_known_intermixed_args(list(words[1:cut]))
    if others or len(told.targets) != 1:
        return None
    given = told.rate is not None or told.name is not None or told.param or told.topic
    chosen = settings(told.param, told.rate, told.topic, told.name) if given else None
    return Line(told.targets[0], (*words[cut + 1 :], *arguments), chosen)


def through_scripts(line: Line, cwd: Path) -> Line | None:
    """The line with what a script of the project stands for; None when that is not one target."""
    if (cwd / line.word).is_file() or line.word.endswith(".py"):
        return line
    words = scripts.words_of(line.word, str(cwd))
    if words is None:
        return None if glob.has_magic(line.word) else line
    return line._replace(word=words[0]) if len(words) == 1 and not glob.has_magic(words[0]) else None


def target(line: Line, cwd: Path) -> Target:
    """What the line runs in that folder: a file, by its full path, or a packaged node. Raises LaunchError."""
    path = cwd / line.word
    if path.is_file():
        runner = registry.for_file(str(path), path.suffix)
        if runner is None:
            raise LaunchError(
                f"expected a .py file or an executable, got {shown(line.word)}, which is neither. For a program, "
                f"`chmod +x {path}`."
            )
        if line.settings is not None:
            raise LaunchError(f"expected a packaged node for these options, got the file {shown(line.word)}.")
        return Target(str(path), runner, path.stem)
    runner = None if line.word.endswith(".py") else registry.for_word(line.word)
    if runner is None:
        near = nearest(line.word, [*known_words(), *_files(path)])
        raise LaunchError(
            f"expected a file, a script of {scripts.place(str(cwd))} or a packaged node, got {shown(line.word)}: "
            f"there is none in {cwd}.{near}"
        )
    return (
        package(line.word, line.settings)
        if runner.name == "package"
        else Target(line.word, runner, line.word)
    )


def _files(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []
