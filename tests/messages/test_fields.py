"""Every kind of field: what it takes, what it gives back, what it refuses and in which words."""

import enum
import math
import struct

import numpy as np
import pytest

from horus_core.messages.fields import (
    alias,
    array,
    bool_,
    f32,
    f64,
    field,
    i8,
    i16,
    i32,
    i64,
    text,
    u8,
    u16,
    u32,
    u64,
)  # fmt: skip
from horus_core.messages.message import Message


class Mode(enum.IntEnum):
    OFF = 0
    ON = 7


class Plain(enum.Enum):
    A = 1
    B = 2


class Point(Message):
    x: f64 = 0.0
    y: f64 = 0.0


class Scalars(Message):
    a: i8 = 0
    b: i16 = 0
    c: i32 = 0
    d: i64 = 0
    e: u8 = 0
    f: u16 = 0
    g: u32 = 0
    h: u64 = 0
    i: f32 = 0.0
    j: f64 = 0.0
    k: bool_ = False


class Rich(Message):
    mode: Mode | int = field(default=Mode.ON, storage=u8)
    plain: Plain = Plain.B
    name: str = text(8, default="hi")
    point: Point = Point(1.0, 2.0)
    xs: object = array(f64, 3)
    ys: object = array(f32, 5, bounded=True)
    flags: object = array(bool_, 4)
    names: object = array(text(4), 3, bounded=True)
    points: object = array(Point, 2)
    modes: object = array(Mode, 2, storage=u8)
    px: f64 = alias("point.x")
    x2: f64 = alias("xs[2]")
    p1y: f64 = alias("points[1].y")
    title: str = alias("name")


INTEGERS = [
    ("a", -(2**7), 2**7 - 1), ("b", -(2**15), 2**15 - 1), ("c", -(2**31), 2**31 - 1), ("d", -(2**63), 2**63 - 1),
    ("e", 0, 2**8 - 1), ("f", 0, 2**16 - 1), ("g", 0, 2**32 - 1), ("h", 0, 2**64 - 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "low", "high"), INTEGERS)
def test_integers_keep_their_whole_range_and_nothing_beyond(name: str, low: int, high: int) -> None:
    """The smallest and largest value come back; one less or more raises, naming class, field and limits."""
    message = Scalars(**{name: low})
    assert getattr(message, name) == low
    setattr(message, name, high)
    assert getattr(message, name) == high
    for wrong in (low - 1, high + 1, 2**200, -(2**200)):
        with pytest.raises(OverflowError, match=rf"^Scalars\.{name}: expected [iu]\d+"):
            setattr(message, name, wrong)
    assert getattr(message, name) == high


@pytest.mark.parametrize("wrong", [1.0, "1", None, b"1", [1]])
def test_integers_refuse_what_is_no_integer(wrong: object) -> None:
    """Floats and text are not cut to integers."""
    with pytest.raises(TypeError, match=r"^Scalars\.c: expected int, got "):
        Scalars(c=wrong)


def test_numpy_integers_and_floats_are_numbers() -> None:
    """Scalars of numpy are taken as what they are."""
    message = Scalars(
        a=np.int64(-5), h=np.uint64(2**64 - 1), i=np.float32(1.5), j=np.float64(2.5), k=np.bool_(True)
    )
    assert (message.a, message.h, message.i, message.j, message.k) == (-5, 2**64 - 1, 1.5, 2.5, True)


def test_floats_take_integers_and_refuse_text() -> None:
    """Ints are numbers; str, None and too large ints are refused by name."""
    assert Scalars(i=3, j=4).i == 3.0
    for name in ("i", "j"):
        for wrong in ("1.0", None, [1.0], 1j, np.zeros(3)):
            with pytest.raises(TypeError, match=rf"^Scalars\.{name}: expected float, got "):
                Scalars(**{name: wrong})
    with pytest.raises(OverflowError, match=r"^Scalars\.j: "):
        Scalars(j=10**400)


def test_integers_refuse_arrays_by_name() -> None:
    """An array has a conversion to int and refuses it: the error still names the field."""
    with pytest.raises(TypeError, match=r"^Scalars\.a: expected int, got numpy.ndarray"):
        Scalars(a=np.zeros(3, "i1"))


def test_float32_refuses_what_would_become_infinite() -> None:
    """A finite value beyond float32 raises; inf and NaN themselves pass."""
    with pytest.raises(OverflowError, match=r"^Scalars\.i: expected f32 within"):
        Scalars(i=1e39)
    assert Scalars(i=math.inf).i == math.inf
    assert math.isnan(Scalars(i=math.nan).i)


def test_an_error_inside_float_conversion_is_not_hidden() -> None:
    """What __float__ raises comes through."""

    class Odd:
        def __float__(self) -> float:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Scalars(j=Odd())


def test_bools_are_strict() -> None:
    """True, False, 0 and 1 are booleans; 2 and "yes" are not."""
    assert Scalars(k=True).k is True
    assert Scalars(k=1).k is True
    with pytest.raises(OverflowError, match=r"Scalars\.k"):
        Scalars(k=2)
    with pytest.raises(TypeError, match=r"Scalars\.k: expected bool, got str"):
        Scalars(k="yes")


