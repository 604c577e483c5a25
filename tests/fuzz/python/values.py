"""Strategies for what is sent on dict topics: what MessagePack carries, and what it does not."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import reprlib
import uuid

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(), hnp.byte_string_dtypes(), hnp.unicode_string_dtypes(),
    hnp.datetime64_dtypes(), hnp.timedelta64_dtypes(), hnp.nested_dtypes(max_itemsize=64),
    st.sampled_from(["S0", "U0", "V0", "V5", "g", "G"]).map(np.dtype),
    hnp.array_dtypes(hnp.scalar_dtypes(), max_size=4).map(lambda one: np.dtype(one.descr, align=True)),
)  # fmt: skip
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4) | st.sampled_from(
    [(5000,), (70, 70), (0, 2**31), (1,) * 32]
)


@st.composite
def arrays(draw):
    """Arrays of any type and order, small and larger than what is put aside."""
    dtype, shape = draw(DTYPES), draw(SHAPES)
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    raw = draw(st.binary(min_size=16, max_size=16))
    if dtype.hasobject:
        return np.zeros(shape, dtype)
    if dtype.itemsize == 0:
        array = np.zeros(shape, dtype)
    else:
        array = np.frombuffer((raw * (size // 16 + 1))[:size], dtype).reshape(shape)
    if draw(st.booleans()):
        array = np.asfortranarray(array)
    if draw(st.booleans()) and array.ndim:
        array = array[::-1]
    return array


def scalar_of(array):
    """The first element, where numpy can make one: its texts may hold what is no character."""
    try:
        return array.reshape(-1)[0] if array.size else array
    except (SystemError, ValueError):
        return array


ARRAYS = arrays()
ZONES = st.sampled_from([dt.timezone.utc, dt.timezone(dt.timedelta(hours=-5, minutes=-30))])
DATES = st.datetimes() | st.datetimes(timezones=ZONES) | st.dates() | st.times() | st.timedeltas()

LONG = st.sampled_from([("x", 300), (b"y", 70_000), ("ä", 40_000)]).map(lambda said: said[0] * said[1])
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=40), LONG,
)  # fmt: skip
KEYS = st.one_of(
    st.text(max_size=3),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.binary(max_size=3),
)
PLAIN_VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


class Level(enum.Enum):
    LOW = 1


class Number(int):
    """A subclass: the encoder takes the exact types only."""


HUGE = st.integers(14_000, 20_000).map(lambda bits: 1 << bits)  # more digits than Python shows


class Odd:
    """An object that fails in a way of its own when it is shown."""

    def __repr__(self):
        raise ZeroDivisionError

    __str__ = __repr__

    def __hash__(self):
        return 1


class Box:
    """A value that hypothesis cannot or must not show: endless, too deep, failing in its repr."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        try:
            return f"Box({reprlib.repr(self.value)})"
        except Exception as error:  # noqa: BLE001 - any
            return f"Box(<{type(error).__name__} in repr>)"


def nested(depth, leaf, kind=list):
    """A list in a list in a list, or dicts."""
    value = leaf
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


def endless():
    """A list that contains itself."""
    value = [1]
    value.append(value)
    return value


MAYBE = st.one_of(
    HUGE, st.builds(Odd), st.just(Odd), ARRAYS, ARRAYS.map(scalar_of), DATES,
    st.text(), st.integers(), st.complex_numbers(), st.fractions(), st.decimals(), st.uuids(),
    st.sampled_from([2**64, -(2**63) - 1, object(), Level.LOW, Number(3), range(3), ...,
                     decimal.Decimal("NaN"), uuid.UUID(int=0), memoryview(b"abc"), bytearray(b"abc"),
                     "\ud800"]),
    st.sets(st.integers()), st.frozensets(st.text(max_size=2)), st.lists(st.text(), max_size=2).map(tuple),
    st.builds(nested, st.sampled_from([1, 90, 400, 990, 5000, 100_000]),
    st.just(1) | DATES | st.just(object()),
              st.sampled_from([list, dict])),
    st.builds(endless),
    st.builds(np.ma.masked_array, st.just([1, 2]), st.just([True, False])),
)  # fmt: skip
ANY_KEYS = st.one_of(
    KEYS, HUGE, st.builds(Odd), st.text(max_size=2), st.sampled_from([2**64, Odd, Level.LOW, ("a", 1),
    (1, (2, 3)), "\ud800",
    frozenset([1]), np.float32(1), np.int64(7), np.str_("x"), dt.date(2026, 1, 1), ...]),
    DATES.filter(lambda one: hash(one) is not None),
)  # fmt: skip
ANY_VALUES = st.recursive(
    PLAIN | MAYBE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_KEYS, inner, max_size=3),
    max_leaves=8,
).map(Box)
