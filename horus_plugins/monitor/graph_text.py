"""A graph of nodes and topics as text, for Graphviz (DOT) and for Mermaid. No name can break out of a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.text import plain_name
from horus_plugins.monitor.graph import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.graph import Graph, GraphNode, GraphTopic

_AS_IT_IS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./ -")
_NOBODY = "(nobody)"
_WELL = ("running", "")


def text(shown: Graph) -> Iterator[str]:
    """A line for each topic, `publishers -> topic (type) -> subscribers`, then the nodes that have none."""
    called = labels(shown)
    ends: dict[str, dict[str, list[str]]] = {
        topic.name: {"publishes": [], "subscribes": []} for topic in shown.topics
    }
    for edge in shown.edges:
        ends[edge.topic][edge.kind].append(called[edge.node, edge.pid])
    for topic in shown.topics:
        publishers, subscribers = (
            ", ".join(names) or _NOBODY
            for names in (ends[topic.name]["publishes"], ends[topic.name]["subscribes"])
        )
        kind = f" ({topic.type})" if topic.type else " (unreadable)" if topic.error else ""
        yield plain_name(f"{publishers} -> {topic.name}{kind} -> {subscribers}")
    busy = {(edge.node, edge.pid) for edge in shown.edges}
    alone = [called[key] for node in shown.nodes if (key := (node.name, node.pid)) not in busy]
    if alone:
        yield plain_name(f"Without topics: {', '.join(alone)}")
    for node in shown.nodes:
        if node.state not in _WELL:
            yield plain_name(f"{called[node.name, node.pid]} is {node.state}")


def dot(shown: Graph) -> Iterator[str]:
    """For Graphviz: nodes are ellipses, topics boxes; who does not run is dashed."""
    called = labels(shown)
    yield f"digraph {_quoted(shown.namespace)} {{"
    yield "  rankdir=LR;"
    yield '  node [fontname="sans-serif"];'
    for number, node in enumerate(shown.nodes):
        style = "" if node.state in _WELL else ", style=dashed"
        yield f"  n{number} [shape=ellipse, label={_quoted(*_node_lines(node, called))}{style}];"
    for number, topic in enumerate(shown.topics):
        yield f"  t{number} [shape=box, label={_quoted(*_topic_lines(topic))}];"
    yield from (f"  {start} -> {end};" for start, end in _arrows(shown))
    yield "}"


def mermaid(shown: Graph) -> Iterator[str]:
    """For Mermaid, as Markdown on many sites shows it: nodes are rounded, topics boxes."""
    called = labels(shown)
    yield "flowchart LR"
    for number, node in enumerate(shown.nodes):
        yield f'  n{number}(["{_entities(*_node_lines(node, called))}"])'
    for number, topic in enumerate(shown.topics):
        yield f'  t{number}["{_entities(*_topic_lines(topic))}"]'
    yield from (f"  {start} --> {end}" for start, end in _arrows(shown))


def _node_lines(node: GraphNode, called: dict[tuple[str, int], str]) -> list[str]:
    name = called[node.name, node.pid]
    return [name] if node.state in _WELL else [name, node.state]


def _topic_lines(topic: GraphTopic) -> list[str]:
    return [topic.name, topic.type or ("unreadable" if topic.error else "?")]


def _arrows(shown: Graph) -> Iterator[tuple[str, str]]:
    nodes = {(node.name, node.pid): f"n{number}" for number, node in enumerate(shown.nodes)}
    topics = {topic.name: f"t{number}" for number, topic in enumerate(shown.topics)}
    for edge in shown.edges:
        ends = nodes[edge.node, edge.pid], topics[edge.topic]
        yield ends if edge.kind == "publishes" else (ends[1], ends[0])


def _quoted(*lines: str) -> str:
    r"""A quoted string of DOT: a backslash would begin an escape such as \N, the name of the node."""
    escaped = (plain_name(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _entities(*lines: str) -> str:
    """A label of Mermaid: all that could mean something to it, or to HTML, as the number of its character."""
    return "<br/>".join("".join(map(_entity, plain_name(line))) for line in lines)


def _entity(one: str) -> str:
    return one if one in _AS_IT_IS or not one.isascii() else f"#{ord(one)};"
