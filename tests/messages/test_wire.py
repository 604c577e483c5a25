"""The wire: what is packed comes back, and no bytes at all can do harm."""

import contextlib
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horus_core.messages.fields import array, bool_, f32, f64, i16, i64, text, u8, u32, u64
from horus_core.messages.message import Message


class Part(Message):
    n: i16 = 0
    xs: object = array(f32, 4, bounded=True)


class All(Message):
    a: u8 = 0
    b: i64 = 0
    c: f64 = 0.0
    flag: bool_ = False
    name: str = text(12)
    odd: object = array(u8, 5, bounded=True)
    tail: u8 = 0
    part: Part = Part()
    parts: object = array(Part, 2)
    names: object = array(text(6), 3, bounded=True)
    fixed: object = array(f64, 3)
    end: u32 = 0


class Flat(Message):
    a: u8 = 0
    b: u64 = 0
    name: str = text(5)


f32s = st.floats(width=32)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
parts = st.fixed_dictionaries({"n": st.integers(-(2**15), 2**15 - 1), "xs": st.lists(f32s, max_size=4)})


def fitting(size: int) -> st.SearchStrategy[str]:
    return words.filter(lambda word: len(word.encode()) < size)


everything = st.fixed_dictionaries(
    {
        "a": st.integers(0, 255),
        "b": st.integers(-(2**63), 2**63 - 1),
        "c": st.floats(),
        "flag": st.booleans(),
        "name": fitting(12),
        "odd": st.lists(st.integers(0, 255), max_size=5),
        "tail": st.integers(0, 255),
        "part": parts,
        "parts": st.lists(parts, min_size=2, max_size=2),
        "names": st.lists(fitting(6), max_size=3),
        "fixed": st.lists(st.floats(), min_size=3, max_size=3),
        "end": st.integers(0, 2**32 - 1),
    }
)


def read(cls: type[Message], wire: bytes) -> Message | None:
    """None when the class refuses the bytes."""
    with contextlib.suppress(ValueError):
        return cls.from_wire(wire)
    return None


@given(everything)
@settings(max_examples=100, deadline=None)
def test_values_survive_the_wire(values: dict[str, Any]) -> None:
    """Every value of every kind comes back, through the wire and through to_dict."""
    message = All.from_dict(values)
    wire = message.to_wire()
    assert len(wire) % 8 == 0
    assert len(wire) <= All.__wire_max__
    again = All.from_wire(wire)
    assert again == message
    assert repr(again) == repr(message)
    assert repr(again.to_dict()) == repr(message.to_dict())
    for name in ("a", "b", "flag", "name", "odd", "tail", "names", "end"):
        assert again.to_dict()[name] == values[name]


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused_or_read(wire: bytes) -> None:
    """Whatever the bytes, the message they make (if any) can be read, printed, copied and packed again."""
    for cls in (All, Part, Flat):
        message = read(cls, wire)
        if message is None:
            continue
        assert len(repr(message)) > 0
        assert message.copy() == message
        assert cls.from_wire(message.to_wire()) == message


@given(everything, st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_wire_does_no_harm(values: dict[str, Any], data: st.DataObject) -> None:
    """Flipped, cut and lengthened messages are refused or read, never more than their own bytes."""
    wire = bytearray(All.from_dict(values).to_wire())
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    for damaged in (bytes(wire), bytes(wire[:cut]), bytes(wire) + bytes(8)):
        message = read(All, damaged)
        if message is not None:
            assert message.odd.size <= 5
            assert len(message.names) <= 3
            assert len(repr(message)) > 0


def test_only_the_used_prefix_travels() -> None:
    """An empty scan is small on the wire, however large its class."""

    class Scan(Message):
        xs: object = array(f32, 4096, bounded=True)
        end: u64 = 5

    assert len(Scan().to_wire()) == 16
    assert len(Scan(xs=[1.0, 2.0]).to_wire()) == 24
    assert Scan.__wire_max__ == 8 + 4096 * 4 + 8


def test_a_count_beyond_the_capacity_is_refused() -> None:
    """One more than fits, and four billion, also when the bytes would be there."""
    for count in (5, 2**32 - 1):
        wire = struct.pack("<hxxI", 0, count) + bytes(8 * 4096)
        for length in (8, 24, 32, len(wire)):
            with pytest.raises(ValueError, match="do not fit"):
                Part.from_wire(wire[:length])
    assert Part.from_wire(struct.pack("<hxxI4f", 3, 4, 1, 2, 3, math.inf)).n == 3


# spec: A38
def test_a_struct_without_its_padding_is_read() -> None:
    """A C program sends sizeof(struct) bytes; the wire is padded to 8. Nothing between fits."""

    class Odd(Message):
        a: u32 = 0
        name: str = text(6)

    message = Odd(5, "abc")
    assert (len(bytes(message)), len(message.to_wire())) == (12, 16)
    assert Odd.from_wire(bytes(message)) == Odd.from_wire(message.to_wire()) == message
    for length in (0, 11, 13, 15, 17, 24):
        with pytest.raises(ValueError, match="do not fit"):
            Odd.from_wire(bytes(length))
