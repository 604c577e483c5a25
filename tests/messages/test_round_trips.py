"""Every standard message comes back as it was: from Python, a region, another process, a dict and a pickle."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standard_values import values

import horus
from horus_core.testing.namespaces import new_namespace, remove_namespace
from horus_plugins.messages.plugin import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_core.messages.message import Message

STANDARD = tuple(cls for table in TABLES for cls in table.TYPES)
LIMIT_S = 20.0
EXAMPLES = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)

# It lacks the classes: what it receives has one made from the region's layout, and goes back as that.
OTHER = """
import pickle, sys
import horus
for line in sys.stdin:
    what, _, name = line.strip().partition(" ")
    if what == "open":
        topic, back = horus.Topic(name), horus.Topic(f"{name}.back")
        topic.has_msg()
    else:
        assert topic.wait(20)
        message = topic.recv()
        assert type(message).__module__ == "horus_core.messages.generated", type(message)
        again = type(message).from_dict(message.to_dict())
        assert again == message == message.copy(), (again, message)
        assert repr(again) == repr(message)
        assert back.send(again)
    print("done", flush=True)
"""


class Other:
    """A process without any of these classes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def does(self, what: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what + "\n")
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(LIMIT_S) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    """One process for all types, in a namespace of this module's own."""
    before = os.environ.get("HORUS_NAMESPACE")
    name = os.environ["HORUS_NAMESPACE"] = new_namespace()
    process = Other()
    yield process
    process.end()
    if before is None:
        del os.environ["HORUS_NAMESPACE"]
    else:
        os.environ["HORUS_NAMESPACE"] = before
    remove_namespace(name)


def lone(cls: type[Message]) -> type[Message]:
    """The same fields under a name that no other process knows."""
    return type(cls)(f"Lone{cls.__name__}", (cls,), {"__module__": __name__})  # type: ignore[return-value]


LONE = {cls: lone(cls) for cls in STANDARD}
globals().update({cls.__name__: cls for cls in LONE.values()})  # where pickle finds them


def same(got: Any, wanted: Any) -> bool:
    if isinstance(got, np.ndarray):
        return np.array_equal(got, np.array(wanted, got.dtype), equal_nan=got.dtype.kind == "f")
    if isinstance(got, tuple):
        return list(got) == list(wanted)
    return bool(got == wanted) or (got != got and wanted != wanted)  # noqa: PLR0124 - NaN


def check(message: Message, wanted: dict[str, Any]) -> None:
    """What was given is what is read, and all that is made from it is equal."""
    cls = type(message)
    for name, value in wanted.items():
        got = getattr(message, name)
        assert same(got, value), (name, got, value)
        assert getattr(cls, name).shape == "one" or len(got) == len(value)
    assert cls.from_dict(message.to_dict()) == message
    assert pickle.loads(pickle.dumps(message)) == message
    assert copy.deepcopy(message) == message == message.copy()
    assert cls.from_wire(message.to_wire()) == message
    assert all(f"{name}=" in repr(message) for name in wanted)
    assert isinstance(message.is_valid(), bool)  # whatever the values, it answers


# spec: A38, F25, F32
@pytest.mark.parametrize("cls", LONE.values(), ids=lambda cls: cls.__name__.removeprefix("Lone"))
def test_every_type_round_trips(cls: type[Message], other: Other) -> None:
    """Whatever the fields hold: NaN, infinities, extremes, full arrays, texts of any alphabet, unknown enums."""
    with (
        horus.Topic(f"trip.{cls.__name__}", cls) as there,
        horus.Topic(f"trip.{cls.__name__}.back", cls) as back,
    ):
        other.does(f"open {there.name}")

        @EXAMPLES
        @given(data=st.data())
        def trip(data: st.DataObject) -> None:
            wanted = data.draw(values(cls))
            message = cls(**wanted)
            check(message, wanted)
            assert there.send(message)
            here = there.recv()
            assert type(here) is cls
            assert here == message
            other.does("next")
            assert back.wait(LIMIT_S)
            assert back.recv() == message

        trip()


@pytest.mark.parametrize(
    ("name", "field", "count"),
    [
        ("OccupancyGrid", "data", 2800 * 2800),
        ("CompressedImage", "data", 8 * 1024 * 1024),
        ("TactileArray", "forces", 128 * 128),
        ("PathPlan", "waypoints", 3 * 4096),
    ],
)
def test_full_arrays_round_trip(horus_namespace: str, name: str, field: str, count: int) -> None:
    """What is too large for the many examples: every byte arrives, and no element more is taken."""
    cls = getattr(horus, name)
    dtype = getattr(cls(), field).dtype
    full = (np.arange(count) % 127).astype(dtype)
    message = cls(**{field: full})
    with horus.Topic(cls) as topic:
        assert topic.send(message)
        got = topic.recv()
    assert np.array_equal(getattr(got, field), full)
    assert got.to_wire() == message.to_wire() == pickle.loads(pickle.dumps(message)).to_wire()
    with pytest.raises(ValueError, match=f"expected at most {count} elements, got {count + 1}"):
        cls(**{field: np.zeros(count + 1, dtype)})


def test_room_that_is_not_used_takes_no_memory() -> None:
    """All types, and 200 empty cost maps with room for 15.7 MB each: what a process needs anyway, and little more."""
    code = (
        "import resource\n"
        "def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "import horus, numpy\n"
        "before = most()\n"
        "import horus_plugins.messages.plugin\n"
        "kept = [horus.CostMap(horus.OccupancyGrid(2, 2, data=[0, 1, 2, 3])) for _ in range(200)]\n"
        "print(most() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 50.0  # MB


def test_a_long_path_round_trips(horus_namespace: str) -> None:
    """4096 waypoints, each with its own values."""
    path = horus.NavPath.from_waypoints(horus.Waypoint(x=float(i), curvature=i) for i in range(4096))
    with horus.Topic(horus.NavPath) as topic:
        assert topic.send(path)
        got = topic.recv()
    assert got == path
    assert got.waypoints[4095].pose.x == 4095.0
    assert got.to_dict() == path.to_dict()
