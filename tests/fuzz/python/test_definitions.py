"""Message classes of any shape: the places are C's, and every value comes back, whatever way it goes."""

from __future__ import annotations

import copy
import ctypes
import enum
import gc
import json
import pickle

import numpy as np
from classes import classes, limits
from fuzzing import fuzz
from hypothesis import example, note
from hypothesis import strategies as st

import horus
from horus_core.messages import layout as layouts
from horus_core.messages.fields import SCALARS, SIZES


@fuzz(made=classes(), examples=60)
def test_the_layout_is_what_a_c_compiler_makes(made):
    """Size and offset of each field are those of the same structure in ctypes."""
    assert made.cls.__size__ == ctypes.sizeof(made.c_type)
    for one in made.cls.__descriptors__:
        assert one.offset == getattr(made.c_type, one.name).offset, one


@fuzz(made=classes(), data=st.data(), examples=40)
def test_values_come_back_whatever_way_they_go(made, data):
    """By keyword, dict, wire, pickle, copy and assignment: the same message, and the same repr."""
    values = data.draw(made.values())
    message = made.cls(**values)
    ways = [
        made.cls.from_dict(message.to_dict()),
        made.cls.from_dict(json.loads(json.dumps(message.to_dict()))),
        made.cls.from_wire(message.to_wire()),
        pickle.loads(pickle.dumps(message)),
        copy.deepcopy(message),
        made.cls(),
    ]
    for name in values:
        setattr(ways[-1], name, getattr(message, name))
    for way in ways:
        assert way == message
        assert repr(way) == repr(message)
        assert way.to_wire() == message.to_wire()
    assert len(bytes(message)) == made.cls.__size__
    assert len(message.to_wire()) <= made.cls.__wire_max__


@fuzz(made=classes(), data=st.data(), examples=40)
def test_a_class_from_a_layout_reads_the_same(made, data):
    """The class that a process makes which has only the region's description: same hash, same values."""
    layout = json.loads(json.dumps(layouts.of(made.cls)))
    other = layouts.class_from_layout(layout)
    assert other.__type_hash__ == made.cls.__type_hash__
    message = data.draw(made.messages())
    assert repr(other.from_wire(message.to_wire()).to_dict()) == repr(message.to_dict())


@fuzz(made=classes(), data=st.data(), examples=40)
def test_parts_share_their_message(made, data):
    """What is read of a nested message outlives it, and a view of an array is its memory."""
    message = data.draw(made.messages())
    expected = repr(message.to_dict())
    read = {name: getattr(message, name) for name in made.fields}
    twin = message.copy()
    del message
    gc.collect(0)
    for name, value in read.items():
        repr(value)
        setattr(twin, name, value)
    assert repr(twin.to_dict()) == expected


