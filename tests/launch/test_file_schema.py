"""The JSON Schema accepts what the loader accepts, and nothing else that one file alone can tell."""

from __future__ import annotations

import json
from functools import cache

import pytest
from jsonschema import Draft202012Validator
from launch_files import planned, problems

from horus_plugins.launch.file.schema import schema

NODE = {"name": "a", "command": "./motor"}
VALUES = {
    "name": ["a", "a.b-C_1", "x" * 128, "${N:-n}", "", "a b", "..", "x" * 129, 5, None, ["a"]],
    "command": ["./motor x", ["./motor", "x"], "", [], 5, None, {}, [1]],
    "rate_hz": [1, 0.5, 1e6, "${R:-5}", 0, -1, 1e7, "fast", None, True, [1]],
    "priority": [0, -5, 3.0, 1.5, "high", True, None],
    "namespace": ["arm", "/arm", "/a/b/", "", "a//b", "a b", 5, None],
    "params": [
        {},
        {"a": 1},
        {"a": [1, {"b": "c"}]},
        {"a": None},
        {"a": [None]},
        {"1a": 1},
        {"a b": 1},
        [],
        5,
        None,
    ],
    "env": [
        {},
        {"A": "b"},
        {"A": 1, "B": 1.5, "C": True},
        {"A": None},
        {"A": []},
        {"HORUS_NAMESPACE": "x"},
        {"": "x"},
        {"A=B": "c"},
        [],
        None,
    ],
    "depends_on": [
        [],
        ["b"],
        "b",
        {"b": "ready"},
        {"b": "completed"},
        {"b": "healthy"},
        {"b": {}},
        5,
        [5],
        None,
    ],
    "start_delay": [0, 1.5, -1, 1e9, "1", True, None],
    "ready_timeout": [0.1, 5, 0, -1, "x", None],
    "restart": [
        *("never", "on-failure", "always", "no", None, 5, {}),
        *({"policy": "always"}, {"policy": "always", "max": 3, "window": 1, "backoff": 1, "stable": 0}),
        *(
            {"policy": "sometimes"},
            {"max": 3},
            {"policy": "always", "max": -1},
            {"policy": "always", "mx": 1},
        ),
        *(
            {"policy": "always", "max": 1.5},
            {"policy": "always", "max": 2.0},
            {"policy": "always", "window": 0},
        ),
    ],
    "args": [[], ["a", 1, 1.5, True], "a", [None], [[]], 5, None],
    "cwd": [".", "", 5, None],
    "on_exit": ["continue", "shutdown", "stop", 5, None],
    "topics": [{"a": "b"}],
    "wheels": [4],
}
HEADS = {
    "session": ["a", "a.b", "a b", "", 5, None],
    "namespace": ["robot", "a-b_1", "a.b", "x" * 49, "", 5, None],
    "params": [{"a": 1}, {"a": None}, 5],
    "env": [{"A": 1}, {"A": None}, 5],
    "stop": [{}, {"graceful": 1}, {"graceful": 0, "terminate": 0.5}, {"graceful": -1}, {"kill": 1}, 5, None],
    "include": [
        "more.yaml",
        ["more.yaml"],
        {"file": "more.yaml", "prefix": "x"},
        [{"file": "more.yaml", "params": {"a": 1}}],
        {"prefix": "x"},
        5,
        None,
        [5],
        {"file": "more.yaml", "prefix": "a b"},
    ],
    "x-anything": [1, None, {"a": []}],
    "sesion": ["a"],
    "nodes": [[], None, 5, {}, ["a"], [NODE]],
}
GROUPS = [
    {"nodes": [NODE]},
    {"foreach": {"r": ["r1", "r2", 3]}, "nodes": [NODE]},
    {"foreach": {"r": [{"name": "r1", "port": 5}]}, "prefix": "", "nodes": [NODE]},
    {"foreach": {"r": ["r1"]}, "include": "more.yaml"},
    {"prefix": "x", "params": {"a": 1}, "env": {"A": 1}, "nodes": [{"prefix": "y", "nodes": [NODE]}]},
    {"foreach": {"r": []}, "nodes": [NODE]},
    {"foreach": {"r": [{"port": 5}]}, "nodes": [NODE]},
    {"foreach": {"r": [None]}, "nodes": [NODE]},
    {"foreach": {}, "nodes": [NODE]},
    {"foreach": {"1": ["a"]}, "nodes": [NODE]},
    {"foreach": {"r": "r1"}, "nodes": [NODE]},
    {"foreach": {"r": ["r1"]}},
    {"prefix": "a b", "nodes": [NODE]},
    {"prefix": 5, "nodes": [NODE]},
    {"nodes": [NODE], "name": "a"},
    {"nodes": [{"name": "a"}]},
]


def _files():
    for key, values in VALUES.items():
        for value in values:
            yield {"nodes": [{**NODE, key: value}, {"name": "b", "command": "./motor"}]}
    for key, values in HEADS.items():
        for value in values:
            yield {"nodes": [NODE], key: value}
    for group in GROUPS:
        yield {"nodes": [group]}
    yield from ({}, {"include": "more.yaml"}, {"session": "a"})
    yield {"nodes": [{"name": "a"}]}
    yield {"nodes": [{**NODE, "cmd": "./motor"}]}
    yield {"nodes": [{"command": "./motor"}]}


@cache
def _validator():
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_schema_and_loader_agree(tmp_path):
    """Each key with good and bad values, 190 files: the editor's check and the launcher's say the same of each."""
    (tmp_path / "more.yaml").write_text("nodes: [{name: more, command: ./motor}]\n")
    differ = []
    for content in _files():
        found = problems(tmp_path, json.dumps(content), namespace=None)
        wrong = [error.message for error in _validator().iter_errors(content)]
        if bool(found) != bool(wrong):
            differ.append((content, found, wrong))
    assert differ == []


def test_everything_has_a_description():
    """What editors show beside a key."""
    for part in (schema(), *schema()["$defs"].values()):
        assert "description" in part, part
        for key, one in part.get("properties", {}).items():
            assert one.get("description"), key
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("key", ["stop", "restart"])
def test_defaults_are_shown(tmp_path, key):
    """The numbers that hold where nothing is written are those of the plan."""
    part = schema()["$defs"]["StopSpec" if key == "stop" else "RestartSpec"]["properties"]
    plan = planned(tmp_path, "nodes: [{name: a, command: ./motor}]\n")
    thing = plan.stop if key == "stop" else plan.nodes[0].restart
    shown = {name: one["default"] for name, one in part.items() if "default" in one}
    assert shown == {name: getattr(thing, name if name == "max" else f"{name}_s") for name in shown}
