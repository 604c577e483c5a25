"""Parameters of packaged nodes: what a function declares, what values become, where they come from."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import horus
from horus.testing import make_nodes
from horus_core.nodes.making import make
from horus_core.nodes.parameter import Parameter, parameters
from horus_core.params import env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from somewhere import Thing


class Gear(enum.Enum):
    LOW = 1
    HIGH = 2


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclasses.dataclass
class Gains:
    prop: float = 1.0
    integral: float = 0.0


@dataclasses.dataclass
class Joint:
    name: str
    gains: Gains = dataclasses.field(default_factory=Gains)


def idle():
    """What a packaged function must return."""
    return horus.Node("idle", tick=lambda: None)


def read(function, **texts):
    """What a function is called with when a user writes these texts."""
    got = {}

    @functools.wraps(function)
    def note(**values):
        got.update(values)
        return idle()

    make(note, {name: env.from_text(text, "--param") for name, text in texts.items()})
    return got


def everything(
    *,
    speed: float = horus.param(default=1, unit="m/s", doc="How fast."),
    count: int = 3,
    label: str = "a",
    on: bool = horus.param(default=False),
    mode: Mode = Mode.SLOW,
    side: Literal["left", "right"] = "left",
    gains: list[float] | None = None,
    place: Path = Path("/dev"),
    free: Any = None,
    bare=2.5,
    hidden: Thing = 7,
): ...


# spec: F33
def test_what_a_function_declares():
    """Its keyword-only arguments: type by annotation, else by default; unit and doc where horus.param gives them."""
    declared = parameters(everything, "it")
    assert declared["speed"].default == 1.0
    assert (declared["speed"].unit, declared["speed"].doc) == ("m/s", "How fast.")
    assert {name: one.type_name for name, one in declared.items()} == {
        "speed": "float",
        "count": "int",
        "label": "str",
        "on": "bool",
        "mode": "Mode",
        "side": "Literal['left', 'right']",
        "gains": "list[float] | None",
        "place": "Path",
        "free": "anything",
        "bare": "float",
        "hidden": "int",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("speed", "2", 2.0),
        ("speed", "1e-3", 0.001),
        ("count", "-4", -4),
        ("label", "5", "5"),
        ("label", "", ""),
        ("label", "true", "true"),
        ("on", "true", True),
        ("on", "False", False),
        ("mode", "fast", Mode.FAST),
        ("side", "right", "right"),
        ("gains", "[1, 2.5]", [1.0, 2.5]),
        ("gains", "null", None),
        ("place", "5", Path("5")),
        ("free", "5", 5),
        ("free", "5 m", "5 m"),
        ("bare", "3", 3.0),
    ],
)
def test_text_becomes_the_parameters_type(name, text, value):
    """A whole number is a float where one is wanted; text is text where that is wanted, whatever it looks like."""
    got = read(everything, **{name: text})[name]
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("speed", "fast", r"expected float \(m/s\), got 'fast' \(from --param\)"),
        ("speed", "true", "expected float"),
        ("speed", "NaN", "expected float"),
        ("speed", "1e999", "expected float"),
        ("speed", "", "expected float"),
        ("count", "4.0", "expected int, got '4.0'"),
        ("count", "true", "expected int"),
        ("on", "1", "expected bool"),
        ("on", "yes", "expected bool"),
        ("mode", "medium", "expected Mode"),
        ("side", "up", "expected Literal"),
        ("gains", '[1, "x"]', "expected list"),
        ("gains", "[" * 100_000, "expected list"),
    ],
)
def test_any_other_text_is_an_error_that_names_it(name, text, expected):
    """Which parameter, what was expected, what was got, and where it came from."""
    with pytest.raises(horus.ParamError, match=f"Bad parameter '{name}': {expected}"):
        read(everything, **{name: text})


@given(
    st.sampled_from(sorted(parameters(everything, "it"))), st.text() | st.from_regex(r"[-0-9.eE\[\]{}, \"n]*")
)
def test_whatever_is_written_is_a_value_or_that_error(name, text):
    """No text is anything else, and a value is of the parameter's type."""
    parameter = parameters(everything, "it")[name]
    try:
        value = parameter.convert(env.from_text(text, "--param"))
    except horus.ParamError as error:
        assert name in str(error)
    else:
        if isinstance(parameter.type, type) and parameter.type is not Any:
            assert isinstance(value, parameter.type)


