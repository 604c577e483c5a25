"""From a notebook's file to code: its cells, compiled, with names that tracebacks show."""

from __future__ import annotations

import ast
import json
import linecache
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horus import LaunchError
from horus_notebook import magics

if TYPE_CHECKING:
    from types import CodeType

SKIP = "skip-execution"
"""Cells with this tag are not run, as nbclient leaves them out."""

_FORMAT = 4


@dataclass(frozen=True)
class Cell:
    """A code cell."""

    number: int
    """What Jupyter shows beside it, In [number], after "Restart and run all"; empty cells have none."""
    source: str
    name: str
    """What stands for its file in tracebacks."""

    def compile(self) -> CodeType:
        """Its code, in which `await` may stand outside of functions. Raises SyntaxError."""
        linecache.cache[self.name] = (
            len(self.source),
            None,
            self.source.splitlines(keepends=True),
            self.name,
        )
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: CodeType = compile(
            magics.without(self.source), self.name, "exec", flags=flags, dont_inherit=True
        )
        return code


def cells(path: str) -> list[Cell]:
    """The code cells that are to run, in order. Raises LaunchError for what is no notebook in Python."""
    found = _read(path)
    _check_language(path, found)
    code = [
        (cell, source)
        for cell in found["cells"]
        if cell.get("cell_type") == "code" and (source := _text(cell.get("source", "")))
    ]
    full = Path(path).absolute()
    return [
        Cell(number, source, f"{full} In[{number}]")
        for number, (cell, source) in enumerate(code, 1)
        if SKIP not in cell.get("metadata", {}).get("tags", ())
    ]


def _read(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise LaunchError(
            f"Reading {path} failed: {error.strerror}. Check the file's permissions."
        ) from error
    except ValueError as error:
        raise LaunchError(
            f"Reading {path} failed: expected a notebook, which is JSON, got {error}. Save it anew in Jupyter."
        ) from None
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        version = found.get("nbformat") if isinstance(found, dict) else None
        got = f"one of format {version}" if version else "JSON without cells"
        raise LaunchError(
            f"Reading {path} failed: expected a notebook of format {_FORMAT}, got {got}. "
            f"Convert it: jupyter nbconvert --to notebook --inplace {path}"
        )
    return found


def _check_language(path: str, found: dict[str, Any]) -> None:
    metadata = found.get("metadata", {})
    language = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    if language not in {None, "python"}:
        raise LaunchError(f"Running {path} failed: expected a notebook in Python, got one in {language}.")


def _text(source: str | list[str]) -> str:
    """As one string, "" for one without a line of code: notebooks keep strings, or lists of lines."""
    text = source if isinstance(source, str) else "".join(source)
    return text if text.strip() else ""
