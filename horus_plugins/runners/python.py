"""Python files: scripts of the interpreter that runs HORUS."""

from __future__ import annotations

import sys
from pathlib import Path

from horus_core.abc import Runner
from horus_core.errors import LaunchError


class PythonRunner(Runner):
    """Runs a `.py` file as a real `__main__` script: sibling imports, `__file__` and tracebacks work."""

    name = "py"
    language = "python"

    def accepts(self, target: str) -> bool:
        """Whether it is a `.py` file."""
        return Path(target).suffix == ".py"

    def build(self, target: str) -> None:
        """Compile it, so that a syntax error shows before anything has started. Nothing is written."""
        try:
            compile(Path(target).read_bytes(), target, "exec", dont_inherit=True)
        except OSError as error:
            raise LaunchError(
                f"Reading {target} failed: {error.strerror}. Check the file's permissions."
            ) from error
        except (SyntaxError, ValueError) as error:
            import traceback  # noqa: PLC0415 - only for an error's text

            said = "".join(traceback.format_exception_only(error)).rstrip()
            raise LaunchError(f"Compiling {target} failed; nothing was started.\n{said}") from None

    def command(self, target: str) -> list[str]:
        """This very interpreter runs the file."""
        return [interpreter(target), target]


def interpreter(target: str) -> str:
    """This very interpreter, symlinks unresolved: a virtual environment is known by its path."""
    if not sys.executable:
        raise LaunchError(
            f"Running {target} failed: expected sys.executable to name the interpreter, got nothing. "
            f"Start horus by its full path."
        )
    return sys.executable
