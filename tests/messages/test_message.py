"""Making, comparing, copying, printing messages."""

import contextlib
import copy
import gc
import math
import pickle
import tracemalloc

import pytest

from horus_core import _native
from horus_core.messages.fields import alias, array, f32, f64, field, text, u64
from horus_core.messages.message import Message


class Vel(Message, topic="vel"):
    timestamp_ns: u64 = field(default=0, kw_only=True)
    linear: f32 = 0.0
    angular: f32 = 0.5


class Strict(Message):
    a: f64
    b: f64 = 2.0
    c: f64 = field(kw_only=True)


class Deep(Message):
    vel: Vel = Vel(1.0, 2.0)
    name: str = text(16)
    xs: object = array(f32, 1000, bounded=True)
    first: f64 = alias("vel.linear")


def test_positional_keyword_and_default_values() -> None:
    """Positionals follow the order of the class without keyword-only fields; the rest has its default."""
    assert Vel(1.0, 2.0, timestamp_ns=3) == Vel(angular=2.0, timestamp_ns=3, linear=1.0)
    assert (Vel().linear, Vel().angular, Vel().timestamp_ns) == (0.0, 0.5, 0)
    assert Vel(**{"lin" + "ear": 4.0}).linear == 4.0
    assert Vel.__match_args__ == ("linear", "angular")


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1, 2, 3), {}, "Vel(): expected at most 2 positional arguments, got 3."),
        ((1,), {"linear": 2}, "Vel.linear: got two values, by position and by keyword."),
        ((), {"lienar": 2}, "got 'lienar'. Did you mean 'linear'?"),
        ((), {"zzz": 2}, "Vel: expected one of linear, angular, timestamp_ns, got 'zzz'."),
    ],
)
def test_wrong_arguments_say_what_is_wrong(
    args: tuple[object, ...], kwargs: dict[str, object], text: str
) -> None:
    """Too many, twice, unknown: a TypeError with the nearest name."""
    with pytest.raises(TypeError) as caught:
        Vel(*args, **kwargs)
    assert text in str(caught.value)


def test_a_field_without_default_is_required() -> None:
    """As with dataclasses, by position or by keyword."""
    assert Strict(1.0, c=3.0) == Strict(a=1.0, b=2.0, c=3.0)
    for wrong in ({}, {"a": 1.0}, {"c": 1.0}):
        with pytest.raises(TypeError, match=r"missing the argument '[ac]'"):
            Strict(**wrong)


def test_a_message_class_may_have_its_own_init() -> None:
    """It runs, and may call the one of the base."""

    class Polar(Message):
        x: f64 = 0.0
        y: f64 = 0.0

        def __init__(self, angle: float) -> None:
            super().__init__(math.cos(angle), y=math.sin(angle))

    assert Polar(0.0) == Polar(angle=0.0)
    assert Polar(0.0).x == 1.0
    with pytest.raises(TypeError):
        Polar(x=1.0)


# spec: F5
def test_messages_are_true_mutable_and_unhashable() -> None:
    """`if message:` works for every message, also for one full of zeros."""
    assert Vel(0.0, 0.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Vel())


def test_equality_is_of_values() -> None:
    """Numbers compare as numbers, NaN equals the same NaN, unused array tails and other classes do not matter."""
    assert Vel(0.0) == Vel(-0.0)
    assert Vel(math.nan) == Vel(math.nan)
    assert Vel(1.0) != Vel(2.0)
    assert Vel() != 3
    assert Vel() != Strict(1.0, c=2.0)
    long = Deep(xs=[1.0] * 900)
    long.xs = [1.0]
    assert long == Deep(xs=[1.0])
    assert long != Deep(xs=[1.0, 1.0])


def test_padding_of_a_publisher_in_c_does_not_matter() -> None:
    """Two structs with other bytes between their fields are equal."""

    class Padded(Message):
        a: f64 = 0.0
        b: f32 = 1.0

    wire = Padded().to_wire()
    assert Padded.from_wire(wire[:12] + b"\xaa" * 4) == Padded()


