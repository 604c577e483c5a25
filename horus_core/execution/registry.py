"""The execution classes that plugins supply, the box's own among them."""

from __future__ import annotations

from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from horus_core.abc import ExecutionClass
from horus_core.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig
    from horus_core.plugins.discovery import Plugin

GROUP = "horus.execution"

_lock = RLock()
_plugins: list[Plugin] | None = None
_supplied: list[tuple[type[ExecutionClass], Plugin]] = []


def choose(name: str, config: NodeConfig) -> type[ExecutionClass]:
    """The class that runs the node of that name: the one that it names, else the first that accepts it.

    Raises:
        PluginError: nobody supplies such a class, or two distributions supply one of that name.
    """
    _load_plugins()
    if config.execution is not None:
        return _named(config.execution, name)
    for cls, _ in sorted(_supplied, key=lambda given: -given[0].precedence):
        if cls.accepts(config):
            return _named(cls.name, name)
    raise PluginError(
        f"Running node {name!r} failed: expected an execution class that accepts its configuration, got "
        f"{_listed()}.{_failures()} Reinstall horus-core, or check `pip list`."
    )


def plugins() -> list[Plugin]:
    """What supplies execution classes, with what each gave or why it failed."""
    _load_plugins()
    return list(_plugins or ())


def reload_plugins() -> None:
    """Look for plugins again at the next use: a distribution was installed meanwhile."""
    global _plugins  # noqa: PLW0603 - the one cache of this module
    with _lock:
        _plugins = None
        _supplied.clear()


def _named(name: str, node: str) -> type[ExecutionClass]:
    found = [(cls, plugin) for cls, plugin in _supplied if cls.name == name]
    if not found:
        raise PluginError(
            f"Running node {node!r} failed: expected an execution class named {name!r}, got {_listed()}."
            f"{_failures()} Correct execution=..., or install what supplies it."
        )
    if len(found) > 1:
        both = " and ".join(f"{plugin.distribution} {plugin.version}" for _, plugin in found)
        raise PluginError(
            f"Running node {node!r} failed: expected one execution class named {name!r}, got those of "
            f"{both}. Uninstall one."
        )
    return found[0][0]


def _listed() -> str:
    return ", ".join(sorted(repr(cls.name) for cls, _ in _supplied)) or "none"


def _failures() -> str:
    return "".join(f" {plugin!r} failed: {plugin.error}." for plugin in _plugins or () if plugin.error)


def _load_plugins() -> None:
    global _plugins  # noqa: PLW0603 - the one cache of this module
    with _lock:
        if _plugins is not None:
            return
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        _plugins = []
        try:
            for plugin in discovery.load(GROUP):
                _plugins.append(plugin)
                discovery.call(plugin, "horus_register_execution", partial(_take, plugin))
        except BaseException:  # Ctrl+C: the next one who asks starts anew
            reload_plugins()
            raise


def _take(plugin: Plugin, cls: Any) -> None:
    if not (isinstance(cls, type) and issubclass(cls, ExecutionClass) and isinstance(cls.name, str)):
        raise ConfigError(f"Bad execution class: expected a subclass of ExecutionClass, got {cls!r}.")
    plugin.gave.append(cls.name)
    _supplied.append((cls, plugin))
