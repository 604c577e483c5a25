"""The file of parameters: HORUS_PARAMS_FILE, else what stands under `params` in the project's horus.toml.

HORUS_PARAMS_FILE names a YAML, JSON or TOML file of names and values. A project without a horus.toml may have a
horus.yaml with a mapping `params`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from horus_core import names, project
from horus_core.errors import ConfigError, HorusError, ParamError
from horus_core.params.env import Given

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "HORUS_PARAMS_FILE"
_TABLE = "params"


class Line(NamedTuple):
    """A parameter and the line that gives it; or, without a value, what is wrong there."""

    number: int
    name: str
    given: Given | None
    problem: str = ""


def read() -> dict[str, Given]:
    """What the file gives; {} where there is none.

    Raises ConfigError for a file that cannot be read, ParamError for what is wrong in it.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return values(Path(named).expanduser().absolute())
    path = project.find()
    return {} if path is None else values(path, _TABLE)


def values(path: Path, table: str = "") -> dict[str, Given]:
    """The parameters in a file, or in one table of it; raises ParamError with all that is wrong, by line."""
    found = lines(path, table)
    problems = [f"{path}:{line.number}: {line.problem}" for line in found if line.problem]
    if problems:
        raise ParamError("Reading parameters failed:\n" + "\n".join(problems))
    return {line.name: line.given for line in found if line.given is not None}


def lines(path: Path, table: str = "") -> list[Line]:
    """What stands in a file, line by line. Raises ConfigError for one that is missing or cannot be read."""
    if path.suffix == ".toml":
        settings = project.read(path)
        if settings is None:
            raise ConfigError(f"Reading {path} failed: expected a file, got none. Check {VARIABLE}.")
        return [_checked(line) for line in _of_toml(settings, table)]
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Reading {path} failed: {error}. Check the file and its permissions.") from error
    return [_checked(line) for line in _of_yaml(text, path, table)]


def _of_toml(settings: project.Settings, table: str) -> Iterator[Line]:
    found = settings.tables.get(table, {}) if table else settings.tables
    outer = (table,) if table else ()
    if not isinstance(found, dict):
        yield Line(settings.line(table), table, None, f"expected [{table}] to be a table, got {found!r}.")
        return
    for name, value in found.items():
        number = settings.line(*outer, name)
        yield Line(number, name, Given(value, f"{settings.path}:{number}"))


def _of_yaml(text: str, path: Path, table: str) -> Iterator[Line]:
    from horus_core.params import yaml_file  # noqa: PLC0415 - slow to import, and most have no such file

    for one in yaml_file.read(text, table):
        if isinstance(one, yaml_file.Problem):
            yield Line(one.line, "", None, str(one))
        else:
            yield Line(one.line, one.name, Given(one.value, f"{path}:{one.line}", one.text))


def _checked(line: Line) -> Line:
    if line.given is None:
        return line
    from horus_core.params.values import plain  # noqa: PLC0415 - only where there is a file

    try:
        names.param_name(line.name)
        plain(line.name, line.given)
    except HorusError as error:
        return line._replace(given=None, problem=str(error))
    return line
