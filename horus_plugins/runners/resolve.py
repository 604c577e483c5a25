"""From the words of a command line to targets: files, quoted globs, and what to say about anything else."""

from __future__ import annotations

import glob
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.errors import LaunchError
from horus_plugins.runners.executable import ExecutableRunner
from horus_plugins.runners.python import PythonRunner
from horus_plugins.runners.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.runners.target import Runner

RUNNERS: tuple[Runner, ...] = (PythonRunner(), ExecutableRunner())


def resolve(words: Iterable[str]) -> list[Target]:
    """The targets that the words name, in order; the matches of a glob alphabetically.

    Raises LaunchError for a word that names nothing, or nothing that can be run.
    """
    paths = [path for word in words for path in _paths(word)]
    runners = [_runner(path) for path in paths]
    return [
        Target(path, runner, label) for path, runner, label in zip(paths, runners, labels(paths), strict=True)
    ]


def _paths(word: str) -> list[Path]:
    path = Path(word)
    if path.is_file():
        return [path]
    if path.is_dir():
        raise LaunchError(f"Running {word!r} failed: expected a file, got a directory. Try '{path}/*.py'.")
    if not glob.has_magic(word):
        raise _not_found(path, word)
    # Not Path.glob: that takes no absolute patterns.
    matches = sorted(Path(match) for match in glob.glob(word, recursive=True))  # noqa: PTH207
    files = [match for match in matches if match.is_file()]
    if not files:
        raise LaunchError(f"Running {word!r} failed: no file matches it in {Path.cwd()}. Check the pattern.")
    return files


def _not_found(path: Path, word: str) -> LaunchError:
    looked = f"looked for the file {Path.cwd() / path}"
    try:
        nearby = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        nearby = []
    import difflib  # noqa: PLC0415 - only for an error's text

    close = difflib.get_close_matches(path.name, nearby, n=1)
    hint = f"Did you mean {str(path.with_name(close[0]))!r}?" if close else "Check the name and the folder."
    return LaunchError(f"Running {word!r} failed: {looked}; there is none. {hint}")


def _runner(path: Path) -> Runner:
    for runner in RUNNERS:
        if runner.accepts(path):
            return runner
    raise LaunchError(
        f"Running {str(path)!r} failed: expected a .py file or an executable, got a file that is neither. "
        f"For a program, `chmod +x {path}`."
    )


def labels(paths: list[Path]) -> list[str]:
    """A short name for each path, all different: the stem, with its folder or a number where stems repeat."""
    short = _with_folder([path.stem for path in paths], paths)
    seen: Counter[str] = Counter()
    result = []
    for label in short:
        seen[label] += 1
        result.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return result


def _with_folder(stems: list[str], paths: list[Path]) -> list[str]:
    repeated = {stem for stem, count in Counter(stems).items() if count > 1}
    folders = [path.absolute().parent.name for path in paths]
    return [
        f"{folder}/{stem}" if stem in repeated else stem for stem, folder in zip(stems, folders, strict=True)
    ]
