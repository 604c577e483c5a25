"""What Node(...) accepts and refuses."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import numpy as np
import pytest

import horus
from horus_core.errors import ConfigError, InvalidNameError, NodeError
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


def _yields(node):
    yield node


class _Yielding:
    def __call__(self, node):
        yield node


# spec: F8, F10
@pytest.mark.parametrize("callback", ["init", "tick", "shutdown", "on_error", "enter_safe_state"])
@pytest.mark.parametrize("function", [_yields, _Yielding()])
def test_a_generator_is_no_callback(callback, function):
    """A call of it runs nothing: a stray yield is refused at construction."""
    with pytest.raises(ConfigError, match=rf"Bad {callback}: .*generator.*Leave out yield"):
        Node("n", **{"tick": print, callback: function})


# spec: F8
@pytest.mark.parametrize("make", [horus.Ladder, horus.Restart, horus.Skip])
def test_policies_name_the_nearest_keyword(make):
    """As nodes do."""
    known = {horus.Ladder: "warn", horus.Restart: "backoff", horus.Skip: "cooldown"}[make]
    with pytest.raises(ConfigError, match=f"Unknown keyword of {make.__name__}.*did you mean '{known}'"):
        make(**{known[:-1]: 1})
    assert getattr(make(**{known: 2}), known) == 2
    assert pickle.loads(pickle.dumps(make())) == copy.copy(make()) == make()


# spec: F8, F28
def test_a_scheduler_takes_keywords_alone():
    """Scheduler("robot") is told how to say it."""
    with pytest.raises(ConfigError, match=r"expected keywords alone, got 'robot'.*name="):
        horus.Scheduler("robot")


# spec: F8, F9
@pytest.mark.parametrize("seconds", [1e12, 1e300, math.inf, math.nan])
def test_times_beyond_the_clock_are_refused(seconds):
    """What does not fit in 63 bits of nanoseconds is refused where it is given."""
    with pytest.raises(ConfigError, match="up to 1e\\+09"):
        Node("n", tick=print, watchdog=seconds)
    with pytest.raises(ConfigError, match="to 1e\\+09"):
        horus.Skip(cooldown=seconds)


# spec: F9, F14
def test_a_budget_beyond_the_deadline_is_refused():
    """It could never be used up in time; also when it is set later."""
    with pytest.raises(ConfigError, match=r"Bad budget: expected at most the deadline of 0.1 s.*got 0.5"):
        Node("n", tick=print, budget=0.5, deadline=0.1)
    scheduler = horus.Scheduler().add(Node("n", tick=print, budget=0.05, deadline=0.1))
    scheduler.set_tick_budget("n", 0.1)
    with pytest.raises(ConfigError, match="Bad budget"):
        scheduler.set_tick_budget("n", 0.2)


# spec: F28
def test_a_scheduler_without_nodes_says_so():
    """Instead of a list of none."""
    with pytest.raises(NodeError, match=r"No node 'x': expected a scheduler with nodes"):
        horus.Scheduler().pause("x")


# spec: F28
def test_a_run_of_ten_thousand_years_is_one_without_an_end(horus_namespace):
    """More seconds than the clock can count are no error."""
    with horus.Scheduler(deterministic=True) as scheduler:
        scheduler.add(Node("n", tick=lambda node: node.request_stop())).run(1e300)
