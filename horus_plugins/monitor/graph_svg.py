"""A graph of nodes and topics as a drawing: SVG that every browser shows, made without another program."""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from horus_core.text import plain_name
from horus_plugins.monitor.graph import labels
from horus_plugins.monitor.graph_layout import Layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.graph import Graph

_LETTER, _MOST_LETTERS = 7.3, 40  # of 12 px in a monospaced font
_PADDING, _HEIGHT, _GAP, _BETWEEN, _MARGIN = 12.0, 40.0, 16.0, 70.0, 20.0
# What XML may not contain, even as an entity.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;fill:#1b1f24}"
    ".type,.state{font-size:10px;fill:#57606a}.node{fill:#ddf4ff;stroke:#0969da}"
    ".topic{fill:#fff8c5;stroke:#9a6700}.ill{fill:#ffebe9;stroke:#cf222e;stroke-dasharray:4 3}"
    ".edge{fill:none;stroke:#57606a;stroke-width:1.2}"
)
_WELL = ("running", "")


class _Box:
    """A node or a topic, as it is drawn."""

    def __init__(self, title: str, below: str, kind: str) -> None:
        self.title = plain_name(title)
        self.below = plain_name(below)
        self.kind = kind
        self.width = max(map(_width, (_cut(self.title), _cut(self.below)))) + 2 * _PADDING


def svg(shown: Graph) -> Iterator[str]:
    """Nodes are rounded, topics square; who does not run is red and dashed. Hover shows a name that was cut."""
    boxes, edges = _boxes(shown)
    layout = Layers(len(boxes), edges)
    at, width, height = _places(boxes, layout)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">'
    )
    yield f"<title>{_escaped(f'HORUS namespace {shown.namespace}')}</title>"
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>'
    )
    yield '<rect width="100%" height="100%" fill="#ffffff"/>'
    for path in layout.paths:
        yield f'<path class="edge" marker-end="url(#arrow)" d="{_curve(path, boxes, at)}"/>'
    for number, box in enumerate(boxes):
        yield from _drawn(box, *at[number])
    yield "</svg>"


def _boxes(shown: Graph) -> tuple[list[_Box], list[tuple[int, int]]]:
    called = labels(shown)
    boxes = [
        _Box(
            called[node.name, node.pid], *(("", "node") if node.state in _WELL else (node.state, "node ill"))
        )
        for node in shown.nodes
    ]
    boxes += [
        _Box(topic.name, topic.type or "unreadable", "topic ill" if topic.error else "topic")
        for topic in shown.topics
    ]
    nodes = {(node.name, node.pid): number for number, node in enumerate(shown.nodes)}
    topics = {topic.name: len(nodes) + number for number, topic in enumerate(shown.topics)}
    edges = []
    for edge in shown.edges:
        ends = nodes[edge.node, edge.pid], topics[edge.topic]
        edges.append(ends if edge.kind == "publishes" else (ends[1], ends[0]))
    return boxes, edges


def _places(boxes: list[_Box], layout: Layers) -> tuple[dict[int, tuple[float, float]], float, float]:
    """The middle of each box and bend, and the size of the whole."""
    at: dict[int, tuple[float, float]] = {}
    tallest = max(map(len, layout.layers), default=0)
    height = 2 * _MARGIN + tallest * (_HEIGHT + _GAP)
    left = _MARGIN
    for layer in layout.layers:
        width = max((boxes[one].width for one in layer if one < len(boxes)), default=0.0)
        top = (height - len(layer) * (_HEIGHT + _GAP)) / 2
        for row, one in enumerate(layer):
            at[one] = (left + width / 2, top + (row + 0.5) * (_HEIGHT + _GAP))
        left += width + _BETWEEN
    return at, max(left - _BETWEEN, _MARGIN) + _MARGIN, height


def _curve(path: list[int], boxes: list[_Box], at: dict[int, tuple[float, float]]) -> str:
    """From edge to edge of the boxes, smoothly through the bends."""
    points = [at[one] for one in path]
    ahead = 1.0 if points[-1][0] >= points[0][0] else -1.0
    (x0, y0), (x1, y1) = points[0], points[-1]
    points[0] = (x0 + ahead * boxes[path[0]].width / 2, y0)
    points[-1] = (x1 - ahead * boxes[path[-1]].width / 2, y1)
    drawn = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (xa, ya), (xb, yb) in pairwise(points):
        middle = (xa + xb) / 2
        drawn += f"C{middle:.1f} {ya:.1f} {middle:.1f} {yb:.1f} {xb:.1f} {yb:.1f}"
    return drawn


def _drawn(box: _Box, x: float, y: float) -> Iterator[str]:
    round_by = _HEIGHT / 2 if box.kind.startswith("node") else 3
    yield "<g>"
    yield f"<title>{_escaped(f'{box.title} {box.below}'.strip())}</title>"
    yield (
        f'<rect class="{box.kind}" x="{x - box.width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" '
        f'width="{box.width:.1f}" height="{_HEIGHT:.0f}" rx="{round_by:.0f}"/>'
    )
    lower = -3 if box.below else 4
    yield f'<text x="{x:.1f}" y="{y + lower:.1f}">{_escaped(_cut(box.title))}</text>'
    if box.below:
        yield f'<text class="type" x="{x:.1f}" y="{y + 12:.1f}">{_escaped(_cut(box.below))}</text>'
    yield "</g>"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _width(text: str) -> float:
    return _LETTER * sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _escaped(text: str) -> str:
    return html.escape(_NO_XML.sub("\ufffd", text))
