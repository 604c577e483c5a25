"""Descriptions of anybody in a region: a subscriber without the class makes one of it,
or gets RegionError.
"""

from __future__ import annotations

import contextlib
import copy
import enum
import itertools
import json

import msgspec
from classes import classes
from fuzzing import fuzz
from hypothesis import example
from hypothesis import strategies as st
from wire import Slots, make_region, path_of

import horus
from horus_core import _native
from horus_core.messages import layout as layouts
from horus_core.messages import registry

_numbers = itertools.count()
SCALARS = st.none() | st.booleans() | st.integers(-3,
70) | st.floats() | st.text(max_size=4) | st.sampled_from(
    [2**31, 2**32, 2**63, 2**64 - 1, -1, 10**30, "\ud800", "__class__", "to_dict", "mro", "a b",
    "message", "text", "u8", "f64"]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "name",
    "kind",
    "offset",
    "size",
    "align",
    "count",
    "bounded",
    "count_offset",
    "layout",
    "members",
    "unit",
    "fields",
]
MEMBERS = st.dictionaries(
    st.sampled_from(["A", "mro", "__init__", "__new__", "_missing_", "__str__", "__hash__", "", "a b",
    "_a_", "name", "value"]),
    JSON, max_size=3,
)  # fmt: skip


def places(layout, path=()):
    """The ways to every value inside."""
    yield path
    inner = (
        layout.items() if isinstance(layout, dict) else enumerate(layout) if isinstance(layout, list) else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


@st.composite
def layouts_of_anybody(draw):
    """A good layout with some values changed, removed or added."""
    layout = json.loads(json.dumps(layouts.of(draw(classes(1)).cls)))
    for _ in range(draw(st.integers(0, 3))):
        layout = copy.deepcopy(layout)
        way = draw(st.sampled_from(list(places(layout))))
        if not way:
            continue
        inside = layout
        for key in way[:-1]:
            inside = inside[key]
        what = draw(st.sampled_from(["change", "remove", "add", "twice"]))
        if what == "change":
            inside[way[-1]] = draw(JSON)
        elif what == "remove":
            del inside[way[-1]]
        elif isinstance(inside, dict):
            inside[draw(st.sampled_from(KEYS))] = draw(MEMBERS | JSON)
        else:
            inside.append(copy.deepcopy(inside[way[-1]]))
    return layout


def use(made):
    """What a subscriber and a tool do with a class."""
    message = made()
    repr(message)
    json.dumps(message.to_dict())
    assert made.from_wire(message.to_wire()) == message
    for one in made.__descriptors__:
        repr(one)
        str(getattr(message, one.name))
        if isinstance(one.type, enum.EnumMeta):
            assert all(str(member) for member in one.type)  # an enum may have none


@fuzz(layout=layouts_of_anybody() | JSON, examples=100)
@example(
    layout={
        "name": "A",
        "size": 4,
        "fields": [{"name": "a", "kind": "i32", "offset": 0, "members": {"__init__": 1}}],
    }
)
@example(
    layout={"name": "A", "size": 4, "fields": [{"name": "a", "kind": "i32", "offset": 0, "members": {}}]}
)
@example(
    layout={
        "name": "A",
        "size": 4,
        "fields": [{"name": "a", "kind": "i32", "offset": 0, "members": {"_missing_": 1}}],
    }
)
@example(
    layout={
        "name": "A",
        "size": 4,
        "fields": [{"name": "a", "kind": "i32", "offset": 0, "members": {"A\n": 1}}],
    }
)
def test_a_layout_of_anybody(layout):
    """class_from_layout: a class that works and has that very layout, or RegionError."""
    known = set(registry._by_name)
    try:
        made = layouts.class_from_layout(layout)
    except horus.RegionError as error:
        str(error).encode()
    else:
        assert made.__type_hash__ == layouts.hash_of(layout)
        use(made)
    assert {name for name in registry._by_name if not name.startswith("Made")} <= known | {"Enum"}


def encoded(value):
    """JSON of what may hold surrogates."""
    return json.dumps(value, ensure_ascii=True, default=str).encode()


DEEP = [
    b'{"type": ' + b"[" * depth + b"]" * depth + b"}" for depth in (50, 900, 5000)
] + [
    b'{"layout": {"name": "A", "size": 1, "fields": [{"name": "a", "kind": "u8", "offset": 0, "size": '
    + b"[" * depth + b"]" * depth + b"}]}}" for depth in (50, 400, 900)
] + [
    b'{"layout": ' * depth + b"{}" + b"}" * depth for depth in (20, 900)
]  # fmt: skip
DESCRIPTIONS = st.one_of(
    st.builds(
        lambda layout, kind, python, more: encoded(
            {"type": kind, "python": python, "layout": layout, **more}
        ),
        layouts_of_anybody() | JSON,
        st.just("A") | JSON,
        st.sampled_from(
            [None, "", ":", "a:b", "horus:Twist", "horus_core:nothing.at.all", "..:x", "json:dumps", 3]
        )
        | st.text(alphabet=".:a\0\ud800", max_size=5),
        st.dictionaries(st.sampled_from(["topic", "creator", "more"]), JSON, max_size=2),
    ),
    JSON.map(encoded),
    st.binary(max_size=50),
    st.sampled_from(DEEP),
)


@fuzz(
    description=DESCRIPTIONS,
    type_hash=st.binary(min_size=16, max_size=16) | st.none() | st.just(horus.Twist.__type_hash__),
    kind=st.sampled_from([_native.TYPED, _native.TYPED, _native.MSGPACK, _native.DESCRIPTOR]),
    payload=st.sampled_from([1, 8, 64, 4096]),
    garbage=st.binary(max_size=40),
    examples=120,
)
@example(description=DEEP[1], type_hash=None, kind=_native.TYPED, payload=8, garbage=b"")
@example(description=DEEP[4], type_hash=None, kind=_native.TYPED, payload=8, garbage=b"")
@example(description=DEEP[5], type_hash=None, kind=_native.TYPED, payload=8, garbage=b"")
@example(description=DEEP[7], type_hash=None, kind=_native.MSGPACK, payload=8, garbage=b"")
def test_a_region_of_anybody(description, type_hash, kind, payload, garbage):
    """Opening, receiving, showing and closing a topic whose region another program made: it works,
    or HorusError.
    """
    name = f"anybody{next(_numbers)}"
    if type_hash is None:  # the hash that fits the layout, so that the class is made and used
        with contextlib.suppress(Exception):
            type_hash = layouts.hash_of(msgspec.json.decode(description)["layout"])
    make_region(name, description, type_hash or bytes(16), kind, payload=payload)
    try:
        for wanted in (None, dict, horus.Twist):
            with contextlib.suppress(horus.HorusError), horus.Topic(name, wanted) as topic:
                try_out(topic, garbage)
    finally:
        path_of(name).unlink(missing_ok=True)


def try_out(topic, garbage):
    repr(topic)
    topic.stats()
    with contextlib.suppress(horus.HorusError):
        topic.recv()
    if topic.type is not None and topic.type is not dict and hasattr(topic.type, "from_wire"):
        assert topic.send(topic.type())
        slots = Slots(topic.name)
        slots.write(topic._ring.front - 1, garbage)
        slots.close()
        message = topic.recv()
        if message is not None:
            repr(message)
            message.to_dict()
    elif topic.type is dict:
        topic.send({"a": 1})
        topic.recv()


def test_a_long_description_is_read_soon():
    """A description of a megabyte, full of fields or of members, is no way to stop a subscriber for long."""
    fields = [{"name": f"f{i}", "kind": "u8", "offset": i} for i in range(15_000)]
    members = {f"M{i}": i for i in range(40_000)}
    for layout in (
        {"name": "A", "size": len(fields), "fields": fields},
        {"name": "A", "size": 4, "fields": [{"name": "a", "kind": "i32", "offset": 0, "members": members}]},
    ):
        with contextlib.suppress(horus.RegionError):
            use(layouts.class_from_layout(layout))
