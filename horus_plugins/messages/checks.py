"""What `is_valid()` of the standard messages has in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_core.messages.message import Message


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
