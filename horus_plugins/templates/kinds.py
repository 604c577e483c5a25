"""What can be started from a template: the kinds, what is special about each, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "package"
"""The folder of templates that all packages share."""


class Kind(NamedTuple):
    """A kind of thing to start. Texts may hold placeholders."""

    folder: str
    """Its templates, in `files/`."""
    group: str
    """The entry-point group; "" for what is no package."""
    entry: str
    """What users ask for."""
    object: str
    """What the entry point names in the module, with its colon."""
    description: str
    change: str
    """The first line of its CHANGELOG."""
    try_it: tuple[str, ...]
    """Commands that show it at work, once it is installed."""
    taken: Callable[[], set[str]] = set
    """Names that HORUS has itself: a plugin that brings one of them is not used."""


def _messages() -> set[str]:
    from horus_core.messages import registry  # noqa: PLC0415 - imports what it tells

    return {cls.__name__ for cls in registry.types.box()}


def _execution() -> set[str]:
    from horus_core.execution import registry  # noqa: PLC0415 - the same

    return {cls.name for cls in registry.classes.box()}


def _backends() -> set[str]:
    from horus_core.backends import registry  # noqa: PLC0415 - the same

    return {cls.name for cls in registry.kinds.box()}


def _runners() -> set[str]:
    from horus_plugins.runners import registry  # noqa: PLC0415 - the same

    return {"py", *(runner.name for runner in registry.runners.box())}


def _commands() -> set[str]:
    from horus_core.plugins import discovery, kinds  # noqa: PLC0415 - the same

    return {plugin.name for plugin in discovery.entry_points(kinds.COMMANDS) if plugin.is_box}


NODE = Kind(
    "node",
    "horus.nodes",
    "@name@",
    ":make_node",
    "A HORUS node that limits the speed of a robot on wheels.",
    "The node `@name@`: passes velocities on, none faster than allowed.",
    ("horus run @name@", "horus package check @name@"),
)
PROJECT = Kind("project", "", "", "", "", "", ("horus run robot",))
PLUGINS = {
    "message": Kind(
        "message",
        "horus.messages",
        "@Class@",
        "",
        "A message type for HORUS: @Class@.",
        "The message type `@Class@`.",
        ("horus msg show @Class@",),
        _messages,
    ),
    "execution": Kind(
        "execution",
        "horus.execution",
        "@name@",
        "",
        "An execution class for HORUS: @name@.",
        "The execution class `@name@`: a thread for each node.",
        ("horus plugin check @name@",),
        _execution,
    ),
    "backend": Kind(
        "backend",
        "horus.backends",
        "@name@",
        "",
        "HORUS topics over Unix sockets: the backend @name@.",
        "The backend `@name@`: topics over Unix sockets.",
        ("horus plugin check @name@",),
        _backends,
    ),
    "command": Kind(
        "command",
        "horus.commands",
        "@name@",
        ":command",
        "The command `horus @name@`: prints the messages of a topic.",
        "The command `horus @name@`.",
        ("horus @name@ --help",),
        _commands,
    ),
    "runner": Kind(
        "runner",
        "horus.runners",
        "@name@",
        "",
        "Runs .@name@ files by `horus run`.",
        "The runner of `.@name@` files.",
        ("horus plugin check @name@",),
        _runners,
    ),
    "lifecycle": Kind(
        "lifecycle",
        "horus.lifecycle",
        "@name@",
        "",
        "An observer for HORUS: notes what becomes of nodes.",
        "The observer `@name@`: one JSON object for each event.",
        ("horus plugin check @name@",),
    ),
}
"""By the word that `horus new plugin --kind` takes."""
