"""The execution classes that plugins supply, the box's own among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.abc import ExecutionClass
from horus_core.errors import PluginError
from horus_core.plugins.group import Group

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig


def choose(name: str, config: NodeConfig) -> type[ExecutionClass]:
    """The class that runs the node of that name: the one that it names, else HORUS's first that accepts it.

    Raises:
        PluginError: nobody supplies such a class, or two distributions supply one of that name.
    """
    needed_by = f"Running node {name!r}"
    if config.execution is not None:
        return classes.named(
            config.execution, needed_by, "Correct execution=..., or install what supplies it."
        )
    for cls in sorted(classes.box(), key=lambda cls: -cls.precedence):
        if cls.accepts(config):
            return cls
    failures = "".join(
        f" {plugin} failed: {plugin.error}." for plugin in classes.plugins(box=True) if plugin.error
    )
    raise PluginError(
        f"{needed_by} failed: expected an execution class that accepts its configuration, got none.{failures} "
        f"Reinstall horus-core, or check `pip list`."
    )


def _check(cls: Any) -> None:
    if not (isinstance(cls, type) and issubclass(cls, ExecutionClass) and isinstance(cls.name, str)):
        raise PluginError(f"Bad execution class: expected a subclass of ExecutionClass, got {cls!r}.")


def _name(cls: type[ExecutionClass]) -> str:
    return cls.name


classes: Group[type[ExecutionClass]] = Group(
    "horus.execution", "horus_register_execution", "an execution class", _check, _name
)
"""The plugins, and what they supply. A stranger's class runs only nodes that name it."""
