"""What a class body may say, and the errors when it says something else."""

from __future__ import annotations

import enum
import typing
from typing import ClassVar

import numpy as np
import pytest

from horus_core.errors import InvalidNameError
from horus_core.messages import registry
from horus_core.messages.fields import alias, array, f32, f64, field, text, u8, u64
from horus_core.messages.message import Message


class Point(Message):
    x: f64 = 0.0
    y: f64 = 0.0


class Stamped(Message, topic="stamped"):
    """Fields of a base come first."""

    timestamp_ns: u64 = field(default=7, kw_only=True)
    quality: u8 = 3


class Measured(Stamped):
    value: f32 = 1.5


# spec: F32
def test_string_annotations_work_in_a_module() -> None:
    """This file has `from __future__ import annotations`."""
    assert Point(1.0).x == 1.0


# spec: F32
def test_string_annotations_work_in_a_function() -> None:
    """Also with types that only the function knows."""

    class Mode(enum.IntEnum):
        A = 1

    class Inner(Message):
        value: f64 = 0.0

    class Outer(Message):
        inner: Inner = Inner(2.0)
        mode: Mode | int = Mode.A

    assert Outer().inner.value == 2.0
    assert Outer().mode is Mode.A


def test_types_of_the_class_body_itself() -> None:
    """An enum may stand inside the class that uses it."""

    class Lamp(Message):
        class Colour(enum.IntEnum):
            RED = 1

        LIMIT: ClassVar[int] = 3
        other: typing.ClassVar[int] = 4
        colour: Colour = field(default=Colour.RED, storage=u8)

    assert Lamp().colour is Lamp.Colour.RED
    assert Lamp.__size__ == 1
    assert Lamp.LIMIT == 3


def test_inherited_fields_come_first_with_their_defaults() -> None:
    """The layout continues where the base's last field ends, and the topic is not inherited."""
    message = Measured(4, 2.5, timestamp_ns=1)
    assert message.to_dict() == {"quality": 4, "value": 2.5, "timestamp_ns": 1}
    assert (Measured().timestamp_ns, Measured().quality, Measured().value) == (7, 3, 1.5)
    assert [one["offset"] for one in Measured.__layout__["fields"]] == [0, 8, 12]
    assert Measured.__size__ == 16
    assert (Stamped.__topic__, Measured.__topic__) == ("stamped", None)
    assert isinstance(message, Stamped)


def test_a_base_without_fields_brings_methods() -> None:
    """Such a class cannot be made itself."""

    class Helper(Message):
        def double(self) -> float:
            return 2 * self.value  # type: ignore[attr-defined]

    class Real(Helper):
        value: f64 = 2.0

    assert Real().double() == 4.0
    with pytest.raises(TypeError, match="Helper has no fields"):
        Helper()


def test_subclassing_without_new_fields() -> None:
    """It is another type of the same layout."""

    class Special(Point):
        def twice(self) -> float:
            return 2 * self.x

    assert Special(2.0).twice() == 4.0
    assert Special.__type_hash__ != Point.__type_hash__


# spec: F32
def test_redefining_a_class_gives_the_same_type() -> None:
    """A notebook's cell that runs twice: equal hash, messages of either are accepted, and the last one is found."""

    def define() -> type[Message]:
        class Cell(Message):
            point: Point = Point()
            n: u8 = 0

        return Cell

    first, second = define(), define()
    assert first is not second
    assert first.__type_hash__ == second.__type_hash__
    assert first() == second()
    assert registry.find("Cell") is second

    class Holder(Message):
        cell: first = first()  # type: ignore[valid-type]

    holder = Holder()
    holder.cell = second(n=5)
    assert holder.cell.n == 5


def test_a_default_may_be_a_numpy_array() -> None:
    """Arrays compare by element; the default of a field is taken as it is."""

    class Weights(Message):
        w: object = array(f32, 3, default=np.array([1.0, 2.0, 3.0]))

    assert Weights().to_dict() == {"w": [1.0, 2.0, 3.0]}


def bad(**annotations: object) -> type[Message]:
    values = {name: value[1] for name, value in annotations.items() if isinstance(value, tuple)}
    said = {name: value[0] if isinstance(value, tuple) else value for name, value in annotations.items()}
    return type(Message)("Bad", (Message,), {"__annotations__": said, "__module__": __name__, **values})


class Text(enum.Enum):
    A = "a"


