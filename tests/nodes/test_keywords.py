"""What Node(...) accepts and refuses."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import horus
from horus_core.errors import ConfigError, InvalidNameError
from horus_core.nodes.node import Node


def tick():
    pass


# spec: F27
def test_all_promised_keywords_exist():
    """The signature has every promised keyword, with the promised default where there is one."""
    parameters = inspect.signature(Node).parameters
    promised = (
        "name tick init shutdown on_error enter_safe_state pubs subs rate order budget deadline on_miss "
        "failure_policy compute on priority core rt watchdog critical ladder capacity"
    )
    assert set(promised.split()) <= set(parameters)
    assert parameters["name"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["rate"].default == 30
    assert parameters["order"].default == 100
    assert parameters["on_miss"].default == "warn"
    assert parameters["failure_policy"].default == "fatal"


# spec: F8
@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("rates", "rate"), ("tik", "tick"), ("on_eror", "on_error"), ("publishers", "pubs")],
)
def test_unknown_keyword_names_the_nearest(wrong, nearest):
    """An unknown keyword is refused, and the nearest one is named."""
    with pytest.raises(ConfigError, match=wrong) as caught:
        Node("n", tick=tick, **{wrong: 1})
    assert nearest in str(caught.value)


# spec: F8
@pytest.mark.parametrize(
    "bad",
    [
        {"rate": 0},
        {"rate": -1},
        {"rate": float("nan")},
        {"rate": 2e6},
        {"rate": "30"},
        {"rate": True},
        {"rate": None},
        {"order": 1.5},
        {"order": True},
        {"capacity": 0},
        {"capacity": 1.0},
        {"tick": None},
        {"tick": "tick"},
        {"init": 3},
        {"pubs": 3},
        {"pubs": [3]},
        {"pubs": int},
        {"subs": {"a": int}},
        {"subs": {3: dict}},
        {"subs": ["a", "a"]},
    ],
)
def test_bad_values_are_refused_at_construction(bad):
    """Values that make no sense are a ConfigError at construction, not a surprise at run time."""
    with pytest.raises(ConfigError):
        Node("n", **{"tick": tick, **bad})


# spec: F4
@pytest.mark.parametrize("name", ["", "a b", "a/b", "..", "x" * 129, "ü"])
def test_bad_names(name):
    """Node names obey the rules of names."""
    with pytest.raises(InvalidNameError):
        Node(name, tick=tick)


# spec: F4
@pytest.mark.parametrize("topic", ["", "a b", "a//b", "../a", "a/"])
def test_bad_topic_names_are_refused_at_construction(topic):
    """So do topic names in pubs and subs."""
    with pytest.raises(InvalidNameError):
        Node("n", tick=tick, pubs=topic)
    with pytest.raises(InvalidNameError):
        Node("n", tick=tick, subs=[topic])


# spec: F9
@pytest.mark.parametrize("bad", [{"budget": 300}, {"deadline": 20}, {"budget": 0}, {"deadline": "5ms"}])
def test_durations_that_are_no_seconds_are_refused_with_the_hint(bad):
    """A budget above 1 s or a deadline above 5 s is refused, naming horus.us and horus.ms."""
    with pytest.raises(ConfigError, match=r"horus\.ms.*horus\.us"):
        Node("n", tick=tick, **bad)


def test_units():
    """Both units are in seconds."""
    assert 300 * horus.us == pytest.approx(0.0003)
    assert 5 * horus.ms == pytest.approx(0.005)


def test_explicit_defaults_are_fine():
    """Giving such a keyword its default asks for nothing."""
    Node("n", tick=tick, budget=None, on_miss="warn", compute=False, rt=False, critical=False, ladder=None)


def test_numbers_of_numpy_are_numbers():
    """A rate may come from an array."""
    assert Node("n", tick=tick, rate=np.float32(50)).rate == 50


def test_names_of_nameless_nodes_differ():
    """Nodes without a name get one each, from their function or class."""

    class Driver(Node):
        def tick(self):
            pass

    a, b, c = Node(tick=tick), Node(tick=tick), Driver()
    assert len({a.name, b.name, c.name}) == 3
    assert a.name.startswith("tick_")
    assert c.name.startswith("Driver_")
    assert Node(tick=lambda: None).name.startswith("node_")


@pytest.mark.parametrize("attribute", [{"rate": 5}, {"pubs": ["a"]}, {"order": 1}, {"name": "arm"}])
def test_keywords_as_attributes_of_a_class_are_refused(attribute):
    """`rate = 5` in a class would tick at 30 Hz and show 5; the error says where it belongs."""
    (keyword,) = attribute
    wrong = type("Arm", (Node,), {"tick": tick, **attribute})
    with pytest.raises(ConfigError, match=rf"Bad {keyword} of Arm.*super\(\).__init__\({keyword}="):
        wrong()
    wrong(**attribute)


def test_methods_named_like_keywords_are_left_alone():
    """A property that computes the rate is the user's own."""
    assert type("Arm", (Node,), {"tick": tick, "rate": property(lambda _self: 5.0)})().rate == 5
