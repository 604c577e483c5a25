"""What a runner is, and the target that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Runner(Protocol):
    """One way to run a file."""

    language: str

    def accepts(self, path: Path) -> bool:
        """Whether this runner runs that file (which exists and is no directory)."""

    def build(self, path: Path) -> None:
        """Make the file ready to run. Raises LaunchError with the tool's own words when it cannot be."""

    def command(self, path: Path) -> list[str]:
        """The command line that runs the file; the user's arguments follow it."""


@dataclass(frozen=True)
class Target:
    """A file to run, how, and the name under which its output is shown."""

    path: Path
    runner: Runner
    label: str

    def build(self) -> None:
        """Make the file ready to run, or raise LaunchError."""
        self.runner.build(self.path)

    def command(self, arguments: tuple[str, ...] = ()) -> list[str]:
        """The command line, with the user's arguments."""
        return [*self.runner.command(self.path), *arguments]