class Big(enum.IntEnum):
    A = 1000


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        ({"x": float}, "an enum or a message class, got float. Use horus.f64 or horus.f32."),
        ({"x": int}, "Bad.x: expected horus.f32"),
        ({"x": str}, "got str. Give it a capacity: `= horus.text(32)`."),
        ({"x": list[float]}, "Bad.x: expected horus.f32"),
        ({"x": "Nowhere"}, "Bad.x: expected an annotation that can be evaluated, got 'Nowhere': name 'Nowhere' is"),
        ({"x": Message}, "Bad.x: expected a message class with fields, got Message"),
        ({"x": Text}, "Bad.x: expected an enum of integers that fit i32, got Text.A"),
        ({"x": (Big, field(default=Big.A, storage=u8))}, "expected an enum of integers that fit u8, got Big.A"),
        ({"x": (Big, field(default=Big.A, storage=f32))}, "expected an integer type such as horus.u8 as storage"),
        ({"x": (str, text(1))}, "Bad.x: expected a capacity of at least 2 bytes, got 1"),
        ({"x": (None, array(f32, 0))}, "Bad.x: expected a number of elements above 0, got 0"),
        ({"x": (None, array(float, 2))}, "Bad.x: expected horus.f32"),
        ({"_x": f64}, "Bad._x: expected a name that does not start with '_'"),
        ({"to_dict": f64}, "Bad.to_dict: expected a name of its own, got that of a method"),
        ({"x": (f64, 1.0), "y": f64}, "Bad.y: expected a default, as 'x' before it has one, got none"),
        ({"x": f64, "y": (f64, alias("z"))}, "Bad.y: expected the path of a field, got 'z', where 'z' is none"),
        ({"x": (None, array(f64, 2)), "y": (f64, alias("x[2]"))}, "Bad.y: expected an element of a fixed array"),
        ({"x": (None, array(f64, 2, bounded=True)), "y": (f64, alias("x[0]"))}, "Bad.y: expected an element of a f"),
        ({"x": (None, array(f64, 1)), "y": (f64, alias("x"))}, "Bad.y: expected the path of one value, got 'x'"),
        ({"x": (None, array(f64, 2)), "y": (f64, alias("x"))}, "Bad.y: expected the path of one value, got 'x'"),
        ({"x": f64, "y": (f64, alias("x y"))}, "Bad.y: expected a path such as"),
        ({"y": (f64, alias("x"))}, "Bad.y: expected a field that it is an alias of"),
        ({"x": f64, "y": (f64, alias(3))}, "Bad.y: expected a path such as"),
        ({"x": [1]}, "Bad.x: expected horus.f32"),
        ({"x": "1/0"}, "got '1/0': division by zero"),
        ({"x": (f64, field(default=0, unit=3))}, "Bad.x: expected text that UTF-8 can encode as unit, got 3"),
        ({"x": (f64, field(default=0, doc="\ud800"))}, "Bad.x: expected text that UTF-8 can encode as doc"),
    ],
)  # fmt: skip
def test_bad_annotations_name_class_and_field(annotations: dict[str, object], text: str) -> None:
    """The error says what was expected and what was got, when the class is defined."""
    with pytest.raises(TypeError) as caught:
        bad(**annotations)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("annotations", "error", "text"),
    [
        ({"x": (f64, "zero")}, TypeError, "Bad.x: expected float, got str"),
        ({"x": (u8, 256)}, OverflowError, "Bad.x: expected u8 in 0..255, got 256"),
        ({"x": (str, text(4, default="long"))}, ValueError, "Bad.x: expected at most 3 bytes"),
        ({"x": (None, array(f64, 2, default=[1.0]))}, ValueError, "Bad.x: expected 2 elements, got 1"),
        (
            {"x": (None, array(f64, 3_000_000))},
            ValueError,
            "Bad: expected a message of at most 16777216 bytes",
        ),
    ],
)
def test_bad_defaults_are_found_when_the_class_is_defined(
    annotations: dict[str, object], error: type[Exception], text: str
) -> None:
    """A default is checked as any value is."""
    with pytest.raises(error) as caught:
        bad(**annotations)
    assert text in str(caught.value)


