"""Strategies for the values of any message class: extremes, NaN, infinities, full and empty arrays, any alphabet."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from horus_core.messages.fields import SIZES

if TYPE_CHECKING:
    from horus_core.messages.message import Message

LARGE = 5000
"""Arrays of more elements are drawn nearly empty: test_full_arrays_round_trip has them full."""
_FEW = 4


def numbers(kind: str) -> st.SearchStrategy[Any]:
    """Values of a kind that come back as they were given; of NaNs the one that Python has."""
    if kind == "bool_":
        return st.booleans()
    if kind in {"f32", "f64"}:
        floats = st.floats(width=32 if kind == "f32" else 64)
        extremes = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0])
        return extremes | floats.map(lambda value: math.nan if math.isnan(value) else value)
    bits = SIZES[kind] * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)
    return st.sampled_from([low, high]) | st.integers(low, high)


@st.composite
def texts(draw: st.DrawFn, size: int) -> str:
    """Texts whose UTF-8 fits `size` bytes with the final NUL; some fill them."""
    text = draw(
        st.sampled_from(["", "x" * size, "ü" * size, "機" * size, "🤖" * size, "\n\t\x1b[0m", "\u202e"])
        | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=size)
    )
    return text.encode()[: size - 1].decode(errors="ignore")


def elements(one: Any) -> st.SearchStrategy[Any]:
    """Values of one element of a field."""
    if one.kind == "message":
        return messages(one.type)
    if one.kind == "text":
        return texts(one.size)
    if isinstance(one.type, enum.EnumMeta):
        return st.sampled_from(list(one.type)) | numbers(one.kind)
    return numbers(one.kind)


@st.composite
def arrays(draw: st.DrawFn, one: Any) -> Any:
    """A few values in turn, as many as there may be."""
    most = [] if one.kind == "message" else [min(one.capacity, LARGE)]
    counts = [one.capacity] if one.shape == "fixed" else [0, 1, 3, *most]
    count = draw(st.sampled_from(counts))
    few = draw(st.lists(elements(one), min_size=1, max_size=_FEW))
    values = (few * (count // len(few) + 1))[:count]
    scalar = one.kind not in {"message", "text"} and one.type is None
    return np.array(values, _dtype(one.kind)) if scalar and draw(st.booleans()) else values


def _dtype(kind: str) -> str:
    return "?" if kind == "bool_" else f"{kind[0]}{SIZES[kind]}"


@st.composite
def values(draw: st.DrawFn, cls: type[Message]) -> dict[str, Any]:
    """Values for every field of a class."""
    return {
        one.name: draw(elements(one) if one.shape == "one" else arrays(one))
        for one in cls.__descriptors__
        if not one.alias
    }


def messages(cls: type[Message]) -> st.SearchStrategy[Any]:
    """Messages of a class."""
    return values(cls).map(lambda given: cls(**given))
