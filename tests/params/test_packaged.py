"""Parameters of packaged nodes: where their values come from, and what tools may do with them."""

from __future__ import annotations

import gc

import pytest

import horus
from horus_core.control.commands import Request
from horus_core.nodes.making import make
from horus_core.params import env, remote, runtime


def wander(*, max_speed: float = horus.param(default=0.3, unit="m/s", doc="Fast."), side: str = "left"):
    return horus.Node("wander", tick=lambda: None)


def watching(*, max_speed: float = 0.3):
    params = horus.RuntimeParams()
    node = horus.Node("watching", tick=lambda: None)
    node.speed = params.declare("max_speed", default=max_speed, min=0)
    return node


def ask(handler, cmd, **fields):
    """What a scheduler would answer."""
    return handler(Request(cmd, {"cmd": cmd, **fields}, horus.Scheduler(), 2.0))


# spec: F21, F33
def test_their_parameters_are_shown_and_fixed(fresh, tmp_path):
    """Environment, then file, then the package's default; tools show them with their origin, and cannot set them."""
    (tmp_path / "horus.toml").write_text('[params]\nside = "right"\nmax_speed = 0.4\n')
    fresh(HORUS_PARAM_MAX_SPEED="0.5")
    nodes = make(wander, {}, environment=True)
    found = {one["name"]: one for one in ask(remote.get_params, "GetParams")["params"]}
    assert all(one["fixed"] for one in found.values())
    assert found["max_speed"].items() >= {
        "value": 0.5, "type": "float", "unit": "m/s", "doc": "Fast.", "default": 0.3, "layer": "environment",
        "origin": "HORUS_PARAM_MAX_SPEED", "nodes": ["wander"],
    }.items()  # fmt: skip
    assert (found["side"]["value"], found["side"]["origin"]) == ("right", f"{tmp_path}/horus.toml:2")
    with pytest.raises(
        horus.ParamError, match="that node wander was made with. Start it anew with --param max_speed="
    ):
        ask(remote.set_params, "SetParam", name="max_speed", value=1.0)
    del nodes
    gc.collect()
    assert not any(one["fixed"] for one in ask(remote.get_params, "GetParams")["params"])


def test_one_that_its_node_watches_can_be_set(fresh):
    """A function that declares its parameter follows it: the command line's value first, then what is set."""
    fresh(HORUS_PARAM_MAX_SPEED="0.5")
    given = {"max_speed": env.from_text("0.7", "--param")}
    runtime.STORE.arguments.update(given)
    (node,) = make(watching, given, environment=True)
    assert (node.speed.value, node.speed.layer, node.speed.origin) == (0.7, "argument", "--param")
    (shown,) = ask(remote.get_params, "GetParams")["params"]
    assert shown["fixed"] is False
    ask(remote.set_params, "SetParam", name="max_speed", text="2")
    assert node.speed.value == 2.0
    assert ask(remote.delete_param, "DeleteParam", name="max_speed")["params"][0]["value"] == 0.7


def test_what_comes_too_late_is_not_done(fresh):
    """A process that was stopped meanwhile does not take what nobody waits for any more."""
    params = fresh()
    params.declare("speed", default=1.0)
    with pytest.raises(horus.HorusTimeoutError, match="nothing was set"):
        ask(remote.set_params, "SetParam", name="speed", value=2.0, expires_ns=1)
    assert params["speed"] == 1.0
