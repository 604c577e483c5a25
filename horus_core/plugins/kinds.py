"""The entry-point groups of HORUS: what each supplies, by which hook, if it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.errors import PluginError
from horus_core.plugins import reasons, record

if TYPE_CHECKING:
    from horus_core.plugins.record import Plugin

API_VERSION = 1
"""Of all hooks together: raised when one changes or goes. A plugin's module may say HORUS_PLUGIN_API = 1."""

CONTRIBUTIONS = {
    "horus.messages": "horus_register_messages",
    "horus.execution": "horus_register_execution",
    "horus.backends": "horus_register_backends",
    "horus.runners": "horus_register_runners",
}
"""Groups whose plugins have a hook that is called with `register`."""
OBSERVERS = "horus.lifecycle"
COMMANDS = "horus.commands"
NODES = "horus.nodes"
GROUPS = (*CONTRIBUTIONS, OBSERVERS, COMMANDS, NODES)


def wrong_group(plugin: Plugin) -> PluginError | None:
    """What is wrong with a plugin of a group that nobody asks for, with the nearest name; None for others."""
    if plugin.group in GROUPS:
        return None
    return PluginError(f"unknown group {plugin.group!r}.{reasons.nearest(plugin.group, GROUPS)}")


def _use_command(plugin: Plugin) -> None:
    import click  # noqa: PLC0415 - only where a command is imported, which imports it, too

    if not isinstance(plugin.target, click.Command):
        raise PluginError(f"expected a click command, got {plugin.target!r}")
    plugin.gave.append(plugin.name)


def _use_node(plugin: Plugin) -> None:
    if not callable(plugin.target):
        raise PluginError(f"expected a function that returns a Node or a list of them, got {plugin.target!r}")
    plugin.gave.append(plugin.name)


record.uses[COMMANDS] = _use_command
record.uses[NODES] = _use_node
