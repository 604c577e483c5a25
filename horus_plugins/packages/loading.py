"""From an installed package to its nodes, in the process that runs them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError, HorusError, PluginError
from horus_core.nodes import making, placement
from horus_core.nodes.parameter import parameters
from horus_core.params.store import STORE
from horus_core.plugins import discovery
from horus_plugins.packages.installed import GROUP, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from horus_core.nodes.node import Node
    from horus_core.params.env import Given
    from horus_plugins.packages.settings import Settings


def load(word: str) -> Any:
    """The function behind `distribution:node`.

    Raises PluginError, with what the import raised as its cause.
    """
    distribution, name = split(word)
    for plugin in discovery.entry_points(GROUP):
        if plugin.distribution == distribution and plugin.name == name:
            return plugin.load()
    raise PluginError(
        f"Loading {word} failed: expected an installed distribution with that node in its group {GROUP!r}, got none. "
        f"`horus package list` shows what there is."
    )


def nodes_of(words: Iterable[str], settings: Settings) -> list[Node]:
    """The nodes of all these `distribution:node`, made and placed as the settings say.

    A parameter goes to every function that has it. Raises PluginError, ParamError, ConfigError, InvalidNameError, and
    what the package's own functions raise.
    """
    functions = {word: load(word) for word in words}
    what = " and ".join(functions)
    declared = {
        word: parameters(function, word) for word, function in functions.items() if callable(function)
    }
    making.refuse_unknown(settings.params, {name for has in declared.values() for name in has}, what)
    STORE.arguments.update(settings.given)
    made = []
    for word, function in functions.items():
        given = {name: one for name, one in settings.given.items() if name in declared.get(word, ())}
        made += [(word, node) for node in _make(word, function, given)]
    nodes = [node for _, node in made]
    _place(nodes, settings)
    making.refuse_two_of_a_name(made)
    return nodes


def _make(word: str, function: Any, given: Mapping[str, Given]) -> list[Node]:
    try:
        return making.make(function, given, what=word, environment=True)
    except HorusError:
        raise
    except (Exception, SystemExit) as error:
        # SystemExit, too: it must not end the process as if all were well.
        raise PluginError(
            f"Making the nodes of {word} failed: it raised {type(error).__name__}: {error}. Check what it needs, or "
            f"tell its author."
        ) from error


def _place(nodes: list[Node], settings: Settings) -> None:
    if settings.rate is not None and all(node._horus.config.on for node in nodes):  # noqa: SLF001 - of the house
        raise ConfigError(
            f"Bad --rate: expected a node with a rate, got {', '.join(repr(node.name) for node in nodes)}, which "
            f"ticks when messages come. Leave it out."
        )
    _warn_of_unused(nodes, settings)
    for node in nodes:
        name = settings.name
        if name is not None and len(nodes) > 1:
            name = f"{name}.{node.name}"
        placement.place(node, name=name, rate=settings.rate, topics=settings.topics)


def _warn_of_unused(nodes: list[Node], settings: Settings) -> None:
    wirings = [node._horus.wiring for node in nodes]  # noqa: SLF001 - of the house
    said = (one.topic for wiring in wirings for specs in wiring.declarations() for one in specs)
    declared = sorted({topic for topic in said if topic})
    for old in settings.topics:
        if declared and old not in declared:
            import difflib  # noqa: PLC0415 - only for a warning's text

            near = difflib.get_close_matches(old, declared, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Declared are {', '.join(declared)}."
            logging.getLogger("horus").warning("No node declares the topic %r of --topic. %s", old, hint)
