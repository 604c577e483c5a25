"""`horus_core/_native.pyi` against the C module itself, in both directions."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from horus_core import _native

STUB = Path(_native.__file__).with_name("_native.pyi")
if not STUB.exists():  # an editable install keeps the module apart from its sources
    STUB = Path(__file__).resolve().parents[2] / "horus_core" / "_native.pyi"
TREE = ast.parse(STUB.read_text(encoding="utf-8"))

# What every class and module has, of Python's own making.
_GIVEN = {
    "__abstractmethods__", "__basicsize__", "__dictoffset__", "__doc__", "__file__", "__flags__",
    "__itemsize__", "__loader__", "__module__", "__mro__", "__name__", "__package__", "__spec__",
    "__weakrefoffset__", "__weaklistoffset__", "__vectorcalloffset__", "__init__",
    "__slotnames__",  # what copyreg keeps on a class once somebody tried to copy one of its objects
    "__new__", "__setattr__", "__delattr__",
    "__getattribute__", "__repr__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__",
    "__reduce__", "__reduce_ex__", "__setstate__", "__getstate__", "__sizeof__", "__dict__", "__weakref__",
    "__getnewargs__", "__getnewargs_ex__", "__objclass__", "__delete__",
}  # fmt: skip
# Slots that Python shows as methods only from some version on (PEP 688: 3.12).
_BY_VERSION = {"__buffer__", "__release_buffer__"}
# What horus_core/messages/definition.py sets on each class that it makes.
_SET_LATER = {"__layout__"}


def _names(body):
    """{name: its definition} of what the stub's body declares."""
    found = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = node
    return found


MODULE = _names(TREE.body)
CLASSES = {name: node for name, node in MODULE.items() if isinstance(node, ast.ClassDef)}


def test_the_module_has_what_the_stub_says_and_nothing_else():
    """Every name of the module, with an underscore or without, stands in the stub, and the other way."""
    assert set(MODULE) == set(vars(_native)) - _GIVEN


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_what_the_stub_says_and_nothing_else(name):
    """Every attribute of the class stands in the stub, and the other way."""
    stub, real = set(_names(CLASSES[name].body)), set(vars(getattr(_native, name)))
    assert real - _GIVEN - _BY_VERSION - stub == set(), "not in the stub"
    assert stub - _GIVEN - _BY_VERSION - _SET_LATER - real == set(), "not in the module"


def _told(real):
    """The parameters that the C code itself names: its text signature, or the head of its docstring."""
    head = re.match(rf"{re.escape(real.__name__)}\(([^)]*)\)", real.__doc__ or "")
    text = getattr(real, "__text_signature__", None) or (head and head[1])
    if text is None:
        return None
    parameters = [one.strip() for one in text.strip("()").split(",")]
    return [one for one in parameters if one and one not in ("/", "*", "$self", "$module")]


def _functions():
    for name, node in MODULE.items():
        if isinstance(node, ast.FunctionDef) and _told(getattr(_native, name)) is not None:
            yield pytest.param(getattr(_native, name), node, False, id=name)
    for cls, body in CLASSES.items():
        for name, node in _names(body.body).items():
            if isinstance(node, ast.FunctionDef) and not name.startswith("__"):
                real = inspect.getattr_static(getattr(_native, cls), name, None)
                if inspect.ismethoddescriptor(real) and _told(real) is not None:
                    yield pytest.param(real, node, True, id=f"{cls}.{name}")


@pytest.mark.parametrize(("real", "stub", "method"), list(_functions()))
def test_a_function_takes_what_the_stub_says(real, stub, method):
    """Where C tells the parameters of a function, the stub has as many."""
    told = _told(real)
    arguments = stub.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    count = len(every) - method + bool(arguments.vararg) + bool(arguments.kwarg)
    assert count == len(told), told


@pytest.mark.parametrize("name", CLASSES)
def test_what_the_stub_calls_a_property_is_none_to_call(name):
    """A property of the stub is data in C, not a method that a caller would forget to call."""
    for attribute, node in _names(CLASSES[name].body).items():
        if isinstance(node, ast.FunctionDef) and any(
            getattr(one, "id", "") == "property" for one in node.decorator_list
        ):
            real = inspect.getattr_static(getattr(_native, name), attribute)
            assert inspect.isdatadescriptor(real), attribute
            assert not inspect.ismethoddescriptor(real), attribute
