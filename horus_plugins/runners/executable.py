"""Executable files: compiled nodes of any language, and scripts with a `#!` line."""

from __future__ import annotations

import os
from pathlib import Path

from horus_core.abc import Runner


class ExecutableRunner(Runner):
    """Runs a file that the system can execute."""

    name = "executable"

    def accepts(self, target: str) -> bool:
        """Whether this user may execute it."""
        return os.access(target, os.X_OK)

    def command(self, target: str) -> list[str]:
        """The file itself, by its full path: a bare name would be searched for in PATH."""
        return [str(Path.cwd() / target)]
