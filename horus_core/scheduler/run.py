"""horus.run: the shortest way from nodes to a running robot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.nodes import options as checks
from horus_core.scheduler.scheduler import KEYWORDS, Scheduler

if TYPE_CHECKING:
    from horus_core.nodes.node import Node


def run(*nodes: Node, duration: float | None = None, **options: Any) -> None:
    """Run nodes until SIGINT, SIGTERM, request_stop(), or for `duration` seconds; 0 ticks each once.

    The other keywords are Scheduler's. Raises what init() or a tick of a node with the policy `fatal` raised.
    """
    if not nodes:
        raise ConfigError("horus.run() failed: expected at least one node, got none.")
    unknown = [key for key in options if key not in KEYWORDS]
    if unknown:
        raise checks.unknown("horus.run", unknown, ("duration", *KEYWORDS))
    scheduler = Scheduler(**options)
    for node in nodes:
        scheduler.add(node)
    scheduler.run(duration)
