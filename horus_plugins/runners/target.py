"""A target of `horus run`: what is run, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core.abc import Runner


@dataclass(frozen=True)
class Target:
    """Something to run, how, and the name under which its output is shown."""

    name: str
    """A file's path, or another word, as its runner takes it."""
    runner: Runner
    label: str

    @property
    def language(self) -> str:
        """What it is, for users."""
        return self.runner.language or self.runner.name

    def build(self) -> None:
        """Make it ready to run, or raise LaunchError."""
        self.runner.build(self.name)

    def command(self, arguments: tuple[str, ...] = ()) -> list[str]:
        """The command line, with the user's arguments."""
        return [*self.runner.command(self.name), *arguments]
