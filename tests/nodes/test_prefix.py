"""HORUS_NODE_NAMESPACE: what goes before the names that a program uses."""

from __future__ import annotations

import json

import pytest

import horus
from horus_core import prefix
from horus_core.control import flights, presence
from horus_core.nodes import placement
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace as namespaces


@pytest.fixture(autouse=True)
def robot1(namespace, monkeypatch):
    monkeypatch.setenv(prefix.VARIABLE, "/fleet/robot1/")


# spec: F19 C25
def test_relative_names_get_it_and_others_stay(namespace, caplog):
    """Names, classes, pubs, subs, on= and handles, declared or not; not absolute topics, and none of HORUS's own."""
    woken = []

    def tick(node):
        node.send("used", {"n": 1})
        node.send("/shared", {"n": 2})
        node.send(horus.CmdVel, horus.CmdVel())
        node.recv("/fleet/robot1/other")
        node.has_msg("_horus.estop")

    arm = Node("arm", tick=tick, pubs=["declared", "/absolute", horus.CmdVel], subs={"in": dict})
    ear = Node("ear", tick=lambda node: woken.append(node.recv("used")), on="used")
    with Scheduler(name="main", deterministic=True) as scheduler:
        scheduler.add(arm).add(ear).tick_for(0.05)
        assert woken
        assert woken[0] == {"n": 1}
        assert arm.name == "fleet.robot1.arm"
        here = "fleet/robot1"
        wanted = {f"{here}/declared", "absolute", f"{here}/used", "shared", f"{here}/cmd_vel"}
        assert {*arm.publishers()} == wanted
        assert {*arm.subscribers()} == {f"{here}/in", f"{here}/other", "_horus.estop"}
        assert {*ear.subscribers()} == {f"{here}/used"}
        named = {namespaces.topic_of(region) for region in namespaces.regions(namespace)} - {None}
        assert named == wanted - {f"{here}/declared", "absolute"} | {f"{here}/in", "_horus.estop"}
        record = json.loads(presence.path(namespace, "fleet.robot1.arm").read_text())
        assert f"{here}/used" not in record["pubs"], "what is declared at its start"
        assert f"{here}/declared" in record["pubs"]
        assert [path.name for path in flights.listed(namespace)] == ["fleet.robot1.main.flight"]
        with (
            horus.Topic("used") as topic,
            horus.Topic(horus.CmdVel) as typed,
            horus.Topic("/shared") as shared,
        ):
            assert [one.name for one in (topic, typed, shared)] == [
                f"{here}/used",
                f"{here}/cmd_vel",
                "shared",
            ]
            assert topic.latest() == {"n": 1}
        scheduler.pause("arm")  # as the program calls it, and by its whole name
        assert scheduler.get_node_stats("fleet.robot1.arm")["state"] == "paused"
        assert scheduler.has_node("arm")
        assert not scheduler.has_node("robot1.arm")
        arm.log_warning("said")
    assert "fleet.robot1.arm" in {record.name.removeprefix("horus.node.") for record in caplog.records}


def test_errors_name_what_results(namespace):
    """A type that does not fit, and a name that is too long by what was put before it."""
    node = Node("arm", tick=lambda: None)
    node.send("cmd_vel", horus.CmdVel())
    with pytest.raises(horus.TopicTypeError, match="topic 'fleet/robot1/cmd_vel'.*node='fleet.robot1.arm'"):
        node.send("cmd_vel", {"a": 1})
    node._horus.wiring.close()
    for make in (
        horus.Topic,
        lambda name: Node(name, tick=lambda: None),
        lambda name: Node(tick=print, on=name),
    ):
        with pytest.raises(
            horus.InvalidNameError, match="HORUS_NODE_NAMESPACE put 'fleet/robot1/' before it"
        ):
            make("n" * 120)


def test_topics_that_others_give_are_relative_too(namespace):
    """What the command line gives a packaged node, `--topic OLD=NEW` and `--name`, is as if the program said it."""
    node = Node("arm", tick=lambda: None, pubs="out")
    placement.place(node, name="hand", topics={"out": "there", "in": "/shared"})
    assert (node.name, node.publishers()) == ("fleet.robot1.hand", ["fleet/robot1/there"])
    assert node._horus.wiring.remapped == {
        "fleet/robot1/out": "fleet/robot1/there",
        "fleet/robot1/in": "shared",
    }


@pytest.mark.parametrize("bad", ["a b", "a//b", "..", "horus.x", "x" * 200])
def test_values_that_are_none(bad, monkeypatch):
    """The variable is named, and what is wrong with it."""
    monkeypatch.setenv(prefix.VARIABLE, bad)
    with pytest.raises(
        horus.InvalidNameError, match=rf"{prefix.VARIABLE}=.* cannot be used\. Bad (topic|node) name"
    ):
        Node("arm", tick=lambda: None)


# spec: C5
def test_who_starts_a_process_gives_its_scheduler_a_whole_name(monkeypatch):
    """HORUS_NODE_NAME is taken as it is; "/" alone means no prefix."""
    monkeypatch.setenv("HORUS_NODE_NAME", "controller")
    assert Scheduler().name == "controller"
    monkeypatch.setenv(prefix.VARIABLE, "/")
    assert (Scheduler(name="main").name, horus.Topic("a").name) == ("main", "a")
