"""Strategies for message classes, for their values, and for the ctypes structure that C would make of them."""

from __future__ import annotations

import ctypes
import enum
import itertools
import math

from hypothesis import strategies as st

import horus
from horus_core.messages.fields import SCALARS, SIZES

INTEGERS = sorted(kind for kind in SIZES if kind[0] in "iu")
FLOATS = ("f32", "f64")
C_TYPES = {
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
    "f32": ctypes.c_float, "f64": ctypes.c_double, "bool_": ctypes.c_bool,
}  # fmt: skip
UNITS = st.sampled_from(["", "m", "m/s", "°", "kg·m²"])
_numbers = itertools.count()


def limits(kind):
    """The least and the greatest integer of a kind."""
    bits = SIZES[kind] * 8
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)


def scalars(kind):
    """Values of a kind that come back as they were sent."""
    if kind == "bool_":
        return st.booleans()
    if kind in FLOATS:
        # A NaN equals the same NaN only, and JSON knows one of them.
        floats = st.floats(width=32 if kind == "f32" else 64)
        return floats.map(lambda value: math.nan if math.isnan(value) else value)
    return st.integers(*limits(kind))


@st.composite
def texts(draw, size):
    """Texts whose UTF-8 fits `size` bytes with the final NUL."""
    text = draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=size))
    return text.encode()[: size - 1].decode(errors="ignore")


@st.composite
def _enums(draw, kind):
    values = draw(st.lists(st.integers(*limits(kind)), min_size=1, max_size=4, unique=True))
    base = draw(st.sampled_from([enum.IntEnum, enum.Enum]))
    return base(f"Enum{next(_numbers)}", {f"M{i}": value for i, value in enumerate(values)})


class Field:
    """A field to be: its annotation, what stands at its right, its values, and its type in C."""

    def __init__(self, annotation, right, values, c_type, bounded=False):
        self.annotation = annotation
        self.right = right
        self.values = values
        self.c_type = c_type
        self.bounded = bounded


@st.composite
def _elements(draw, depth):
    """(element, storage, strategy of values, C type, whether bounded arrays are inside)."""
    what = draw(st.sampled_from(["scalar", "scalar", "enum", "text", *(["message"] if depth else [])]))
    if what == "scalar":
        kind = draw(st.sampled_from(sorted(SIZES)))
        return SCALARS[kind], None, scalars(kind), C_TYPES[kind], False
    if what == "enum":
        kind = draw(st.sampled_from(INTEGERS))
        of = draw(_enums(kind))
        return of, SCALARS[kind], st.sampled_from(list(of)), C_TYPES[kind], False
    if what == "text":
        size = draw(st.integers(2, 24))
        return horus.text(size), None, texts(size), ctypes.c_char * size, False
    made = draw(classes(depth - 1))
    return made.cls, None, made.messages(), made.c_type, made.bounded


@st.composite
def fields(draw, depth):
    """A field of any kind that a class may have."""
    element, storage, values, c_type, bounded_inside = draw(_elements(depth))
    said = {"unit": draw(UNITS), "doc": draw(st.sampled_from(["", "What it is."]))}
    if draw(st.booleans()):
        count = draw(st.integers(1, 5))
        bounded = draw(st.booleans()) and not bounded_inside
        right = horus.array(element, count, bounded=bounded, storage=storage, **said)
        several = st.lists(values, min_size=0 if bounded else count, max_size=count)
        return Field(None, right, several, c_type * count, bounded or bounded_inside)
    if hasattr(element, "text_size"):
        return Field(str, element, values, c_type)
    right = horus.field(default=draw(values), storage=storage, kw_only=draw(st.booleans()), **said)
    return Field(element, right, values, c_type, bounded_inside)


class Made:
    """A class, its values, and its structure in C."""

    def __init__(self, cls, fields, c_type, bounded):
        self.cls = cls
        self.fields = fields
        self.c_type = c_type
        self.bounded = bounded

    def values(self):
        return st.fixed_dictionaries({name: one.values for name, one in self.fields.items()})

    def messages(self):
        return self.values().map(lambda values: self.cls(**values))


def _structure(fields):
    """What a C compiler makes of the fields; before a bounded array stands its count, and it is 8-aligned."""
    members = []
    for name, one in fields.items():
        if isinstance(one.right, object) and getattr(one.right, "bounded", False):
            members.append((f"{name}_count", ctypes.c_uint32))
            at = _size_so_far(members)
            members.append((f"{name}_pad", ctypes.c_uint8 * (-at % 8)))
            # An element of 8 bytes makes the structure 8-aligned, as a bounded array does.
            members.append((f"{name}_align", ctypes.c_uint64 * 0))
        members.append((name, one.c_type))
    return type("Structure", (ctypes.Structure,), {"_fields_": members})


def _size_so_far(members):
    last = type("SoFar", (ctypes.Structure,), {"_fields_": members})
    name, kind = members[-1]
    return getattr(last, name).offset + ctypes.sizeof(kind)


@st.composite
def classes(draw, depth=2):
    """A message class with up to six fields."""
    made = {f"v{i}": one for i, one in enumerate(draw(st.lists(fields(depth), min_size=1, max_size=6)))}
    body = {
        "__annotations__": {name: one.annotation for name, one in made.items()},
        "__module__": __name__,
        **{name: one.right for name, one in made.items()},
    }
    name = f"Made{next(_numbers)}"
    cls = type(horus.Message)(name, (horus.Message,), body)
    globals()[name] = cls  # where pickle finds it
    return Made(cls, made, _structure(made), any(one.bounded for one in made.values()))
