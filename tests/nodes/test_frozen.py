"""Values that are never changed, as nodes' keywords and topics' types are."""

from __future__ import annotations

import inspect
import pickle

import pytest

import horus
from horus_core.frozen import Frozen


class Point(Frozen):
    """A value."""

    x: int
    y: int = 2
    note: str = ""
    compared_ = ("x", "y")


def test_a_value_is_made_by_position_and_keyword_and_never_changed():
    """As those of dataclasses: equal by their fields, hashable, shown, pickled, and matched."""
    point = Point(1, note="here")
    assert (point.x, point.y, point.note) == (1, 2, "here")
    assert point == Point(1, 2, "there") != Point(1, 3)
    assert len({point, Point(1), Point(y=2, x=1)}) == 1
    assert point.__eq__((1, 2)) is NotImplemented
    assert repr(point) == "Point(x=1, y=2, note='here')"
    assert point.but(y=5) == Point(1, 5)
    assert pickle.loads(pickle.dumps(point)).note == "here"
    assert str(inspect.signature(Point)) == "(x, y=2, note='')"
    with pytest.raises(AttributeError, match="Point is never changed"):
        point.x = 3
    with pytest.raises(AttributeError, match="Point is never changed"):
        del point.x


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Point, "Bad Point: expected a value for x, got none."),
        (lambda: Point(1, x=2), "Bad Point: expected x, y, note, once each, got x=."),
        (lambda: Point(1, z=2), "Bad Point: expected x, y, note, once each, got z=."),
        (lambda: Point(1, 2, "", 4), "Bad Point: expected x, y, note, once each, got 4 values."),
    ],
)
def test_wrong_values_are_named(make, text):
    """Each error says what there is."""
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value) == text


def test_policies_are_equal_by_kind_and_numbers():
    """Two kinds without numbers are not the same."""
    assert horus.Restart(3) == horus.Restart(max_retries=3) != horus.Restart(4)
    assert horus.Skip() != horus.Restart()
    assert str(inspect.signature(horus.Restart)) == "(max_retries=5, backoff=0.1)"
