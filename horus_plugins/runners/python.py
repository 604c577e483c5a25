"""Python files: scripts of the interpreter that runs HORUS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from horus_core.errors import LaunchError

if TYPE_CHECKING:
    from pathlib import Path


class PythonRunner:
    """Runs a `.py` file as a real `__main__` script: sibling imports, `__file__` and tracebacks work."""

    language = "python"

    def accepts(self, path: Path) -> bool:
        """Whether it is a `.py` file."""
        return path.suffix == ".py"

    def build(self, path: Path) -> None:
        """Compile it, so that a syntax error shows before anything has started. Nothing is written."""
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except OSError as error:
            raise LaunchError(
                f"Reading {path} failed: {error.strerror}. Check the file's permissions."
            ) from error
        except (SyntaxError, ValueError) as error:
            import traceback  # noqa: PLC0415 - only for an error's text

            said = "".join(traceback.format_exception_only(error)).rstrip()
            raise LaunchError(f"Compiling {path} failed; nothing was started.\n{said}") from None

    def command(self, path: Path) -> list[str]:
        """This very interpreter, symlinks unresolved: a virtual environment is known by its path."""
        if not sys.executable:
            raise LaunchError(
                f"Running {path} failed: expected sys.executable to name the interpreter, got nothing. "
                f"Start horus by its full path."
            )
        return [sys.executable, str(path)]
