"""What `is_valid()` of the standard messages has in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import IntEnum

    from horus_core.messages.message import Message
    from horus_plugins.messages.geometry import Vector3

UNIT_TOLERANCE = 1e-3
"""How far from 1 the length of a quaternion or a direction may be."""


def finite(*values: float) -> bool:
    """Whether no value is infinite or NaN."""
    return all(map(math.isfinite, values))


def all_finite(message: Message, *names: str) -> bool:
    """Whether the named array fields hold no infinite value and no NaN."""
    values = message.to_dict()
    return all(finite(*values[name]) for name in names)


def covariance(message: Message, name: str, rows: int) -> bool:
    """Whether a covariance is finite, with no negative variance on its diagonal."""
    values = message.to_dict()[name]
    return finite(*values) and all(values[i * (rows + 1)] >= 0.0 for i in range(rows))


def same_length(message: Message, first: str, *others: str) -> bool:
    """Whether each of the other arrays is empty or as long as the first."""
    values = message.to_dict()
    return all(len(values[name]) in (0, len(values[first])) for name in others)


def fractions(*values: float) -> bool:
    """Whether each value lies within 0 and 1."""
    return all(0.0 <= value <= 1.0 for value in values)


def known(value: int, of: type[IntEnum]) -> bool:
    """Whether the value of an enum field is one that the enum has."""
    return any(value == member for member in of)


def direction(vector: Vector3) -> bool:
    """Whether a vector is of length 1 within a thousandth, or zero, which is unset."""
    length = vector.magnitude()
    return length == 0.0 or abs(length - 1.0) <= UNIT_TOLERANCE


def cells(message: Message, name: str, rows: int, columns: int) -> bool:
    """Whether an array is empty, or has an element for each cell."""
    return len(getattr(message, name)) in (0, rows * columns)
