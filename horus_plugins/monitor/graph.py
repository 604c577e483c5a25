"""Who publishes and subscribes what, as it is at this moment: nodes, topics, and the edges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from horus_plugins.monitor import node_list, topics

if TYPE_CHECKING:
    from horus_plugins.monitor.topics import TopicState

_GONE = ("crashed", "stopped", "uninitialized")


class GraphNode(msgspec.Struct, frozen=True):
    """A node, or a process that uses topics without one; several may have one name."""

    name: str
    pid: int
    state: str = ""
    """As `horus node list` has it; "" for a process without nodes."""


class GraphTopic(msgspec.Struct, frozen=True):
    """A topic."""

    name: str
    type: str = ""
    error: str = ""
    """Why nothing but its name is known; "" else."""


class Edge(msgspec.Struct, frozen=True):
    """One end of a topic."""

    node: str
    pid: int
    topic: str
    kind: Literal["publishes", "subscribes"]


class Graph(msgspec.Struct):
    """Nodes and topics of a namespace."""

    namespace: str
    nodes: list[GraphNode]
    topics: list[GraphTopic]
    edges: list[Edge]
    unreadable: dict[str, str] = {}


def graph(namespace: str, *, everything: bool = False) -> Graph:
    """What is there now. Nothing is created; `everything`: HORUS's own topics, too."""
    listed = node_list.Observer(namespace, measure=False).look(0.0)
    states = [state for state in topics.topics(namespace) if everything or not topics.is_reserved(state.name)]
    nodes = {
        (node.name, node.pid): GraphNode(node.name, node.pid, node.state)
        for node in listed.nodes
        if node.state not in _GONE
    }
    edges: list[Edge] = []
    for state in states:
        for edge in _edges(state):
            edges.append(edge)
            nodes.setdefault((edge.node, edge.pid), GraphNode(edge.node, edge.pid))
    return Graph(
        namespace=namespace,
        nodes=[nodes[key] for key in sorted(nodes)],
        topics=[GraphTopic(state.name, state.type, state.error) for state in states],
        edges=edges,
        unreadable=listed.unreadable,
    )


def _edges(state: TopicState) -> list[Edge]:
    published = {(one.node, one.pid) for one in state.publishers}
    subscribed = {(one.node, one.pid) for one in state.subscribers}
    found = [Edge(node, pid, state.name, "publishes") for node, pid in sorted(published)]
    return found + [Edge(node, pid, state.name, "subscribes") for node, pid in sorted(subscribed)]


def labels(shown: Graph) -> dict[tuple[str, int], str]:
    """What to call each node: its name, with the pid where several have the same."""
    names = [node.name for node in shown.nodes]
    twice = {name for name in names if names.count(name) > 1}
    return {
        (node.name, node.pid): f"{node.name} [{node.pid}]" if node.name in twice else node.name
        for node in shown.nodes
    }