def test_what_else_a_class_cannot_do() -> None:
    """Slots, a dict from another base, the same field twice, a spec without annotation, a bad topic."""
    with pytest.raises(TypeError, match="cannot have __slots__"):

        class Slots(Message):
            __slots__ = ("x",)

    class WithDict:
        pass

    with pytest.raises(TypeError, match="can only inherit from message classes"):

        class Mixed(Message, WithDict):
            x: f64 = 0.0

    with pytest.raises(TypeError, match=r"Again\.quality: expected a new name"):

        class Again(Stamped):
            quality: u8 = 0

    with pytest.raises(TypeError, match=r"Lost\.name: expected an annotation, got none"):

        class Lost(Message):
            x: f64 = 0.0
            name = text(8)

    with pytest.raises(InvalidNameError):

        class BadTopic(Message, topic="a b"):
            x: f64 = 0.0

    with pytest.raises(TypeError, match="lay-out conflict"):

        class Two(Point, Stamped):
            pass


def test_bounded_arrays_in_bounded_arrays_are_refused() -> None:
    """Their elements would have no fixed size on the wire."""

    class Scan(Message):
        xs: object = array(f32, 4, bounded=True)

    class Fixed(Message):
        scans: object = array(Scan, 2)

    two = Fixed(scans=[Scan(xs=[1]), Scan(xs=[2, 3])])
    assert Fixed.from_wire(two.to_wire()) == two
    with pytest.raises(TypeError, match=r"Scans\.scans: expected elements of one size"):

        class Scans(Message):
            scans: object = array(Scan, 2, bounded=True)


def test_the_core_checks_the_layout_it_is_given() -> None:
    """define_message is not for users, but a wrong call raises and never lets a field reach outside."""
    from horus_core import _native

    def define(size: int, *fields: _native.FieldDescriptor, base: type[Message] = Message) -> None:
        cls = type(Message)("Raw", (base,), {"__module__": __name__})
        _native.define_message(cls, fields, size, bytes(16), {})

    make = _native.FieldDescriptor
    define(8, make("x", "f64", 0))
    for size, field_ in (
        (7, make("x", "f64", 0)), (8, make("x", "f64", 8)), (16, make("x", "f64", 4)), (0, make("x", "u8", 0)),
        (8, make("x", "u8", 0, shape="fixed", count=9)), (8, make("x", "text", 0, size=9)),
        (16, make("x", "f64", 2**32 - 8)), (16, make("x", "u8", 8, shape="bounded", count=8, count_offset=8)),
        (16, make("x", "u8", 8, shape="bounded", count=8, count_offset=2**32 - 4)),
        (4, make("x", "u8", 0, shape="fixed", count=2**32 - 1)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="does not fit|not aligned|wrong place|bad size"):
            define(size, field_)
    with pytest.raises(ValueError, match="overlap"):
        define(
            32,
            make("x", "u8", 8, shape="bounded", count=16, count_offset=0),
            make("y", "u8", 16, shape="bounded", count=16, count_offset=4),
        )
    for wrong in (("x", "f128", 0), ("x", "text", 0), ("x", "message", 0)):
        with pytest.raises((ValueError, TypeError)):
            make(*wrong)
    with pytest.raises(TypeError):
        define(8, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is defined already"):
        _native.define_message(Point, (), 16, bytes(16), {})


def test_a_raw_subclass_is_not_smaller_than_its_base() -> None:
    """Or the fields of the base would reach behind it."""
    from horus_core import _native

    class Quiet(Message):
        def __init_subclass__(cls) -> None:  # no super(): the class gets no fields
            pass

    class Wide(Message):
        x: f64 = 0.0
        y: f64 = 0.0

        def __init_subclass__(cls) -> None:
            pass

    class Narrow(Wide):
        pass

    with pytest.raises(TypeError, match="Narrow has no fields"):
        Narrow()
    with pytest.raises(ValueError, match="smaller than its base"):
        _native.define_message(Narrow, (), 8, bytes(16), {})
    assert not Quiet.__size__


def test_a_misspelt_class_keyword_is_named() -> None:
    """The keywords of a message class are `topic` and `size`."""
    with pytest.raises(TypeError, match=r"Odd: expected no class keyword but topic= and size=, got topik="):

        class Odd(Message, topik="odd"):
            x: f64 = 0.0


def test_the_element_of_an_array_of_one_has_an_alias() -> None:
    """It is an array like any other, also at the very start of a message."""

    class One(Message):
        values: object = array(f64, 1)
        first: f64 = alias("values[0]")

    assert One(first=2.0).values.tolist() == [2.0]
    assert [one.shape for one in One.__descriptors__] == ["fixed", "one"]
