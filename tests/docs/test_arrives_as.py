"""The table "what arrives as what" of docs/topics.md, row by row."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import uuid
from typing import NamedTuple

import doc_pages
import numpy as np
import pytest

import horus


class Gear(enum.Enum):
    """An enum as users have it."""

    FORWARD = "forward"


@dataclasses.dataclass
class Reading:
    """A dataclass as users have it."""

    celsius: float


class Point(NamedTuple):
    """A named tuple as users have it."""

    x: int
    y: int


_UUID = uuid.UUID(int=5)
# First cell of a row: pairs of what is sent and what arrives.
SAMPLES = {
    "dict, list, str, int of 64 bits, float (NaN and infinities too), bool": [
        (value, value) for value in ({"a": [1]}, [1, 2], "é", -(2**63), 2**64 - 1, 1.5, math.inf, True)
    ],
    "bytes, bytearray, memoryview": [(b"x", b"x"), (bytearray(b"x"), b"x"), (memoryview(b"x"), b"x")],
    "keys that are no str: int, bytes, None, tuple": [
        (value, value) for value in ({1: 2}, {b"k": 1}, {None: 1}, {(1, 2): 3})
    ],
    "tuple, named tuple, set, frozenset": [
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        ({1}, [1]),
        (frozenset({1}), [1]),
    ],
    "dataclass": [(Reading(1.5), {"celsius": 1.5})],
    "datetime, date, time, timedelta": [
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc), "2026-01-02T03:04:05+00:00"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(3, 4), "03:04:00"),
        (dt.timedelta(seconds=3), "PT3S"),
    ],
    "Decimal, UUID": [(decimal.Decimal("1.5"), "1.5"), (_UUID, str(_UUID))],
    "enum member": [(Gear.FORWARD, "forward")],
    "numpy array, numpy scalar": [
        (np.arange(6, dtype=np.int16).reshape(2, 3), np.arange(6, dtype=np.int16).reshape(2, 3)),
        (np.float32(1.5), np.float32(1.5)),
    ],
    "`None` inside a message": [({"a": None}, {"a": None})],
}


def _rows():
    page = (doc_pages.ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    table = page.partition("| sent | arrives as |\n|---|---|\n")[2].partition("\n\n")[0]
    return [row.split("|")[1].strip() for row in table.splitlines()]


def test_every_row_has_a_sample():
    """The table has no row that is not tried below, and nothing is tried that it does not say."""
    assert _rows() == list(SAMPLES)


# spec: F26
@pytest.mark.parametrize("row", SAMPLES)
def test_what_is_sent_arrives_as_the_table_says(row, horus_namespace):
    """Alone and inside a dict, the value arrives with the type and the value of its row."""
    with horus.Topic("samples", dict) as topic:
        for sent, expected in SAMPLES[row]:
            topic.send(sent)
            topic.send({"value": sent})
            for arrived in (topic.recv(), topic.recv()["value"]):
                assert type(arrived) is type(expected)
                if isinstance(expected, np.ndarray):
                    assert arrived.dtype == expected.dtype
                    np.testing.assert_array_equal(arrived, expected)
                else:
                    assert arrived == expected


# spec: F26
def test_nan_arrives_as_nan(horus_namespace):
    """NaN is a float like any other."""
    with horus.Topic("samples", dict) as topic:
        topic.send({"value": math.nan})
        assert math.isnan(topic.recv()["value"])
