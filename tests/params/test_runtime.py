"""`horus.RuntimeParams`: where a value comes from, what type it has, who may refuse it, who is told."""

from __future__ import annotations

import dataclasses
import enum
import os
import pickle
import sys
import threading

import pytest

import horus
from horus_core.params import runtime
from horus_core.params.store import RefusedError, Store


class Gear(enum.Enum):
    LOW = 1
    HIGH = 2


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclasses.dataclass
class Gains:
    p: float = 1.0
    i: float = 0.0


# spec: F20
def test_it_has_two_names():
    """`horus.Params` is `horus.RuntimeParams`."""
    assert horus.Params is horus.RuntimeParams


# spec: C7, C27, F21
def test_set_counts_before_environment_before_file_before_default(fresh, tmp_path):
    """The order of F21, each with its origin; what is deleted shows what lies beneath; nothing is built in."""
    (tmp_path / "horus.toml").write_text('[params]\nmax_speed = 1.5\nname = "arm"\n')
    params = fresh(HORUS_PARAM_MAX_SPEED="2.5")
    assert params.get("max_speed", default=1.0) == 2.5
    assert params.origin("max_speed") == "HORUS_PARAM_MAX_SPEED"
    assert params.get("name", default="leg") == "arm"
    assert params.origin("name") == f"{tmp_path}/horus.toml:3"
    assert params.get("gain", default=0.5) == 0.5
    params.set("max_speed", 3)
    assert params.get("max_speed", default=1.0) == 3.0
    assert params.origin("max_speed") == "set"
    assert params.delete("max_speed") is True
    assert params.delete("max_speed") is False
    assert params.get("max_speed", default=1.0) == 2.5
    assert dict(params) == {"max_speed": 2.5, "name": "arm"}
    assert params.get("nothing") is None


# spec: C28, F21
def test_the_environment_keeps_types(fresh):
    """HORUS_PARAMS_JSON has types; a variable of its own wins where somebody set it by hand, and is read as JSON."""
    params = fresh(
        HORUS_PARAMS_JSON='{"max_speed": 1.5, "robot_id": 1, "label": "7", "on": true, "gains": [1, 2]}',
        HORUS_PARAM_MAX_SPEED="1.5",
        HORUS_PARAM_ROBOT_ID="2",
        HORUS_PARAM_EXTRA="fast",
    )
    assert {name: params[name] for name in params} == {
        "extra": "fast",
        "gains": [1, 2],
        "label": "7",
        "max_speed": 1.5,
        "on": True,
        "robot_id": 2,
    }
    assert params.origin("max_speed") == "HORUS_PARAMS_JSON"
    assert params.origin("robot_id") == "HORUS_PARAM_ROBOT_ID"
    assert "label" in params
    assert "labl" not in params
    with pytest.raises(horus.ParamError, match="Bad HORUS_PARAMS_JSON: expected a JSON object"):
        fresh(HORUS_PARAMS_JSON="{")


def test_the_default_of_get_says_the_type(fresh):
    """A whole number is a float where the default is one; text where it is text; all else is refused by name."""
    params = fresh(HORUS_PARAM_SPEED="2", HORUS_PARAM_SERIAL="00712E5", HORUS_PARAM_NUMBER="123E5")
    assert repr(params.get("speed", default=1.0)) == "2.0"
    assert params.get("number", default="") == "123E5"
    with pytest.raises(
        horus.ParamError,
        match="Bad parameter 'serial': expected float, got '00712E5' \\(from HORUS_PARAM_SERIAL\\)",
    ):
        params.get("serial", default=1.0)
    with pytest.raises(horus.ParamError, match="expected float, got 'fast'"):
        params.set("speed", "fast")
    assert params.get("speed", default=1.0) == 2.0
    assert params.get("gain", default=1.0) == 1.0
    with pytest.raises(horus.ParamError, match="expected float"):
        params.set("gain", "high")


def test_a_missing_one_is_a_key_error(fresh):
    """`params["x"]` raises what a dict would, and HORUS's own, with the nearest name."""
    params = fresh(HORUS_PARAM_MAX_SPEED="2")
    with pytest.raises(KeyError) as caught:
        params["max_sped"]
    assert isinstance(caught.value, horus.ParamError)
    expected = "Reading parameter 'max_sped' failed: expected a value, got none. Did you mean 'max_speed'?"
    assert str(caught.value) == expected
    with pytest.raises(horus.ParamError):
        params.origin("max_sped")


