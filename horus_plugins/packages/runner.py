"""Running packaged nodes: each package in a process of its own, of this interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from horus_core.abc import Runner
from horus_core.errors import LaunchError
from horus_plugins.packages.installed import Package, find
from horus_plugins.runners.python import interpreter
from horus_plugins.runners.target import Target

if TYPE_CHECKING:
    from horus_plugins.packages.settings import Settings

_PROCESS = Path(__file__).with_name("process.py")


class PackageRunner(Runner):
    """Runs what an installed package has in its group `horus.nodes`."""

    name = "package"
    files = False

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings

    def accepts(self, target: str) -> bool:
        """Whether such a package, or such a node, is installed."""
        return find(target) is not None

    def command(self, target: str) -> list[str]:
        """The interpreter that runs HORUS runs the nodes, too; what follows reaches their sys.argv."""
        options = [] if self._settings is None else self._settings.words()
        return [interpreter(target), str(_PROCESS), *required(target).words, *options, "--"]


def package(word: str, settings: Settings | None = None) -> Target:
    """A packaged node as a target to run: `horus-wander`, `wander` or `horus-wander:wander`.

    All nodes of a package run in one process, by one scheduler. Raises LaunchError when the word names none, or not
    one.
    """
    found = required(word)
    name = settings.name if settings is not None else None
    return Target(word, PackageRunner(settings), name or label(word, found))


def label(word: str, found: Package) -> str:
    """What its output is labelled with: the node's name in the package, or the package's."""
    return found.nodes[0].name if ":" in word else word


def required(word: str, doing: str = "Running") -> Package:
    """What the word names; raises LaunchError when that is nothing."""
    found = find(word)
    if found is None:
        raise LaunchError(
            f"{doing} {word!r} failed: expected an installed package with nodes, or one of its nodes, got no such "
            f"name. `horus package list` shows what there is."
        )
    return found
