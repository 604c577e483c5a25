"""Nothing that the C module is called for stays behind: memory, references, descriptors, mappings, files."""

from __future__ import annotations

import sys
import types

import leak_calls
import leak_errors
import leak_scheduling
import pytest
from leak_meter import Meter, public_calls

from horus_core import _native

CALLS = {**leak_calls.ENTRIES.of, **leak_scheduling.ENTRIES.of}
NAMES = leak_calls.ENTRIES.names() | leak_scheduling.ENTRIES.names()
ENTRIES = {**CALLS, **leak_errors.ENTRIES.of}


def test_every_public_call_has_an_entry():
    """A function, method, property or protocol of the C module that no entry names is found here."""
    assert public_calls(_native) - NAMES == set(), "without an entry"
    assert NAMES - public_calls(_native) == set(), "no such call"


def test_a_new_call_would_be_missed():
    """The introspection sees functions, types, methods, properties and the buffer protocol, public or not."""
    module = types.ModuleType("module")
    module.function, module.Type, module.NUMBER, module.Buffer = len, types.MemberDescriptorType, 1, bytearray
    found = public_calls(module)
    assert {"function", "Type()", "Type.__get__", "Type.__name__", "Buffer.__buffer__", "Buffer.hex"} <= found
    assert not any("NUMBER" in name for name in found)


def _called(body, stage) -> set[str]:
    """The names of the C functions that the body calls."""
    seen: set[str] = set()

    def trace(frame, event, argument):
        if event == "c_call":
            seen.add(argument.__name__)

    sys.setprofile(trace)
    try:
        body(stage)
    finally:
        sys.setprofile(None)
    return seen


def _is_method(name: str) -> bool:
    owner, _, attribute = name.rpartition(".")
    found = vars(getattr(_native, owner)).get(attribute) if owner else getattr(_native, name, None)
    return not attribute.startswith("__") and isinstance(
        found, (types.MethodDescriptorType, types.BuiltinMethodType)
    )


@pytest.mark.parametrize("entry", CALLS)
def test_an_entry_makes_the_calls_that_it_names(stage, entry):
    """Methods and functions are seen being called: a name alone does not count."""
    names, body, _ = CALLS[entry]
    stage.drain()
    called = _called(body, stage)
    assert {name for name in names if _is_method(name) and name.rpartition(".")[2] not in called} == set()


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_call_leaves_nothing_behind(stage, entry):
    """After as many calls to warm up, the process has after many calls what it had before."""
    _, body, times = ENTRIES[entry]
    stage.drain()
    meter = Meter(stage.watched(), f"horus_{stage.namespace}")
    assert meter.growth(lambda: body(stage), times) == {}
