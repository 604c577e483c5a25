"""From the words of a command line to targets: files, globs, scripts, packaged nodes, and what to say of the rest."""

from __future__ import annotations

import glob
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from horus_core.errors import LaunchError
from horus_plugins.runners import registry, scripts
from horus_plugins.runners.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_core.abc import Runner


class _Found(NamedTuple):
    name: str
    runner: Runner
    short: str
    folder: str
    """What tells two of one short name apart."""


def resolve(words: Iterable[str]) -> list[Target]:
    """The targets that the words name, in order; the matches of a glob alphabetically.

    A file wins over a script of the project, and that over a packaged node. Raises LaunchError for a word that names
    nothing, or nothing that can be run.
    """
    found = [one for word in words for one in _named(word)]
    return [Target(one.name, one.runner, label) for one, label in zip(found, _labels(found), strict=True)]


def _named(word: str, *, script: bool = True) -> list[_Found]:
    path = Path(word)
    if path.is_file():
        return [_file(path)]
    words = scripts.words_of(word) if script and path.suffix != ".py" else None
    if words is not None:
        return [one for inner in words for one in _named(inner, script=False)]
    if glob.has_magic(word):
        return [_file(match) for match in _matches(word)]
    runner = registry.for_word(word) if path.suffix != ".py" else None
    if runner is not None:
        before, colon, after = word.partition(":")
        return [_Found(word, runner, after, before) if colon else _Found(word, runner, word, "")]
    if path.is_dir():
        raise LaunchError(f"Running {word!r} failed: expected a file, got a directory. Try '{path}/*.py'.")
    raise _not_found(path, word)


def _file(path: Path) -> _Found:
    runner = registry.for_file(str(path), path.suffix)
    if runner is None:
        raise LaunchError(
            f"Running {str(path)!r} failed: expected a .py file or an executable, got a file that is neither. "
            f"For a program, `chmod +x {path}`; for {path.suffix or 'other'} files, install a plugin that runs them."
        )
    return _Found(str(path), runner, path.stem, path.absolute().parent.name)


def _matches(pattern: str) -> list[Path]:
    # Not Path.glob: that takes no absolute patterns.
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207
    files = [match for match in matches if match.is_file()]
    if not files:
        raise LaunchError(
            f"Running {pattern!r} failed: no file matches it in {Path.cwd()}. Check the pattern."
        )
    return files


def _not_found(path: Path, word: str) -> LaunchError:
    from horus_plugins.packages.installed import known_words  # noqa: PLC0415 - only for an error's text

    file, script = Path.cwd() / path, f"a script of {scripts.place()}"
    looked = f"looked for the file {file}, {script} and a packaged node of that name"
    try:
        nearby = [str(path.with_name(entry.name)) for entry in path.parent.iterdir()]
    except OSError:
        nearby = []
    import difflib  # noqa: PLC0415 - only for an error's text

    close = difflib.get_close_matches(str(path), [*nearby, *scripts.names(), *known_words()], n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "Check the name and the folder."
    return LaunchError(f"Running {word!r} failed: {looked}; there is none. {hint}")


def _labels(found: list[_Found]) -> list[str]:
    """A short name for each, all different: with its folder, or a number, where short names repeat."""
    repeated = {short for short, count in Counter(one.short for one in found).items() if count > 1}
    seen: Counter[str] = Counter()
    result = []
    for one in found:
        label = f"{one.folder}/{one.short}" if one.short in repeated and one.folder else one.short
        seen[label] += 1
        result.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return result
