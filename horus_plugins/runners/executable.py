"""Executable files: compiled nodes of any language, and scripts with a `#!` line."""

from __future__ import annotations

import os
from pathlib import Path


class ExecutableRunner:
    """Runs a file that the system can execute."""

    language = "executable"

    def accepts(self, path: Path) -> bool:
        """Whether this user may execute it."""
        return os.access(path, os.X_OK)

    def build(self, path: Path) -> None:
        """There is nothing to build."""

    def command(self, path: Path) -> list[str]:
        """The file itself, by its full path: a bare name would be searched for in PATH."""
        return [str(Path.cwd() / path)]