def test_copies_are_independent() -> None:
    """copy(), copy.copy, copy.deepcopy and pickle give equal messages with bytes of their own."""
    message = Deep(Vel(3.0), "name", [1, 2, 3])
    for twin in (
        message.copy(), copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message)),
        Deep.from_dict(message.to_dict()), Deep.from_wire(message.to_wire()),
    ):  # fmt: skip
        assert twin == message
        twin.vel.linear = 9.0
        assert message.vel.linear == 3.0
    assert pickle.loads(pickle.dumps(message.vel)) == message.vel


def test_a_pickle_of_another_layout_is_refused() -> None:
    """Rather than read as something else."""
    function, (cls, _, wire) = Vel().__reduce__()
    with pytest.raises(TypeError, match="Cannot unpickle a Vel"):
        function(cls, bytes(16), wire)


@pytest.mark.parametrize("values", [[1], "first", 5.0, None])
def test_from_dict_says_what_it_wants(values: object) -> None:
    """Anything but a mapping is a TypeError that says so."""
    with pytest.raises(TypeError, match=r"Deep.from_dict: expected a dict of fields and values, got "):
        Deep.from_dict(values)  # type: ignore[arg-type]


def test_to_dict_is_plain_and_from_dict_takes_a_part() -> None:
    """Nested messages become dicts, arrays lists; what is left out has its default; unknown names raise."""
    message = Deep(name="x", xs=[0.5])
    plain = message.to_dict()
    assert plain == {"vel": {"linear": 1.0, "angular": 2.0, "timestamp_ns": 0}, "name": "x", "xs": [0.5]}
    assert Deep.from_dict({"vel": {"angular": 5.0}}).vel == Vel(0.0, 5.0)
    assert Deep.from_dict({"first": 5.0}).vel == Vel(5.0, 2.0)
    with pytest.raises(TypeError, match=r"got 'nmae'\. Did you mean 'name'"):
        Deep.from_dict({"nmae": "x"})


def test_repr_is_readable() -> None:
    """Floats of 32 bits show the digits that were meant; long arrays their beginning and length."""
    message = Deep(Vel(0.1, 1e20), "it", [0.1] * 50)
    assert repr(message) == (
        "Deep(vel=Vel(linear=0.1, angular=1e+20, timestamp_ns=0), name='it', "
        "xs=[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, ... 50 in all])"
    )
    assert repr(Vel(math.nan, math.inf)) == "Vel(linear=nan, angular=inf, timestamp_ns=0)"


def test_is_valid_can_be_overridden() -> None:
    """True unless the class knows better."""
    assert Vel().is_valid()

    class Positive(Message):
        value: f64 = 0.0

        def is_valid(self) -> bool:
            return self.value > 0

    assert not Positive().is_valid()


def test_only_message_classes_can_be_made() -> None:
    """The base classes refuse, and do not crash."""
    for cls in (Message, _native.MessageBase, type("Plain", (_native.MessageBase,), {})):
        with pytest.raises(TypeError):
            cls()
        with pytest.raises(TypeError):
            cls.from_wire(b"")
        with pytest.raises(TypeError):
            cls.__new__(cls)


def test_nothing_leaks() -> None:
    """Ten thousand rounds of everything leave no memory behind."""

    def everything() -> None:
        message = Deep(Vel(3.0), "name", [1, 2, 3])
        message.xs.sum()
        message.vel.linear = 2.0
        message.name = "other"
        pickle.loads(pickle.dumps(message))
        repr(message), message.to_dict(), message.copy(), bytes(message), message == message.copy()
        for wrong in ({"nam": 1}, {"name": 1}, {"xs": [None]}, {"vel": 3}):
            with contextlib.suppress(TypeError):
                Deep(**wrong)

    tracemalloc.start()
    try:
        for _ in range(500):
            everything()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2000):
            everything()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000


def test_classes_are_freed() -> None:
    """A class that nobody uses goes, with its fields and plan: a notebook may define it again and again."""
    gc.collect()

    def define() -> None:
        class Temporary(Message):
            vel: Vel = Vel()
            xs: object = array(f64, 100, bounded=True)

        Temporary(xs=[1.0]).xs.sum()

    define()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20):
        define()
    gc.collect()
    assert len(gc.get_objects()) - before < 20