def test_an_unknown_parameter_names_the_nearest():
    """And all that there are; or that there are none."""
    with pytest.raises(horus.ParamError, match=r"one of bare, count, .* got 'sped'. Did you mean 'speed'\?"):
        read(everything, sped="1")
    with pytest.raises(horus.ParamError, match="expected none, for there are none, got 'x'"):
        make_nodes(idle, x=1)


def test_values_keep_their_types():
    """What is given as a value, as by a launch file, is not read as text."""
    (node,) = make_nodes(everything_ok, speed=2, label="5")
    assert node.name == "n-2.0-5"
    for name, value in {"label": 5, "speed": "2", "count": True, "on": 1}.items():
        with pytest.raises(horus.ParamError, match=f"Bad parameter '{name}'"):
            make_nodes(everything, **{name: value})


def everything_ok(*, speed: float = horus.param(default=1.0), label: str = "a"):
    return horus.Node(f"n-{speed}-{label}", tick=lambda: None)


# spec: C7 F21
def test_the_environment_comes_before_defaults_and_after_what_is_given(monkeypatch):
    """The variable of a parameter, read as its type."""
    monkeypatch.setenv("HORUS_PARAM_SPEED", "3")
    monkeypatch.setenv("HORUS_PARAM_LABEL", "5")
    monkeypatch.setenv("HORUS_PARAM_OTHERS", "not ours")
    assert make(everything_ok, {}, environment=True)[0].name == "n-3.0-5"
    given = {"speed": env.from_text("4", "--param")}
    assert make(everything_ok, given, environment=True)[0].name == "n-4.0-5"
    assert make_nodes(everything_ok)[0].name == "n-1.0-a"
    monkeypatch.setenv("HORUS_PARAM_SPEED", "fast")
    with pytest.raises(horus.ParamError, match="from HORUS_PARAM_SPEED"):
        make(everything_ok, {}, environment=True)


# spec: C28 F21
def test_types_travel_as_json(monkeypatch):
    """HORUS_PARAMS_JSON has the types; its mirror, set by hand to something else, comes before it."""
    monkeypatch.setenv("HORUS_PARAMS_JSON", json.dumps({"speed": 2, "label": "7", "other": [1]}))
    monkeypatch.setenv("HORUS_PARAM_LABEL", "7")
    assert env.find("label") == env.Given("7", "HORUS_PARAMS_JSON")
    assert make(everything_ok, {}, environment=True)[0].name == "n-2.0-7"
    monkeypatch.setenv("HORUS_PARAM_SPEED", "9")
    assert make(everything_ok, {}, environment=True)[0].name == "n-9.0-7"
    for bad in ("[1]", "{", "7", "[" * 100_000):
        monkeypatch.setenv("HORUS_PARAMS_JSON", bad)
        with pytest.raises(horus.ParamError, match="Bad HORUS_PARAMS_JSON: expected a JSON object"):
            env.find("speed")


# spec: C28
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        ("1", 1),
        ("true", True),
        ("True", "True"),
        ("yolov8n", "yolov8n"),
        ("NaN", "NaN"),
        ("", ""),
    ],
)
def test_values_are_parsed_as_number_boolean_or_text(text, value):
    """As JSON writes them."""
    assert (env.parse(text), type(env.parse(text))) == (value, type(value))


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_the_mirror_is_read_as_what_it_mirrors(value):
    """Numbers and booleans survive their readable form."""
    assert env.parse(env.mirror(value)) == value


@given(st.text())
def test_any_text_is_read_as_something(text):
    """No text makes reading fail."""
    assert isinstance(env.parse(text), (str, int, float, bool))


def test_a_parameter_without_a_default_must_be_given():
    """The error says how."""

    def camera(*, port: str):
        return horus.Node(port, tick=lambda: None)

    with pytest.raises(
        horus.ParamError, match=r"value for 'port' \(str\).*--param port=..., or HORUS_PARAM_PORT"
    ):
        make_nodes(camera)
    assert make_nodes(camera, port="video0")[0].name == "video0"


