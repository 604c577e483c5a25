"""The project that a process runs in: the nearest folder upwards with a horus.toml, and what stands in that.

Where no folder has one, the nearest horus.yaml is read in its place: the same tables, as mappings.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "horus.toml"
YAML = "horus.yaml"
_OF_YAML = (".yaml", ".yml")


class Settings:
    """A file of settings, TOML or YAML, read and parsed. Errors name the file and the line."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.is_yaml = path.suffix in _OF_YAML
        self.tables: dict[str, Any] = _parse_yaml(path, text) if self.is_yaml else _parse(path, text)
        """Of YAML with text for each scalar."""

    def table(self, name: str, keys: dict[str, type]) -> dict[str, Any]:
        """A table in which only these keys may stand, each a string or a list of strings; {} when there is none.

        Raises ConfigError with all that is wrong, each problem with its line and the nearest name.
        """
        problems = [
            f"{self.path}:{self.line(wrong)}: unknown table [{wrong}]. Did you mean [{name}]?"
            for wrong in self.tables
            if wrong != name and _is_near(wrong, name)
        ]
        found = self.tables.get(name, {})
        if not isinstance(found, dict):
            problems.append(f"{self.path}:{self.line(name)}: expected [{name}] to be a table, got {found!r}.")
            found = {}
        problems += [text for key, value in found.items() if (text := self._problem(name, key, value, keys))]
        if problems:
            raise ConfigError("Reading the project's settings failed:\n" + "\n".join(problems))
        return found

    def line(self, *names: str) -> int:
        """The line at which a table, or a key in it, stands; 1 when it is nowhere to be seen."""
        lines = self.text.splitlines()
        at = 0
        for name in names:
            word = rf"[\"']?{re.escape(name)}[\"']?"
            wanted = re.compile(
                rf"\s*{word}\s*:" if self.is_yaml else rf"\s*(\[+\s*{word}\s*\]|([\w.-]+\.)?{word}\s*[=.])"
            )
            at = next((number for number in range(at, len(lines)) if wanted.match(lines[number])), at)
        return at + 1

    def _problem(self, name: str, key: str, value: Any, keys: dict[str, type]) -> str | None:
        where = f"{self.path}:{self.line(name, key)}:"
        if key not in keys:
            near = next((known for known in keys if _is_near(key, known)), None)
            hint = f" Did you mean {near!r}?" if near else f" It has {', '.join(keys)}."
            return f"{where} unknown key {key!r} in [{name}].{hint}"
        if keys[key] is list:
            good = isinstance(value, list) and all(isinstance(one, str) for one in value)
            return None if good else f"{where} expected a list of strings for {key!r}, got {value!r}."
        return None if isinstance(value, str) else f"{where} expected a string for {key!r}, got {value!r}."


def find(start: str | None = None) -> Path | None:
    """The horus.toml of the nearest folder from `start`, or the working folder, upwards, else a horus.yaml; or None.

    One that somebody else has put into a folder where anybody may write, such as /tmp, is none of ours.
    """
    return _find(FILE, start) or _find(YAML, start)


def _find(name: str, start: str | None) -> Path | None:
    try:
        folder = start or os.getcwd()  # noqa: PTH109 - every command looks here: pathlib takes longer to import than to look
    except OSError:  # the working folder was removed
        return None
    while True:
        path = os.path.join(folder, name)  # noqa: PTH118 - the same
        if os.path.isfile(path) and not _planted(path, folder):  # noqa: PTH113 - the same
            return _path(path)
        above = os.path.dirname(folder)  # noqa: PTH120 - the same
        if above == folder:
            return None
        folder = above


def read(path: Path) -> Settings | None:
    """The settings in a file; None when there is no such file. Raises ConfigError when it cannot be read."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        # HOME may still be another user's (su, setpriv, a service): what lies behind a closed door is not ours.
        if isinstance(error, PermissionError) and not os.access(path.parent, os.X_OK):
            return None
        raise ConfigError(f"Reading {path} failed: {error}. Check the file and its permissions.") from error
    return Settings(path, text)


def user_file() -> Path:
    """The user's own settings, for all projects: horus/config.toml in XDG_CONFIG_HOME, else in ~/.config."""
    return _path(_user_file())


def existing_user_file() -> Path | None:
    """The same if it is there."""
    path = _user_file()
    return _path(path) if os.path.isfile(path) else None  # noqa: PTH113 - as above


def _user_file() -> str:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.config")  # noqa: PTH111 - as above
    return f"{base}/horus/config.toml"


def _path(path: str) -> Path:
    from pathlib import Path  # noqa: PLC0415 - as above

    return Path(path)


def _planted(path: str, folder: str) -> bool:
    try:
        owner, around = os.stat(path).st_uid, os.stat(folder)  # noqa: PTH116 - as above
    except OSError:
        return True
    return owner not in {0, os.geteuid()} and bool(around.st_mode & stat.S_IWOTH)


def _parse(path: Path, text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - only where there is a file
    else:
        import tomli as tomllib  # noqa: PLC0415 - the same

    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        raise ConfigError(f"Reading settings failed: {path}:{line}: {error}. Correct the file.") from error
    return found


def _parse_yaml(path: Path, text: str) -> dict[str, Any]:
    from horus_core import project_yaml  # noqa: PLC0415 - only where there is such a file

    try:
        return project_yaml.tables(text)
    except project_yaml.NoTables as error:
        raise ConfigError(
            f"Reading settings failed: {path}:{error.line}: {error} Correct the file."
        ) from error


def _is_near(word: str, name: str) -> bool:
    import difflib  # noqa: PLC0415 - only for an error's text

    return bool(difflib.get_close_matches(word, [name], n=1, cutoff=0.75))
