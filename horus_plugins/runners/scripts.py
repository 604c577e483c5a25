"""The [scripts] of a project: short names for targets in its horus.toml.

    [scripts]
    drive = "nodes/drive.py"
    robot = ["camera.py", "horus-wander", "nodes/*.py"]

Files start at the folder of the horus.toml, from wherever `horus run drive` is called. A horus.yaml has the same
under `scripts:`.
"""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Any

from horus_core import project
from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from horus_core.project import Settings

TABLE = "scripts"


def words_of(name: str, folder: str | None = None) -> list[str] | None:
    """What the project of that folder, or the working one, says that `horus run NAME` is to run; None for nothing.

    Raises ConfigError for a horus.toml that cannot be read, or an entry that is none.
    """
    path = project.find(start=folder)
    settings = None if path is None else project.read(path)
    if settings is None or name not in _table(settings):
        return None
    value = _table(settings)[name]
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise ConfigError(
            f"Running {name!r} failed: expected a target, or a list of them, in [{TABLE}], got {value!r} "
            f"({settings.path}:{settings.line(TABLE, name)})."
        )
    return [_from_its_folder(settings, word) for word in words]


def names() -> list[str]:
    """All names of the project's scripts; none when its horus.toml cannot be read."""
    try:
        path = project.find()
        settings = None if path is None else project.read(path)
        return [] if settings is None else list(_table(settings))
    except ConfigError:
        return []


def place(folder: str | None = None) -> str:
    """The name of the file in which that folder's project has its scripts, for messages."""
    path = project.find(start=folder)
    return project.FILE if path is None else path.name


def _table(settings: Settings) -> dict[str, Any]:
    table = settings.tables.get(TABLE, {})
    if not isinstance(table, dict):
        raise ConfigError(
            f"Reading [{TABLE}] failed: expected names and targets, got {table!r} "
            f"({settings.path}:{settings.line(TABLE)})."
        )
    return table


def _from_its_folder(settings: Settings, word: str) -> str:
    """A file or glob by its path from where the horus.toml is; another word as it is."""
    path = settings.path.parent / word
    return str(path) if path.exists() or glob.has_magic(word) or path.suffix == ".py" else word