def test_a_class_of_nodes_has_the_parameters_of_its_init():
    """And none when it has no __init__ of its own: Node's keywords are its author's."""

    class Plain(horus.Node):
        def tick(self): ...

    class Arm(horus.Node):
        def __init__(self, *, reach: float = horus.param(default=1.0, unit="m")):
            super().__init__("arm")
            self.reach = reach

        def tick(self): ...

    assert parameters(Plain, "Plain") == {}
    assert make_nodes(Arm, reach=2)[0].reach == 2.0
    assert parameters(functools.partial(Arm, reach=3.0), "Arm")["reach"].default == 3.0


@pytest.mark.parametrize(
    "use", [bool, float, lambda one: one + 1, lambda one: one == 1, lambda one: one < 1, len]
)
def test_a_declaration_is_no_value(use):
    """A function that is called directly fails at its first use of a default, and the error says what to do."""

    def camera(*, rate: float = horus.param(default=1.0)):
        use(rate)

    with pytest.raises(horus.ParamError, match=r"Call it by horus.testing.make_nodes\(function"):
        camera()


def bad_default(*, speed: float = "fast"): ...
def positional(speed): ...
def nothing(): ...
async def awaitable(): ...
def generator():
    yield idle()


def a_list_with_more():
    return [idle(), "idle"]


class Unready(horus.Node):
    def __init__(self): ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (bad_default, "expected a default of 'speed' that is float, got 'fast'"),
        (positional, r"expected keyword-only arguments \(after a `\*`\), got the positional 'speed'"),
        (nothing, "expected a Node or a list of Nodes, got None"),
        (awaitable, "got <coroutine"),
        (generator, "got <generator"),
        (a_list_with_more, r"got \[<Node 'idle'>, 'idle'\]"),
        (list, r"got \[\]"),
        (Unready, r"whose __init__ never called super\(\).__init__"),
        (dict, "failed|got {}"),
    ],
)
def test_functions_that_make_no_nodes(function, says):
    """Each is an error that says what was expected."""
    with pytest.raises(horus.PluginError, match=says):
        make_nodes(function)


def test_what_is_no_function():
    """An entry point that names a node, not what makes one."""
    with pytest.raises(horus.PluginError, match="expected a function that returns a node, got <Node 'idle'>"):
        make_nodes(idle())


# spec: F21
@pytest.mark.parametrize(
    ("annotation", "text", "says"),
    [
        (
            Gains,
            '{"porp": 2}',
            "expected fields of Gains (prop, integral), got 'porp' (from --param). Did you mean 'prop'?",
        ),
        (Gains, '{"prop": 2, "q": 1}', "expected fields of Gains (prop, integral), got 'q' (from --param)."),
        (Joint, '{"name": "a", "gains": {"intgral": 2}}', "Did you mean 'integral'?"),
        (list[Joint], '[{"name": "a"}, {"name": "b", "gain": {}}]', "Did you mean 'gains'?"),
        (dict[str, Gains], '{"left": {"pro": 1}}', "Did you mean 'prop'?"),
        (Gains | None, '{"pro": 1}', "Did you mean 'prop'?"),
        (Mode, "fats", "expected Mode (one of 'fast', 'slow'), got 'fats'"),
        (Mode | None, "fats", "(one of 'fast', 'slow')"),
    ],
)
def test_misspelt_keys_and_choices_are_errors(annotation, text, says):
    """A key that a dataclass has not is never passed over, at any depth; an enum's error lists its values."""
    parameter = Parameter("gains", annotation)
    with pytest.raises(horus.ParamError, match=re.escape(says)):
        parameter.convert(env.from_text(text, "--param"))


def test_right_keys_pass():
    """Also within each other, and a key of a dict is nobody's field."""
    given = env.from_text('[{"name": "a", "gains": {"prop": 2}}]', "--param")
    assert Parameter("joints", list[Joint]).convert(given) == [Joint("a", Gains(2.0))]
    given = env.from_text('{"any": {"prop": 2}}', "--param")
    assert Parameter("table", dict[str, Gains]).convert(given) == {"any": Gains(2.0)}
    assert Parameter("gear", Gear).convert(env.Given(Gear.HIGH, "make_nodes()")) is Gear.HIGH
    assert Parameter("gains", Gains).convert(env.Given(Gains(3.0), "make_nodes()")) == Gains(3.0)
