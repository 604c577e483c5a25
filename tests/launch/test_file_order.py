"""The order of starting: after what a node depends on, by priority, then as written; and whose namespace it is."""

from __future__ import annotations

import random

import pytest
from launch_files import nodes, planned, problems

from horus_core.shm import namespace


# spec: C4, C25, F19
def test_nodes_start_after_their_dependencies_by_priority_then_by_line(tmp_path):
    """`priority` decides among those whose dependencies allow; equal ones keep the order of the file."""
    text = nodes(
        "{name: late, command: ./motor, priority: 9}",
        "{name: c, command: ./motor, depends_on: [b]}",
        "{name: b, command: ./motor, depends_on: [a]}",
        "{name: a, command: ./motor}",
        "{name: d, command: ./motor}",
        "{name: first, command: ./motor, priority: -1}",
        "{name: needy, command: ./motor, depends_on: late, priority: -5}",
    )
    order = [one.name for one in planned(tmp_path, text).nodes]
    assert order == ["first", "a", "b", "c", "d", "late", "needy"]


def test_any_graph_is_ordered(tmp_path):
    """Forty random graphs: everybody once, nobody before what it waits for; with one more edge back, a circle."""
    random.seed(7)
    for _ in range(40):
        count = random.randint(2, 12)
        edges = {n: [m for m in range(n) if random.random() < 0.3] for n in range(count)}
        shuffled = random.sample(range(count), count)
        lines = [
            f"{{name: n{n}, command: ./motor, depends_on: [{', '.join(f'n{m}' for m in edges[n])}]}}"
            for n in shuffled
        ]
        order = [one.name for one in planned(tmp_path, nodes(*lines)).nodes]
        assert sorted(order) == sorted(f"n{n}" for n in range(count))
        assert all(order.index(f"n{m}") < order.index(f"n{n}") for n in edges for m in edges[n])
        low, high = 0, next((n for n in edges if 0 in edges[n]), None)
        if high is not None:
            back = [
                line.replace("depends_on: []", f"depends_on: [n{high}]") if "name: n0," in line else line
                for line in lines
            ]
            assert f"n{low}" in str(problems(tmp_path, nodes(*back)))


@pytest.mark.parametrize("written", ["b", "[b]", "{b: ready}"])
def test_dependencies_are_a_name_a_list_or_a_mapping(tmp_path, written):
    """All three wait until b is ready."""
    text = nodes(f"{{name: a, command: ./motor, depends_on: {written}}}", "{name: b, command: ./motor}")
    plan = planned(tmp_path, text)
    assert [(one.node, one.condition) for one in plan.node("a").depends_on] == [("b", "ready")]


# spec: C24, F1, F19
def test_whose_namespace(tmp_path, monkeypatch):
    """The option goes before the file, that before HORUS_NAMESPACE, that before the terminal's."""
    plain = nodes("{name: a, command: ./motor}")
    monkeypatch.delenv(namespace.VARIABLE, raising=False)
    assert planned(tmp_path, plain, namespace=None).namespace == namespace.current()
    monkeypatch.setenv(namespace.VARIABLE, "terminal")
    assert planned(tmp_path, plain, namespace=None).namespace == "terminal"
    assert planned(tmp_path, "namespace: file\n" + plain, namespace=None).namespace == "file"
    plan = planned(tmp_path, "namespace: file\n" + plain, namespace="option")
    assert (plan.namespace, plan.nodes[0].environment[namespace.VARIABLE]) == ("option", "option")


def test_the_session_is_named_by_the_file(tmp_path):
    """Its stem, made a name; unless the file says another."""
    from launch_files import write

    from horus_plugins.launch.file.launch_file import load

    assert (
        load(write(tmp_path, nodes("{name: a, command: ./motor}"), "my robot.v2.yaml")).session
        == "my_robot.v2"
    )
    assert load(write(tmp_path, "session: x\n" + nodes("{name: a, command: ./motor}"))).session == "x"


def test_processes_that_share_nothing_are_told(tmp_path, monkeypatch):
    """HORUS_BACKEND=local keeps topics inside of each process: a warning, for that may be meant."""
    text = nodes("{name: a, command: ./motor}", "{name: b, command: ./motor}")
    assert planned(tmp_path, text).warnings == ()
    monkeypatch.setenv("HORUS_BACKEND", "local")
    assert "share none" in planned(tmp_path, text).warnings[0]
