"""Graphs of nodes and topics: true, readable by what they are for, and safe from any name."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

import horus
from horus_plugins.monitor import graph, graph_svg, graph_text
from horus_plugins.monitor.graph import Edge, Graph, GraphNode, GraphTopic
from horus_plugins.monitor.graph_layout import Layers

SVG = "{http://www.w3.org/2000/svg}"
PIPELINE = """
import sys
import horus

def see(node):
    node.send("rgb", {"frame": 1})

def detect(node):
    node.recv("rgb")
    node.send("seen", {"count": 1})

robot = horus.Scheduler(name="robot")
robot.add(horus.Node("camera", tick=see, rate=100))
robot.add(horus.Node("detector", tick=detect, rate=100))
robot.add(horus.Node("idle", tick=lambda: None, rate=10))
robot.start()
print("started", flush=True)
sys.stdin.readline()
robot.stop()
"""
HOSTILE = [
    'a"]; n9 [label="forged"',
    "back\\slash\\N\\",
    "<script>alert(1)</script>",
    "</text></svg>&amp;<rect/>",
    "new\nline\r\x1b[2Jred\x00",
    "--> x; end\n  n0 --> n1",
    "#quot;`md`*b*",
    "\u202eesrever\ufffe\ud7ff",
    "Überdruck 你好",
    "x" * 300,
]


# spec: F22
def test_what_is_connected_now(program, horus_namespace, until):
    """Nodes with and without topics, processes without nodes, types; who has gone is not there any more."""
    robot = program(PIPELINE)
    robot.wait_for("started")
    pid = robot.process.pid
    with horus.Topic("seen", dict, _node="viewer") as topic:
        assert topic.recv() is None
        shown = until(
            lambda: (
                len((now := graph.graph(horus_namespace)).edges) == 4
                and "idle" in {node.name for node in now.nodes}
                and now
            )
        )
        lines = list(graph_text.text(shown))
        assert lines == [
            "camera -> rgb (dict) -> detector",
            "detector -> seen (dict) -> viewer",
            "Without topics: idle",
        ]
        assert {node.name: node.state for node in shown.nodes} == {
            "camera": "running", "detector": "running", "idle": "running", "viewer": "",
        }  # fmt: skip
        assert Edge("camera", pid, "rgb", "publishes") in shown.edges
        robot.tell()
        robot.finish()
        after = graph.graph(horus_namespace)
        assert {node.name for node in after.nodes} == {"viewer"}
        assert [edge.kind for edge in after.edges] == ["subscribes"]
        assert list(graph_text.text(after))[-1] == "(nobody) -> seen (dict) -> viewer"


def _of(names):
    """Each name is a node that publishes a topic of that name, of that type; and one more of the same name."""
    nodes = [GraphNode(name, 1, "stale") for name in names] + [GraphNode(names[0], 2, "running")]
    topics = [GraphTopic(name, name) for name in names]
    return Graph("robot", nodes, topics, [Edge(name, 1, name, "publishes") for name in names])


def _dot_tokens(text):
    """DOT as the language has it; whatever fits no token is an error."""
    token = re.compile(r'\s+|"((?:[^"\\\n]|\\.)*)"|(->|[{}\[\];,=])|([A-Za-z_][A-Za-z0-9_]*)')
    at = 0
    while at < len(text):
        found = token.match(text, at)
        assert found, f"no token of DOT: {text[at : at + 40]!r}"
        at = found.end()
        if not found[0].isspace():
            yield found[0]


def test_no_name_breaks_out_of_dot():
    """Labels are strings of DOT, one a line, and nothing but what we wrote stands outside of them."""
    lines = list(graph_text.dot(_of(HOSTILE)))
    count = len(HOSTILE)
    assert len(lines) == 3 + (count + 1) + count + count + 1
    text = "\n".join(lines)
    outside = [token for token in _dot_tokens(text) if not token.startswith('"')]
    assert outside.count("->") == count
    assert set(outside) <= {
        "digraph", "rankdir", "LR", "node", "fontname", "shape", "label", "ellipse", "box", "style", "dashed",
        "->", "{", "}", "[", "]", ";", ",", "=",
        *(f"n{number}" for number in range(count + 1)), *(f"t{number}" for number in range(count)),
    }  # fmt: skip
    label = next(token for token in _dot_tokens(text) if "back" in token)
    assert label == '"back\\\\slash\\\\N\\\\\\nstale"', "a backslash is one, not the node's own name"
    assert "\x1b" not in text


def test_no_name_breaks_out_of_mermaid():
    """A label has no quote, no bracket and no HTML; what was escaped is what was there."""
    lines = list(graph_text.mermaid(_of(HOSTILE)))
    count = len(HOSTILE)
    assert len(lines) == 1 + (count + 1) + count + count
    for line in lines[1 : 2 * count + 2]:
        label = re.fullmatch(r'  (?:n\d+\(\["(.*)"\]\)|t\d+\["(.*)"\])', line)
        assert label, line
        told = (label[1] or label[2]).replace("<br/>", "")
        assert not re.search(r"[\"<>`&\[\](){}|]", told)
        assert re.sub(r"#\d+;", "", told).count("#") == 0
    for line in lines[2 * count + 2 :]:
        assert re.fullmatch(r"  n\d+ --> t\d+", line)
    shown = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), "\n".join(lines))
    assert HOSTILE[0] in shown
    assert "Überdruck 你好" in shown


def test_no_name_breaks_out_of_svg():
    """It is XML with as many boxes as there are nodes and topics, and the names are text."""
    drawn = _of(HOSTILE)
    root = ET.fromstring("\n".join(graph_svg.svg(drawn)))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {
        "svg", "title", "style", "defs", "marker", "path", "rect", "g", "text"
    }  # fmt: skip
    groups = root.findall(f"{SVG}g")
    assert len(groups) == 2 * len(HOSTILE) + 1
    titles = [group.find(f"{SVG}title").text for group in groups]
    assert "<script>alert(1)</script> stale" in titles
    assert len(root.findall(f"{SVG}path")) == len(HOSTILE)


def test_no_name_forges_a_line_of_text():
    """One line a topic, with nothing in it that steers a terminal."""
    lines = list(graph_text.text(_of(HOSTILE)))
    assert len(lines) == len(HOSTILE) + 1 + len(HOSTILE)
    assert all(line.isprintable() or "\ufffe" in line for line in lines)
    assert lines[-1].endswith("is stale")


def test_the_layout_goes_from_left_to_right():
    """Each vertex stands right of those before it, an edge passes every layer between, and a cycle is cut once."""
    chain = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 1), (4, 4)]
    layout = Layers(5, chain)
    assert [layout.layer[one] for one in range(5)] == [0, 1, 2, 3, 0]
    for (start, end), path in zip(chain, layout.paths, strict=True):
        assert (path[0], path[-1]) == (start, end)
        if start != end:
            steps = [layout.layer[after] - layout.layer[before] for before, after in pairwise(path)]
            assert set(steps) == ({-1} if (start, end) == (3, 1) else {1})
    assert sorted(one for layer in layout.layers for one in layer) == list(range(len(layout.layer)))


@pytest.mark.parametrize("size", [0, 1, 300])
def test_any_graph_can_be_drawn(size):
    """Nothing, one, and many in a ring, which is one cycle."""
    nodes = [GraphNode(f"n{number}", 1, "running") for number in range(size)]
    topics = [GraphTopic(f"t{number}", "dict") for number in range(size)]
    edges = [Edge(f"n{number}", 1, f"t{number}", "publishes") for number in range(size)]
    edges += [Edge(f"n{number}", 1, f"t{(number + 1) % size}", "subscribes") for number in range(size)]
    root = ET.fromstring("\n".join(graph_svg.svg(Graph("robot", nodes, topics, edges))))
    assert len(root.findall(f"{SVG}g")) == 2 * size
    assert float(root.get("width")) > 0
