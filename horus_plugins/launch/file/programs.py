"""What a node's command executes: found, checked and written out before anything starts.

There is no shell. `horus`, `python` and `python3` are those of the interpreter that runs HORUS, so that a node never
runs in another environment than the launcher; another Python is written with its path, `/usr/bin/python3`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from horus_core.errors import HorusError, LaunchError
from horus_plugins.launch.file import run_line
from horus_plugins.launch.file.problems import nearest, shown
from horus_plugins.packages.installed import find, known_words
from horus_plugins.packages.runner import PackageRunner
from horus_plugins.packages.settings import Settings
from horus_plugins.runners.python import interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_plugins.launch.file.nodes import LaunchNode
    from horus_plugins.launch.file.problems import Problems

_PYTHON = ("python", "python3")
_ENDS_OPTIONS = re.compile(r"-[A-Za-z]*[cm]")
_TAKES_VALUE = ("-W", "-X", "--check-hash-based-pycs")


class Program(NamedTuple):
    """A command line that can be executed as it stands."""

    kind: str
    words: tuple[str, ...]


class Programs:
    """Finds the programs of a file's nodes; each Python file is compiled once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._compiled: dict[Path, str | None] = {}

    def of(self, node: LaunchNode, cwd: Path) -> Program | None:
        """The node's program; None when there is none, which is noted at the line of its command."""
        if node.package is None and node.command is None:
            return None
        try:
            return self._package(node) if node.package is not None else self._command(node, cwd)
        except HorusError as error:
            key = next(key for key in ("package", "command", "cmd") if key in node.mapping.entries)
            self._problems.add(node.place(key), f"{key} of {node.label}: {error}")
            return None

    def _package(self, node: LaunchNode) -> Program:
        word = node.package or ""
        if find(word) is None:
            hint = nearest(word, known_words()) or " `horus package list` shows what there is."
            file = node.folder / word
            if file.is_file():
                hint = f" For the file write `command: horus run {shlex.quote(word)}`."
            raise LaunchError(
                f"expected an installed package with nodes, or one of its nodes, got {word!r}.{hint}"
            )
        runner = PackageRunner(Settings(topics=node.topics, name=node.own_name))
        return Program("package", (*runner.command(word), *node.args))

    def _command(self, node: LaunchNode, cwd: Path) -> Program:
        words = list(node.command or ())
        if not words or not words[0]:
            raise LaunchError("expected a command line, got nothing.")
        first, rest = words[0], words[1:]
        if first == "horus":
            return self._horus(rest, node, cwd)
        if first in _PYTHON:
            self._check_script(rest, cwd)
            return Program("python", (interpreter(first), *rest, *node.args))
        if first.endswith(".py"):
            return self._target(run_line.Line(first, (*rest, *node.args)), cwd)
        return Program("executable", (_executable(first, node, cwd), *rest, *node.args))

    def _horus(self, words: list[str], node: LaunchNode, cwd: Path) -> Program:
        line = run_line.parse(words, node.args)
        if line is not None:
            one = run_line.through_scripts(line, cwd)
            if one is not None:
                return self._target(one, cwd)
        # Not by the name `horus`, which may be another environment's. -P: no module of the folder it starts in.
        safe = ("-P",) if sys.version_info >= (3, 11) else ()
        before = ("--",) if node.args and words[:1] == ["run"] and "--" not in words else ()
        return Program("horus", (interpreter("horus"), *safe, "-m", "horus_cli", *words, *before, *node.args))

    def _target(self, line: run_line.Line, cwd: Path) -> Program:
        target = run_line.target(line, cwd)
        if target.runner.name == "py":
            self._compile(Path(target.name))
        else:
            target.build()
        words = target.command(line.arguments)
        if target.runner.name == "py":  # sys.argv[0] as `horus run` would have it
            words[1] = line.word
        return Program(target.language, tuple(words))

    def _check_script(self, words: Sequence[str], cwd: Path) -> None:
        skip = False
        for word in words:
            if skip or word in _TAKES_VALUE:
                skip = not skip
            elif _ENDS_OPTIONS.fullmatch(word) or word == "-":
                return
            elif not word.startswith("-"):
                path = cwd / word
                if not path.exists():
                    raise missing(word, cwd)
                if path.suffix == ".py":
                    self._compile(path)
                return

    def _compile(self, path: Path) -> None:
        """Find a syntax error before anything has started. Nothing is written."""
        if path not in self._compiled:
            self._compiled[path] = _syntax_error(path)
        error = self._compiled[path]
        if error is not None:
            raise LaunchError(error)


def missing(word: str, cwd: Path) -> LaunchError:
    """The error for a file that is not there, with the nearest that is."""
    path = cwd / word
    try:
        nearby = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        nearby = []
    return LaunchError(
        f"expected a file, got {shown(word)}, which is not in {cwd}.{nearest(path.name, nearby)}"
    )


def _syntax_error(path: Path) -> str | None:
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except OSError as error:
        return f"expected a Python file that can be read, got {path}: {error.strerror}."
    except SyntaxError as error:
        return f"expected Python, got a syntax error: {error.msg} ({path}:{error.lineno})."
    except ValueError as error:
        return f"expected Python, got {path}: {error}."
    return None


def _executable(word: str, node: LaunchNode, cwd: Path) -> str:
    if "/" not in word and not word.startswith("~"):
        path = node.env.get("PATH", os.environ.get("PATH", os.defpath))
        found = shutil.which(word, path=path)
        if found is not None:
            return str(cwd / found)
        here = f" For the file in {cwd} write ./{word}." if (cwd / word).is_file() else ""
        raise LaunchError(
            f"expected a program, got {shown(word)}, which is not in PATH.{here or ' Install it, or write its path.'}"
        )
    file = cwd / Path(word).expanduser()
    if not file.exists():
        raise missing(word, cwd)
    if not file.is_file():
        raise LaunchError(f"expected a program, got {shown(word)}, which is a directory.")
    if not os.access(file, os.X_OK):
        raise LaunchError(
            f"expected a program, got {shown(word)}, which may not be executed: `chmod +x {file}`."
        )
    _check_interpreter(file)
    return os.path.normpath(file)


def _check_interpreter(file: Path) -> None:
    """That what the first line of a script names is there: else the system says that the script is not."""
    try:
        with file.open("rb") as opened:
            head = opened.read(256)
    except OSError:  # may be executed but not read: it is no script
        return
    words = head[2:].split(b"\n")[0].split() if head[:2] == b"#!" else []
    if words and not Path(os.fsdecode(words[0])).exists():
        raise LaunchError(
            f"expected {file} to start with a program that is there, got #!{os.fsdecode(words[0])}."
        )
