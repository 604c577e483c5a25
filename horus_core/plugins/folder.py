"""One-file plugins: the .py files in the folder that a project's horus.toml names.

What a file supplies is read from its text, so that nothing is imported before it is used: functions marked with
@horus.hookimpl, and click commands.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from horus_core.errors import PluginError
from horus_core.plugins import kinds
from horus_core.plugins.metadata import canonical
from horus_core.plugins.record import FOUND, Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "horus_folder"
"""What the folder is as a package: plugins may import its other files from there, or relatively."""

NOTHING = "-"
"""The group of a file that supplies nothing, or cannot be read."""


class FilePlugin(Plugin):
    """What one file supplies to one group; it stands for a distribution."""

    def __init__(self, group: str, name: str, path: Path, attribute: str) -> None:
        value = f"{PACKAGE}.{path.stem}" + (f":{attribute}" if attribute else "")
        super().__init__(group, name, value, f"{path.parent.name}/{path.name}", "")
        self.path = path
        self.broken: Exception | None = None
        """Why it can supply nothing."""

    def names(self) -> set[str]:
        """The file's name is one, too."""
        return super().names() | {canonical(self.path.stem), canonical(self.path.name)}

    def decide(self, disabled_by: str | None) -> None:
        """One that is broken fails at once, if it may be used: nobody asks for it by a name."""
        super().decide(disabled_by)
        if self.broken is not None and self.state == FOUND:
            self.fail(self.broken)

    def _import(self) -> Any:
        if self.broken is not None:
            raise self.broken
        package = sys.modules.get(PACKAGE)
        if package is None:
            package = sys.modules[PACKAGE] = ModuleType(PACKAGE, "The project's one-file plugins.")
            package.__path__ = []
        if str(self.path.parent) not in package.__path__:
            package.__path__.append(str(self.path.parent))
        module = import_module(f"{PACKAGE}.{self.path.stem}")
        _, _, attribute = self.value.partition(":")
        return getattr(module, attribute) if attribute else module


def scan(folder: Path) -> list[Plugin]:
    """What the files of the folder supply, by their text. Those that begin with _ are helpers of the others."""
    return [
        plugin
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith("_")
        for plugin in _plugins(path)
    ]


def _plugins(path: Path) -> Iterator[Plugin]:
    try:
        functions = [
            one for one in ast.parse(path.read_bytes(), str(path)).body if isinstance(one, ast.FunctionDef)
        ]
    except (OSError, SyntaxError, ValueError) as error:
        yield _broken(path, error)
        return
    groups = dict.fromkeys(
        _group(one.name) for one in functions if "hookimpl" in map(_last, one.decorator_list)
    )
    commands = {name: one.name for one in functions if (name := _command(one))}
    for group in groups:
        yield FilePlugin(group, path.stem, path, "")
    for name, function in commands.items():
        yield FilePlugin(kinds.COMMANDS, name, path, function)
    if not groups and not commands:
        yield _broken(
            path, PluginError("expected functions marked with @horus.hookimpl or @click.command(), got none")
        )


def _group(hook: str) -> str:
    groups = {hook: group for group, hook in kinds.CONTRIBUTIONS.items()}
    if hook in groups or not hook.startswith("horus_register"):
        return groups.get(hook, kinds.OBSERVERS)
    import difflib  # noqa: PLC0415 - only for a misspelt hook, which fails when it is imported

    return groups[difflib.get_close_matches(hook, groups, n=1, cutoff=0)[0]]


def _last(decorator: ast.expr) -> str:
    """`hookimpl` of `@horus.hookimpl`, `@hookimpl` and `@horus.hookimpl(...)`."""
    found = decorator.func if isinstance(decorator, ast.Call) else decorator
    return found.attr if isinstance(found, ast.Attribute) else getattr(found, "id", "")


def _command(function: ast.FunctionDef) -> str | None:
    """The name of the command that a function becomes by @click.command() or @click.group(); None for others."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called) in {"click.command", "click.group"}:
            return _said_name(decorator) or function.name.replace("_", "-")
    return None


def _said_name(decorator: ast.expr) -> str | None:
    if not isinstance(decorator, ast.Call):
        return None
    said = [*decorator.args[:1], *(word.value for word in decorator.keywords if word.arg == "name")]
    return next(
        (one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)), None
    )


def _broken(path: Path, error: Exception) -> Plugin:
    plugin = FilePlugin(NOTHING, path.stem, path, "")
    plugin.broken = error
    return plugin
