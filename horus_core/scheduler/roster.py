"""The nodes of a scheduler, whether they run or not."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

from horus_core import prefix
from horus_core.errors import NodeError
from horus_core.nodes.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_core.scheduler.entry import Entry


class Roster:
    """The entries of all nodes, by order, then as added. Looked at from any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        """Over a copy: others may add and remove meanwhile."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, entry: Entry) -> bool:
        return entry in self._entries

    def check(self, node: Node) -> None:
        """Raise NodeError for what cannot be added."""
        if not isinstance(node, Node):
            raise NodeError(f"Adding a node failed: expected a Node, got {node!r}. Pass nodes one by one.")
        if not hasattr(node, "_horus"):
            raise NodeError(
                f"Adding a node failed: expected a node that is ready, got a {type(node).__name__} whose "
                f"__init__ never called super().__init__(...). Call it first there."
            )
        if self.has(node.name):
            raise NodeError(
                f"Adding a node failed: expected a new name, got a second {node.name!r}. Rename one."
            )

    def add(self, entry: Entry) -> None:
        """Take it in behind those of its order."""
        bisect.insort(self._entries, entry, key=lambda other: other.node.order)

    def remove(self, entry: Entry) -> None:
        """Let go of it, if it is here."""
        if entry in self._entries:
            self._entries.remove(entry)

    def has(self, name: str) -> bool:
        """Whether a node of that name is here."""
        return self._named(name) is not None

    def names(self) -> list[str]:
        """Of all nodes."""
        return [entry.node.name for entry in self]

    def find(self, name: str) -> Entry:
        """The node of that name; raises NodeError when there is none."""
        found = self._named(name)
        if found is not None:
            return found
        if not self._entries:
            raise NodeError(
                f"No node {name!r}: expected a scheduler with nodes, got one without. add() it first."
            )
        raise NodeError(f"No node {name!r}: expected one of {', '.join(self.names())}, got {name!r}.")

    def _named(self, name: str) -> Entry | None:
        """By its whole name, or as the program calls it: HORUS_NODE_NAMESPACE may have put something before it."""
        whole = prefix.current().replace("/", ".") + name
        return next((entry for entry in self if entry.node.name in (name, whole)), None)

    def chosen(self, name: str | None) -> list[Entry]:
        """The node of that name, or all."""
        return list(self) if name is None else [self.find(name)]
