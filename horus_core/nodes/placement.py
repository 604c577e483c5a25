"""A node's place in a robot: the name, the rate and the topics that somebody else than its author gives it."""

# ruff: noqa: SLF001 - the inner parts of a node, before it runs

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from horus_core import names, prefix
from horus_core.control.logs import NodeLog
from horus_core.errors import ConfigError, InvalidNameError, NodeError
from horus_core.nodes import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_core.nodes.node import Node

RATE = "HORUS_NODE_RATE"


def place(
    node: Node, *, name: str | None = None, rate: float | None = None, topics: Mapping[str, str] | None = None
) -> None:
    """Give a node that does not run yet another name, another rate in Hz, or other topics ({its name: topic}).

    A node that ticks when messages come (`on=`) has no rate. Raises NodeError for one that runs or has opened a
    topic, InvalidNameError and ConfigError for values that are none.
    """
    parts = node._horus
    if parts.scheduler is not None or parts.wiring.topics:
        raise NodeError(
            f"Placing node {node.name!r} failed: expected one that neither runs nor has opened a topic, got one that "
            f"does. Do it before horus.run()."
        )
    if name is not None:
        rename(node, prefix.node(name))
    if rate is not None and not parts.config.on:
        parts.rate, parts.rate_given = options.rate(rate), True
    if topics:
        parts.wiring.remap(topic_names(topics))


def rename(node: Node, name: str) -> None:
    """Call a node that does not run yet by that whole name."""
    parts = node._horus
    parts.name = name
    parts.journal = NodeLog(name)
    node._horus_bind_log(parts.journal.levels, parts.journal.write)
    parts.wiring.rename(name)


def topic_names(topics: Mapping[str, str]) -> dict[str, str]:
    """The same with both names checked; HORUS's own topics stay where they are."""
    checked = {prefix.topic(old): prefix.topic(new) for old, new in topics.items()}
    for old, new in checked.items():
        if names.is_reserved(old) or names.is_reserved(new):
            raise InvalidNameError(
                f"Bad topic {old}={new}: expected names that do not start with 'horus.' or '_horus.', which are "
                f"HORUS's own. Choose another name."
            )
    return checked


def own_rate(rate: Any) -> float:
    """The rate that a node's code gives, else HORUS_NODE_RATE, else the default."""
    text = os.environ.get(RATE) if rate is options.DEFAULT_RATE else None
    if not text:
        return options.rate(rate)
    try:
        return options.rate(float(text))
    except (ConfigError, ValueError):
        raise ConfigError(
            f"Bad {RATE}: expected Hz above 0 and up to {options.MAX_RATE:g}, got {text!r}. Set it, or unset it."
        ) from None
