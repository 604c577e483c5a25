"""Annotations that are evaluated late, as from Python 3.14 on (PEP 649, PEP 749).

This file does not import `annotations` from `__future__`: on such a Python its own classes are of that kind. On
older ones, where no such Python is at hand, a stand-in of annotationlib gives what its documentation says.
"""

import enum
import sys
import types
import typing

import pytest

import horus
from horus_core.messages import annotations


class Format(enum.IntEnum):
    """As in annotationlib."""

    VALUE = 1
    FORWARDREF = 3


@pytest.fixture
def lazy(monkeypatch):
    """Makes message classes as Python 3.14 does: the body holds no annotations, annotationlib works them out."""
    if sys.version_info >= (3, 14):
        pytest.skip("the classes of this file are of that kind")
    declared = {}

    def get_annotations(cls, *, format):  # noqa: A002 - its name
        assert format is Format.FORWARDREF
        return dict(declared)

    library = types.ModuleType("annotationlib")
    library.get_annotations, library.Format = get_annotations, Format
    monkeypatch.setitem(sys.modules, "annotationlib", library)
    monkeypatch.setattr(annotations, "_LAZY", True)

    def make(fields, **body):
        declared.clear()
        declared.update(fields)
        return type(horus.Message)("Grip", (horus.Message,), {"__module__": __name__, **body})

    return make


class Point(horus.Message):
    x: horus.f64 = 0.0
    y: horus.f64 = 0.0


def test_a_class_without_the_future_import_has_its_fields():
    """The plain way of writing a class works on every Python, in a function, with types that only it knows."""

    class Inner(horus.Message):
        z: horus.f32 = 0.0

    class Grip(horus.Message):
        count: typing.ClassVar[int] = 3
        at: Point
        inner: Inner
        width: horus.f64 = 0.5

    assert Grip(Point(x=1.0), Inner(z=2.0)).to_dict() == {
        "at": {"x": 1.0, "y": 0.0},
        "inner": {"z": 2.0},
        "width": 0.5,
    }


def test_late_annotations_are_fields(lazy):
    """Values, and names that were not known when the annotations were asked for, are both understood."""
    fields = {
        "at": typing.ForwardRef("Point"),
        "width": horus.f64,
        "ranges": object,
        "many": typing.ClassVar[int],
    }
    cls = lazy(fields, width=0.5, ranges=horus.array(horus.f32, 2), many=3)
    assert cls(Point(x=1.0)).to_dict()["at"] == {"x": 1.0, "y": 0.0}
    assert cls.__match_args__ == ("at", "width", "ranges")


def test_a_late_class_variable_is_no_field(lazy):
    """Also when its type cannot be evaluated."""
    cls = lazy({"width": horus.f64, "many": typing.ForwardRef("typing.ClassVar[Unknown]")}, width=0.5, many=3)
    assert cls.__match_args__ == ("width",)


def test_a_late_name_that_nobody_knows_is_named(lazy):
    """The error is the same as for annotations in quotes."""
    with pytest.raises(
        TypeError, match=r"Grip.at: expected an annotation that can be evaluated, got 'Unknown'"
    ):
        lazy({"at": typing.ForwardRef("Unknown")})
