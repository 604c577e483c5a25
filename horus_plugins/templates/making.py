"""Making a folder from templates: all of it, or nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from horus_core.errors import ConfigError
from horus_plugins.templates import kinds
from horus_plugins.templates.names import Names, names, refuse_taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_plugins.templates.kinds import Kind

FILES = Path(__file__).parent / "files"
_SUFFIX = ".in"
_PLACEHOLDER = re.compile(r"@(\w+)@")
_BOX = "horus-core"


class Made(NamedTuple):
    """What was made, and what to do with it."""

    folder: Path
    files: list[str]
    """Within the folder, in order."""
    next_commands: list[str]


class MadeReport(msgspec.Struct):
    """What was made, for programs."""

    folder: str
    files: list[str]
    next_commands: list[str]


def make(kind: Kind, said: str, where: Path) -> Made:
    """Fill in the templates of a kind, in a new folder in `where` that is called as the distribution, or project.

    Raises InvalidNameError for a name that cannot be used, ConfigError where the folder has something in it or cannot
    be made. Then nothing is left behind.
    """
    found = names(said)
    values = _values(kind, found)
    refuse_taken(values["entry"], kind.taken(), kind.folder)
    folder = where / (found.distribution if kind.group else said)
    texts = _filled(kind, values)
    _place(texts, folder)
    first = [f"cd {folder.name}"]
    if kind.group:
        first.append("pip install -e '.[test]'")
    shown = [_fill(command, values) for command in kind.try_it]
    return Made(folder, sorted(texts), [*first, "pytest", *shown])


def _values(kind: Kind, found: Names) -> dict[str, str]:
    values = found.placeholders()
    texts = {
        "group": kind.group,
        "entry": kind.entry,
        "object": kind.object,
        "description": kind.description,
        "change": kind.change,
    }
    values |= {key: _fill(text, values) for key, text in texts.items()}
    values["horus"] = ".".join(version(_BOX).split(".")[:2])
    return values


def _filled(kind: Kind, values: Mapping[str, str]) -> dict[str, str]:
    """By path: the text of each file."""
    folders = [kinds.PACKAGE, kind.folder] if kind.group else [kind.folder]
    return {
        _fill(str(path.relative_to(FILES / folder)).removesuffix(_SUFFIX), values): _fill(
            path.read_text(encoding="utf-8"), values
        )
        for folder in folders
        for path in (FILES / folder).rglob(f"*{_SUFFIX}")
    }


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _place(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files beside the folder, and then give that its name: whoever looks finds all of them, or none."""
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise _refused(folder, "it exists, and is not empty" if folder.is_dir() else "a file is called so")
    try:
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            new.chmod(0o777 & ~_umask())
            for path, text in texts.items():
                file = new / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            new.rename(folder)  # which may be an empty folder
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from error


def _refused(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"Making {str(folder)!r} failed: expected a folder that is new or empty, in one where you may write, got: "
        f"{why}. Choose another name, or go to another folder."
    )


def _umask() -> int:
    """What new folders are not to allow: mkdtemp() makes one for its user alone."""
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"^Umask:\s*(\d+)$", text, re.MULTILINE)
    return int(found[1], 8) if found else 0o022