def damaged(data, wire):
    """The bytes, some of them changed, cut or longer."""
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(0, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([None, None, None, 0, 1, -1, -8, len(changed) // 2]))
    return bytes(changed[:end]) + data.draw(st.binary(max_size=16) | st.just(b""))


@fuzz(made=classes(), data=st.data(), examples=40)
def test_bytes_of_anybody_are_a_message_or_an_error(made, data):
    """from_wire: a message that can be read as a whole and sent on, or ValueError."""
    wire = (
        data.draw(st.binary(max_size=80))
        if data.draw(st.booleans())
        else data.draw(made.messages()).to_wire()
    )
    try:
        message = made.cls.from_wire(damaged(data, wire))
    except ValueError:
        return
    repr(message)
    message.to_dict()
    assert message.copy() == message
    assert made.cls.from_wire(message.to_wire()) == message
    for name in made.fields:
        getattr(message, name)


class Odd:
    """An object whose conversions fail in ways of their own."""

    def __index__(self):
        raise ZeroDivisionError

    def __float__(self):
        raise ZeroDivisionError


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(),
    st.sampled_from([10**400, -(2**63) - 1, 2**64, "\ud800", "a\0b", Odd(), object(), int, np.float32, ...]),
    st.lists(st.integers() | st.floats() | st.text(), max_size=6), st.dictionaries(st.text(),
    st.integers(), max_size=2),
    st.sampled_from([*"bBhHiIlLqQefdg?FDOSUV", "M8[s]"]).map(lambda kind: np.zeros(3, kind)),
    st.integers(0, 6).map(lambda n: np.arange(n * 2.0)[::-2]), st.binary(max_size=9).map(memoryview),
    st.binary(min_size=8, max_size=8).map(lambda raw: memoryview(raw).cast("q")),
    st.sampled_from([range(3), {1, 2}]),
)  # fmt: skip
REFUSALS = (TypeError, ValueError, OverflowError, ZeroDivisionError)


@fuzz(made=classes(), data=st.data(), examples=60)
def test_a_value_is_taken_or_refused_whole(made, data):
    """Any object assigned to any field: taken, or an error and the message is as it was."""
    message = data.draw(made.messages())
    for name in made.fields:
        before = message.to_wire()
        value = data.draw(JUNK)
        try:
            setattr(message, name, value)
        except REFUSALS as error:
            note(f"{name}: {error}")
            assert message.to_wire() == before
        repr(message)
        assert made.cls.from_wire(message.to_wire()) == message


ANNOTATIONS = st.one_of(
    st.sampled_from(
        [int, float, str, list, None, 3, [1], {}, (), object(), enum.Enum("E", {"a": 1, "b": 2**40}), ...]
    ),
    st.sampled_from(["int", "horus.f32", "1/0", "nowhere", "a b", "\0", "", "ClassVar", "(" * 300, "[1]"]),
    st.sampled_from([*SCALARS.values(), horus.Message, horus.Pose2D, int | None, list[int], dict[str, int]]),
)
COUNTS = st.sampled_from(
    [0, 1, 3, -1, 2**31, 2**32, 2**64, 10**400, True, None, 1.5, "3", [3]]
) | st.integers(1, 9)
RIGHTS = st.one_of(
    JUNK,
    st.builds(horus.array, ANNOTATIONS | JUNK, COUNTS, bounded=st.booleans(), default=JUNK,
    storage=ANNOTATIONS),
    st.builds(horus.array, ANNOTATIONS, COUNTS, unit=JUNK, doc=JUNK),
    st.builds(horus.array, st.builds(horus.text, COUNTS), COUNTS, bounded=st.booleans()),
    st.builds(horus.text, COUNTS, default=JUNK),
    st.builds(horus.field, default=JUNK, unit=JUNK, doc=JUNK, kw_only=st.booleans() | JUNK,
    storage=ANNOTATIONS),
    st.builds(horus.alias, st.sampled_from(["a", "a.x", "a[0]", "a[9]", "a.x[0]", "b", "", "..",
    "a[" + "9" * 5000 + "]"]) | JUNK),
)  # fmt: skip
NAMES = st.sampled_from([
    "a", "b", "c", "d", "_a", "__slots__", "__del__", "__annotations__", "to_dict", "copy", "1a", "a b",
    "é", "mro",
    "__class__", "__init__", "__eq__", "\ud800",
])  # fmt: skip


@fuzz(body=st.dictionaries(NAMES, st.tuples(ANNOTATIONS, RIGHTS), min_size=1, max_size=4), examples=200)
@example(body={"a": (None, horus.array(horus.f32, 3, default=np.ones(3)))})
@example(body={"a": ([1], 0)})
@example(body={"a": (horus.f32, 0.0), "b": (horus.f32, horus.alias(3))})
@example(body={"a": ("1/0", 0)})
@example(body={"a": (horus.f32, horus.field(default=0, unit="\ud800"))})
@example(body={"a": (horus.f32, horus.field(default=0, unit=3))})
@example(body={"a": (horus.f32, np.zeros(3, "b"))})
@example(body={"a": (horus.u8, np.zeros(3, "b"))})
def test_a_definition_makes_a_class_or_says_what_is_wrong(body):
    """Any annotations and specifications: a class that works on a topic,
    or TypeError or ValueError that names it.
    """
    attributes = {"__annotations__": {name: said for name, (said, _) in body.items()}, "__module__": __name__}
    attributes |= {name: right for name, (_, right) in body.items() if name != "__annotations__"}
    try:
        made = type(horus.Message)("Wrong", (horus.Message,), attributes)
    except (TypeError, ValueError, OverflowError) as error:
        assert "Wrong" in str(error) or any(name.startswith("__") for name in body), error
        return
    if made.__size__ == 0:
        return
    json.dumps(layouts.of(made))
    try:
        message = made()
    except TypeError:  # a field without a default
        return
    assert made.from_wire(message.to_wire()) == message
    if made.__size__ < 65536:
        with horus.Topic("defined", made, capacity=4) as topic:
            topic.send(message)
            assert topic.recv() == message


@fuzz(kind=st.sampled_from(sorted(SIZES)), value=JUNK)
def test_a_scalar_is_kept_exactly_or_refused(kind, value):
    """No number is silently changed: an integer field has the integer given, or raises."""
    cls = type(horus.Message)("One", (horus.Message,), {"__annotations__": {"v": SCALARS[kind]}})
    try:
        got = cls(value).v
    except REFUSALS:
        return
    if kind in ("f32", "f64"):
        assert isinstance(got, float)
    elif kind == "bool_":
        assert got == bool(value)
    else:
        assert limits(kind)[0] <= got <= limits(kind)[1]
        assert got == value