def test_enums_read_as_members_and_unknown_values_as_integers() -> None:
    """A value that this version of the enum lacks is kept, not refused."""
    message = Rich(mode=0)
    assert message.mode is Mode.OFF
    message.mode = 200
    assert message.mode == 200
    assert type(message.mode) is int
    with pytest.raises(OverflowError, match=r"Rich\.mode: expected u8 in 0\.\.255, got 256"):
        message.mode = 256
    with pytest.raises(TypeError, match=r"Rich\.mode: expected Mode, got str"):
        message.mode = "ON"
    message.plain = Plain.A
    assert message.plain is Plain.A


def test_text_holds_what_fits_and_never_cuts() -> None:
    """text(8) holds 7 bytes of UTF-8; longer text, NUL and lone surrogates raise and change nothing."""
    message = Rich(name="1234567")
    assert message.name == "1234567"
    for wrong in ("12345678", "äöüß", "a\0b", "\ud800"):
        with pytest.raises(ValueError, match=r"^Rich\.name: expected "):
            message.name = wrong
    with pytest.raises(TypeError, match=r"^Rich\.name: expected str, got bytes"):
        message.name = b"x"
    assert message.name == "1234567"
    message.name = "ü"
    assert message.name == "ü"
    assert message.title == "ü"


def test_text_from_elsewhere_never_fails_to_read() -> None:
    """Bytes that are no UTF-8, or lack the NUL, read with replacement characters."""

    class Note(Message):
        text: str = text(8)

    assert Note.from_wire(b"\xff" * 8).text == "�" * 8
    assert Note.from_wire(b"ab\0cdefg").text == "ab"


def test_a_nested_message_is_a_part_of_the_outer_one() -> None:
    """Reads and writes of the part go to the outer message, which it keeps alive."""
    message = Rich()
    part = message.point
    part.x = 9.0
    assert message.point.x == 9.0
    assert message.px == 9.0
    message.point = Point(3.0, 4.0)
    assert (part.x, part.y) == (3.0, 4.0)
    del message
    assert part.x == 3.0
    apart = part.copy()
    part.x = 0.0
    assert apart.x == 3.0
    with pytest.raises(TypeError, match=r"^Rich\.point: expected Point, got dict"):
        Rich(point={"x": 1.0})


def test_aliases_name_bytes_of_other_fields() -> None:
    """They read, write and construct, and are in neither repr nor to_dict."""
    message = Rich(px=5.0, x2=6.0, p1y=7.0, title="t")
    assert (message.point.x, message.xs[2], message.points[1].y, message.name) == (5.0, 6.0, 7.0, "t")
    assert "px" not in message.to_dict()
    assert "px" not in repr(message)


def test_arrays_of_messages_and_texts_read_as_tuples() -> None:
    """Their elements are parts of the message; the tuple itself cannot be assigned into."""
    message = Rich(names=["ab", "c"], points=[Point(1, 2), Point(3, 4)], modes=[Mode.ON, 9])
    assert message.names == ("ab", "c")
    message.points[1].x = 8.0
    assert message.to_dict()["points"] == [{"x": 1.0, "y": 2.0}, {"x": 8.0, "y": 4.0}]
    assert message.modes == (Mode.ON, 9)
    with pytest.raises(ValueError, match=r"^Rich\.names: expected at most 3 bytes"):
        message.names = ["fine", "tooo long"]
    assert message.names == ("ab", "c")


def test_a_mistyped_attribute_raises() -> None:
    """There is no dict to swallow it."""
    message = Point()
    with pytest.raises(AttributeError, match="z"):
        message.z = 1.0
    with pytest.raises(AttributeError):
        del message.x
    assert not hasattr(message, "__dict__")


def test_a_descriptor_refuses_messages_of_other_classes() -> None:
    """Point.x does not read the bytes of something else."""
    for stranger in (Scalars(), 3, Message):
        with pytest.raises(TypeError, match=r"^Point\.x: expected a message of that class"):
            Point.x.__get__(stranger)
        with pytest.raises(TypeError):
            Point.x.__set__(stranger, 1.0)


def test_the_class_of_a_message_cannot_be_swapped() -> None:
    """Or a small message would be read as a large one."""
    with pytest.raises(TypeError):
        Point().__class__ = Rich
    with pytest.raises(TypeError):
        Rich().__class__ = Point


def test_fields_tell_unit_and_doc() -> None:
    """They are on the class, for tools and help()."""

    class Speed(Message):
        value: f32 = field(default=0.0, unit="m/s", doc="How fast.")

    assert (Speed.value.unit, Speed.value.doc, Speed.value.kind, Speed.value.offset) == (
        "m/s",
        "How fast.",
        "f32",
        0,
    )


def test_bytes_are_those_of_the_struct() -> None:
    """The buffer of a message is its C struct, read-only."""
    assert bytes(Point(1.5, -2.0)) == struct.pack("<dd", 1.5, -2.0)
    view = memoryview(Point(1.0, 2.0))
    assert view.readonly
    assert view.nbytes == 16