def test_declared_types(fresh):
    """Declared values are converted by type: enums, dataclasses, lists, text that looks like a number."""
    params = fresh(HORUS_PARAMS_JSON='{"mode": "slow", "gains": {"p": 2}, "serial": "1", "points": [1, 2.5]}')
    mode = params.declare("mode", default=Mode.FAST)
    gear = params.declare("gear", default=Gear.LOW)
    gear.set(Gear.HIGH)
    gains = params.declare("gains", default=Gains())
    points = params.declare("points", type=list[float])
    assert gear.value is Gear.HIGH
    params.set("gear", 1)
    assert gear.value is Gear.LOW
    assert (mode.value, gains.value, points.value) == (Mode.SLOW, Gains(2.0), [1.0, 2.5])
    params.set("mode", "fast")
    assert mode.value is Mode.FAST
    assert params["mode"] is Mode.FAST
    params["points"].append(3.0)
    assert params["points"] == [1.0, 2.5], "get() gives copies of what can be changed in place"
    for name, wrong in {"mode": "medium", "gains": {"d": 1}, "points": "all"}.items():
        with pytest.raises(horus.ParamError, match=f"Bad parameter '{name}'"):
            params.set(name, wrong)
    with pytest.raises(horus.ParamError, match="Missing parameter 'port': expected a value"):
        params.declare("port", type=int)


@pytest.mark.parametrize("wrong", [True, "1", None, float("nan"), float("inf"), 1 + 2j, [1.0]])
def test_nothing_but_an_int_becomes_a_float(fresh, wrong):
    """Whatever else is set raises, and the value stays."""
    params = fresh()
    speed = params.declare("speed", default=1.0)
    with pytest.raises(horus.ParamError):
        speed.set(wrong)
    speed.set(2)
    assert repr(speed.value) == "2.0"


