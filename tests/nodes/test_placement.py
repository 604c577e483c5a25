"""A node's place: the name, the rate and the topics that somebody else than its author gives it."""

from __future__ import annotations

import json

import pytest

import horus
from horus.testing import run_ticks
from horus_core.control import presence
from horus_core.errors import InvalidNameError
from horus_core.nodes.placement import place
from horus_plugins.monitor import topics


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


def test_another_name_rate_and_topics(namespace):
    """The node is known by them everywhere: in its log, its presence, and to those at the other ends."""
    node = horus.Node("camera", tick=lambda node: node.send("rgb", {"n": 1}), pubs="rgb", rate=10)
    place(node, name="left", rate=200, topics={"rgb": "front.rgb"})
    with horus.Topic("front.rgb") as topic, horus.Scheduler().add(node) as scheduler:
        run_ticks(scheduler, 1)
        _, info = topic.recv_info()
        assert (info.publisher, scheduler.get_node_names()) == ("left", ["left"])
        assert scheduler.get_node_stats("left")["rate"] == 200
        record = json.loads(presence.path(namespace, "left").read_text())
        assert (record["pubs"], record["remapped"]) == (["front.rgb"], {"rgb": "front.rgb"})


def test_undeclared_topics_and_classes_are_remapped():
    """Whatever the node names: a string, a class for its default topic; sending, receiving, looking."""
    seen = []

    def tick(node):
        node.send(horus.CmdVel, horus.CmdVel(linear=2.0))
        node.send("text", {"a": 1})
        seen.append((node.recv("in"), node.latest("in"), node.has_msg("in"), node.is_stale("in", 10)))

    node = horus.Node("n", tick=tick)
    place(node, topics={"cmd_vel": "left/cmd_vel", "/text": "left/text", "in": "left/in"})
    with horus.Topic("left/in") as given, horus.Scheduler().add(node) as scheduler:
        given.send({"b": 2})
        given.send({"b": 3})
        run_ticks(scheduler, 1)
        with horus.Topic("left/cmd_vel", horus.CmdVel) as commands, horus.Topic("left/text") as text:
            assert (commands.latest().linear, text.latest()) == (2.0, {"a": 1})
        assert node.publishers() == ["left/cmd_vel", "left/text"]
        assert node.subscribers() == ["left/in"]
    assert seen[0][1:] == ({"b": 3}, False, False)


def test_two_topics_are_exchanged():
    """Each name is looked up once: a=b with b=a is no circle."""
    node = horus.Node("n", tick=lambda node: (node.send("a", {"is": "a"}), node.send("b", {"is": "b"})))
    place(node, topics={"a": "b", "b": "a"})
    with horus.Topic("a") as a, horus.Topic("b") as b, horus.Scheduler().add(node) as scheduler:
        run_ticks(scheduler, 1)
        assert (a.recv(), b.recv()) == ({"is": "b"}, {"is": "a"})


def test_what_wakes_a_node_is_remapped():
    """on= names the node's topic; the one that it gets instead wakes it. Such a node has no rate to set."""
    heard = []

    def listen(node):
        heard.extend(node.recv_all("words"))
        node.request_stop()

    listener = horus.Node("listener", tick=listen, on="words")
    place(listener, rate=5, topics={"words": "left.words"})
    assert listener.rate == 30
    speaker = horus.Node("speaker", tick=lambda node: node.send("left.words", {"n": horus.tick()}), rate=200)
    horus.run(listener, speaker, duration=20)
    assert heard[0] == {"n": 0}


FAR = """
import horus
from horus_core.nodes.placement import place
from horus_plugins.monitor import topics

def tick(node):
    node.send("out", {"n": 1})
    node.request_stop()

if __name__ == "__main__":
    node = horus.Node("far", tick=tick, pubs="out", compute="process", rate=50)
    place(node, topics={"out": "left.out"})
    with horus.Topic("left.out", dict) as topic:
        horus.run(node)
        print(topic.recv())
"""


def test_a_node_in_a_process_of_its_own_is_remapped(program):
    """compute="process": the other process opens the topics."""
    assert program(FAR).finish()[0].strip() == "{'n': 1}"


def test_a_node_that_runs_stays_where_it_is():
    """Its topics are open, its name is taken."""
    node = horus.Node("n", tick=lambda: None, pubs="a")
    with horus.Scheduler().add(node) as scheduler:
        run_ticks(scheduler, 1)
        with pytest.raises(horus.NodeError, match="neither runs nor has opened a topic"):
            place(node, name="other")


@pytest.mark.parametrize(
    "topics", [{"a": "_horus.estop"}, {"horus.ctl.x": "a"}, {"a": ""}, {"a": "b c"}, {"../a": "b"}]
)
def test_bad_topics_are_refused(topics):
    """By the rules of names; HORUS's own topics are neither given nor taken away."""
    with pytest.raises(InvalidNameError):
        place(horus.Node("n", tick=lambda: None), topics=topics)


# spec: F19
def test_the_environments_rate_counts_where_code_gives_none(monkeypatch):
    """HORUS_NODE_RATE, for nodes and schedulers without a rate of their own."""
    monkeypatch.setenv("HORUS_NODE_RATE", "50")
    silent, given = horus.Node("a", tick=lambda: None), horus.Node("b", tick=lambda: None, rate=30)
    assert (silent.rate, given.rate) == (50, 30)
    assert horus.Scheduler(tick_rate=20).add(silent).get_node_stats("a")["rate"] == 20
    for bad in ("fast", "0", "-1", "nan", "1e9"):
        monkeypatch.setenv("HORUS_NODE_RATE", bad)
        with pytest.raises(horus.ConfigError, match=f"Bad HORUS_NODE_RATE: expected Hz.*got '{bad}'"):
            horus.Node("c", tick=lambda: None)
        assert horus.Node("d", tick=lambda: None, rate=30).rate == 30
    monkeypatch.setenv("HORUS_NODE_RATE", "")
    assert horus.Node("e", tick=lambda: None).rate == 30


def test_tools_tell_what_a_node_calls_its_topic(namespace):
    """In the list of topics, for publishers and subscribers; also when a presence cannot be read."""
    node = horus.Node("left", tick=lambda node: (node.send("rgb", {"n": 1}), node.recv("in")))
    place(node, topics={"rgb": "front.rgb", "in": "front.in"})
    with horus.Topic("front.in", dict) as given, horus.Scheduler().add(node) as scheduler:
        run_ticks(scheduler, 1)
        given.send({"n": 1})
        run_ticks(scheduler, 1)
        found = {state.name: state for state in topics.topics(namespace)}
        assert [end.called for end in found["front.rgb"].publishers] == ["rgb"]
        assert "in" in [end.called for end in found["front.in"].subscribers]
        presence.path(namespace, "left").write_text('{"remapped": [1]}')
        assert topics.topics(namespace)[1].publishers[0].called == ""
