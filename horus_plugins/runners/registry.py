"""The runners that plugins supply, the box's own among them."""

from __future__ import annotations

from typing import Any

from horus_core.abc import Runner
from horus_core.errors import LaunchError, PluginError
from horus_core.plugins.group import Group
from horus_plugins.runners.foreign import ForeignRunner

GROUP = "horus.runners"


def _check(runner: Any) -> None:
    if not (isinstance(runner, Runner) and isinstance(getattr(runner, "name", None), str) and runner.name):
        raise PluginError(
            f"Bad runner: expected an object of a subclass of Runner with a name, got {runner!r}."
        )


runners: Group[Runner] = Group(
    GROUP, "horus_register_runners", "a runner", _check, lambda runner: runner.name
)


def for_file(path: str, suffix: str) -> Runner | None:
    """Who runs that file: HORUS's own first, then the plugin that is called as its suffix; None for nobody.

    Raises LaunchError when two distributions supply one, or the one that should have failed.
    """
    return _chosen(path, suffix.lower().removeprefix("."), files=True)


def for_word(word: str) -> Runner | None:
    """Who runs what no file is called; None for nobody. Raises LaunchError as for_file does."""
    return _chosen(word, word.partition(":")[0] if ":" in word else "", files=False)


def _chosen(target: str, name: str, *, files: bool) -> Runner | None:
    for runner in runners.box():
        if runner.files is files and runner.accepts(target):
            return runner
    if not name:
        return None
    called = [plugin for plugin in runners.plugins() if plugin.name.lower() == name and not plugin.is_box]
    found = [
        (offer, foreign)
        for offer in runners.find(name, search=False)
        if (foreign := ForeignRunner(offer)).files is files and foreign.accepts(target)
    ]
    if len(found) > 1:
        both = " and ".join(str(offer.plugin) for offer, _ in found)
        raise LaunchError(
            f"Running {target!r} failed: expected one runner for it, got those of {both}. Uninstall one, or "
            f"`horus plugin disable` it."
        )
    failed = [plugin for plugin in called if plugin.error is not None]
    if not found and failed:
        raise LaunchError(
            f"Running {target!r} failed: {failed[0]}, which is to run it, failed: {failed[0].error}."
        ) from failed[0].cause
    return found[0][1] if found else None