@pytest.mark.parametrize(
    "hostile",
    [object(), {1: 2}, {"a": {1, 2}}, "\ud800", 1 << 64, ["x" * 70000], b"bytes", [[[float("nan")]]]],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_travel_is_refused(fresh, hostile):
    """Without a declaration a value is a number, a bool, text, a list or a dict of these, of bounded size."""
    with pytest.raises(horus.ParamError, match="Bad parameter 'x': expected"):
        fresh().set("x", hostile)
    nested = []
    for _ in range(10_000):
        nested = [nested]
    with pytest.raises(horus.ParamError):
        fresh().set("x", nested)


@pytest.mark.parametrize("name", ["", "a b", "x\n", "é", "\x1b[31m", "n" * 129, "a;b", 7])
def test_bad_names_are_refused(fresh, name):
    """Names are like those of topics: nothing that could forge a line of a tool's output."""
    params = fresh()
    for use in (lambda: params.set(name, 1), lambda: params.get(name, 1), lambda: params.declare(name, 1)):
        with pytest.raises(horus.HorusError, match="Bad parameter name"):
            use()


def test_limits_choices_and_validators_refuse(fresh):
    """What breaks a rule raises with the rule, and changes nothing; so does an exception of a validator, or False."""
    params = fresh()

    def even(value):
        if value % 2:
            raise ValueError("odd numbers shake")

    count = params.declare("count", default=2, unit="Hz", min=0, max=10, validator=even)
    side = params.declare("side", default="left", choices=["left", "right"])
    broken = params.declare("broken", default=1, validator=lambda value: value < 5 or value.missing)
    expected = {
        (count, 12): "expected 0 to 10 Hz, got 12",
        (count, 3): "refuses 3 .*odd numbers shake",
        (side, "up"): "expected one of 'left', 'right', got 'up'",
        (broken, 7): "AttributeError: 'int' object has no attribute 'missing'",
    }
    for (param, value), text in expected.items():
        with pytest.raises(horus.ParamError, match=text):
            param.set(value)
    assert (count.value, side.value, broken.value) == (2, "left", 1)
    with pytest.raises(horus.ParamError, match="from HORUS_PARAM_WIDTH"):
        fresh(HORUS_PARAM_WIDTH="-1").declare("width", default=1.0, min=0)


def test_all_or_none(fresh):
    """Of several that are set together none is when one is refused; all refusals are told, and can be pickled."""
    params = fresh()
    params.declare("a", default=1)
    params.declare("b", default=1, max=5)
    given = runtime.Given
    with pytest.raises(RefusedError) as caught:
        runtime.STORE.set_all({"a": given(2, "x"), "b": given(9, "x"), "a b": given(1, "x")})
    assert set(caught.value.refused) == {"b", "a b"}
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert params["a"] == 1


def test_callbacks_are_told_of_changes_only(fresh, caplog):
    """on_change is called after the value stands, on the setter's thread, for new values; errors are logged."""
    params = fresh()
    seen = []

    def note(value):
        seen.append((value, params["speed"], threading.current_thread() is threading.main_thread()))
        if value == 3.0:
            raise RuntimeError("no such gear")

    speed = params.declare("speed", default=1.0, on_change=note)
    speed.set(2.0)
    speed.set(2.0)
    speed.set(3.0)
    speed.delete()
    assert seen == [(2.0, 2.0, True), (3.0, 3.0, True), (1.0, 1.0, True)]
    assert "on_change of parameter 'speed'" in caplog.text
    assert "no such gear" in caplog.text


def test_callbacks_and_validators_may_use_parameters(fresh):
    """No lock is held while user code runs: it sets and declares; its own parameter is told once more."""
    params = fresh()
    seen = []

    def clip(value):
        seen.append(value)
        if value > 2:
            params.set("speed", 2.0)
            params.set("clipped", True)
            params.declare("late", default=1)

    params.declare(
        "speed", default=1.0, on_change=clip, validator=lambda _: params.get("clipped", False) in (0, 1)
    )
    params.set("speed", 5.0)
    assert seen == [5.0, 2.0]
    assert params["clipped"] is True
    assert params["speed"] == 2.0


def test_declaring_again(fresh):
    """Alike adds a callback, a node's takes the place of its former one; otherwise than before is an error."""
    params = fresh()
    seen = []

    def node(name):
        def init():
            params.declare("gain", default=1.0, on_change=lambda value: seen.append((name, value)))

        return horus.Node(name, init=init, tick=lambda: None)

    for _ in range(2):
        horus.run(node("a"), node("b"), duration=0)
    params.set("gain", 2.0)
    assert seen == [("a", 2.0), ("b", 2.0)]
    with pytest.raises(
        horus.ParamError, match="declared already by node 'a', 'b', expected default=1.0, got 5.0"
    ):
        params.declare("gain", default=5.0)


def test_what_was_asked_for_may_be_declared_later(fresh):
    """A value that was set before the declaration is converted by it, or refused."""
    params = fresh()
    assert params.get("gain") is None
    params.set("gain", 2)
    assert repr(params.declare("gain", default=1.0).value) == "2.0"
    params.set("label", 5)
    with pytest.raises(horus.ParamError, match="expected str, got 5"):
        params.declare("label", default="x")


def test_threads(fresh):
    """Eight threads set and read: never a value of another type, and the last callback has the last value."""
    params = fresh()
    told, wrong = [], []
    speed = params.declare("speed", default=0.0, on_change=told.append)

    def work(number):
        for step in range(200):
            speed.set(number * 1000 + step)
            value = params.get("speed", default=0.0)
            if type(value) is not float:
                wrong.append(value)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sys.setswitchinterval(interval)
    assert wrong == []
    assert told[-1] == speed.value


def test_a_forked_child_has_its_own(fresh):
    """A fork under way in another thread's set() leaves the child able to set."""
    params = fresh()
    params.declare("speed", default=1.0)
    store = runtime.STORE
    store._lock.acquire()
    os.register_at_fork(after_in_child=store.renew_lock)
    pid = os.fork()
    if pid == 0:
        params.set("speed", 2.0)
        os._exit(0 if params["speed"] == 2.0 else 1)
    store._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert params["speed"] == 1.0


def test_reading_is_a_dictionary_away(fresh):
    """What get() reads is kept up to date: set, deleted, declared, of another type."""
    params = fresh()
    assert isinstance(runtime.STORE, Store)
    values = runtime.STORE.values
    params.get("a", default=1)
    assert values == {}
    params.set("a", 2)
    params.declare("b", default=1.0)
    assert values == {"a": 2, "b": 1.0}
    params.delete("a")
    assert values == {"b": 1.0}
