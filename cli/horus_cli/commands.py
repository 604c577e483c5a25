"""Which commands there are. All come through the entry-point group `horus.commands`, HORUS's own too.

None is imported before it is used: the summaries of HORUS's own stand here, of others the distribution is told.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from horus_cli import help_text
from horus_core.errors import PluginError
from horus_core.plugins import discovery, kinds, record, rules
from horus_core.plugins.metadata import canonical

if TYPE_CHECKING:
    import click

    from horus_core.plugins.record import Plugin

SUMMARIES = {
    "blackbox": "Show what a scheduler did last, also one that was killed.",
    "clean": "Remove what no living process uses from shared memory.",
    "completion": "Have the shell complete commands, topics and nodes.",
    "estop": "Stop the robot, let it go again, or see how it stands.",
    "graph": "Show nodes and topics as text, DOT, Mermaid or SVG.",
    "install": "Install packages for this Python, and tell what HORUS gains.",
    "launch": "Start the processes of a launch file, watch them, and stop them together.",
    "logs": "Show what nodes log, of all processes, as it comes or since.",
    "msg": "See, check and compare message types.",
    "new": "Start a node, a plugin or a project from a template.",
    "node": "See and steer the nodes of this namespace.",
    "package": "See what packaged nodes are installed, and whether they do what they declare.",
    "param": "See and set the parameters of running processes.",
    "plugin": "See the plugins that are installed, check them, and switch them on and off.",
    "run": "Run Python files, packaged nodes and executables, each in a process of its own.",
    "service": "Have systemd start and watch launch files and nodes.",
    "topic": "See the topics of this namespace.",
    "uninstall": "Remove packages from this Python, and tell what HORUS loses.",
    "version": "Show the versions of HORUS, Python and what they run on.",
}
"""Of HORUS's own commands: what `horus --help` shows."""

TASKS = {
    "Start": ("run", "launch", "service", "new"),
    "See": ("topic", "node", "graph", "logs", "blackbox"),
    "Steer": ("param", "estop"),
    "Types, packages, plugins": ("msg", "package", "plugin", "install", "uninstall"),
    "Keep house": ("clean", "version", "completion"),
}
"""The order of `horus --help`: by what somebody wants to do."""

ALIASES = {"log": "logs"}
"""Other names of HORUS's own commands."""

TO_COME = {
    "build": "native nodes",
    "monitor": "the web monitor and the terminal's",
    "record": "recordings",
    "replay": "recordings",
}
"""What is promised under these names and not made yet; a plugin may have one of them meanwhile."""


class Known(NamedTuple):
    """The commands of plugins."""

    others: dict[str, list[Plugin]]
    """By name; of two plugins neither can be used."""
    shadowing: list[Plugin]
    """Those with the name of one of HORUS's own: they are not used."""


def known() -> Known:
    """The commands of strangers' plugins that are not disabled. Imports none."""
    others: dict[str, list[Plugin]] = {}
    shadowing: list[Plugin] = []
    for plugin in discovery.entry_points(kinds.COMMANDS):
        if plugin.is_box or plugin.state == record.DISABLED:
            continue
        if ALIASES.get(plugin.name, plugin.name) in SUMMARIES:
            shadowing.append(plugin)
        else:
            others.setdefault(plugin.name, []).append(plugin)
    return Known(others, shadowing)


def check_settings() -> None:
    """Raise ConfigError for settings that are wrong: what they name might have the command that is asked for."""
    if os.environ.get(rules.ONLY) != "":
        discovery.check_settings()


def by_task() -> list[tuple[str, list[tuple[str, str]]]]:
    """HORUS's own with their summaries, under headings."""
    return [
        (task, [(name, SUMMARIES[name]) for name in of_it if name in SUMMARIES])
        for task, of_it in TASKS.items()
    ]


def names() -> list[str]:
    """All names, for help, completion and errors."""
    return sorted({*SUMMARIES, *known().others})


def load(name: str) -> click.Command | None:
    """Import a command; None for a name that nobody has.

    Raises PluginError when it cannot be imported, is disabled, or two distributions bring one of that name.
    """
    found = known()
    name = ALIASES.get(name, name)
    if name in SUMMARIES:
        for plugin in found.shadowing:
            if plugin.name == name:
                plugin.note(f"its command is not used: {record.BOX} has one of that name")
        return _command(_own(name))
    plugins = found.others.get(name, _disabled(name))
    if len(plugins) > 1:
        both = " and ".join(plugin.source for plugin in plugins)
        raise PluginError(
            f"Running 'horus {name}' failed: expected one command of that name, got those of {both}. Uninstall one, "
            f"or `horus plugin disable {plugins[0].distribution}`."
        )
    return _command(plugins[0]) if plugins else None


def _own(name: str) -> Plugin:
    for plugin in discovery.entry_points(kinds.COMMANDS):
        if plugin.is_box and plugin.name == name:
            return plugin
    raise PluginError(
        f"Running 'horus {name}' failed: expected {record.BOX} to have an entry point of that name, got none: "
        f"what is installed is another version than the code. Reinstall {record.BOX}; in a clone, `make setup`."
    )


def _disabled(name: str) -> list[Plugin]:
    return [
        plugin
        for plugin in discovery.entry_points(kinds.COMMANDS)
        if plugin.state == record.DISABLED and canonical(plugin.name) == canonical(name)
    ]


def _command(plugin: Plugin) -> click.Command:
    command: click.Command = plugin.load()
    help_text.keep_lists(command)
    return command
