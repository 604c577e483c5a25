"""What a topic carries: the type that its first user gives it, and that every other user must share."""

from __future__ import annotations

import importlib
import json
import math
from typing import Any

from horus_core import _native
from horus_core.errors import ConfigError, RegionError
from horus_core.frozen import Frozen
from horus_core.messages import layout, registry
from horus_core.messages.message import Message

DICT = "dict"
SLOT_MAX = 4072
"""Longest payload of a slot; longer messages go through the pool. With its header a slot is then 4 KiB."""

_DICT_PAYLOAD = 232
_DICT_CAPACITY = 256
_DESCRIPTOR_PAYLOAD = 168
_DESCRIPTOR_CAPACITY = 8
_LARGE_KEPT = 8
_SLOTS_BYTES = 65536
_CAPACITY_MIN, _CAPACITY_MAX = 16, 1024
_DEEPEST = 200
_DESCRIPTION_MAX = 1 << 20
_KINDS = {_native.TYPED: "typed", _native.MSGPACK: "dict", _native.DESCRIPTOR: "pool-backed"}


class TopicType(Frozen):
    """A message type as topics see it. Two are the same when kind, name and hash are."""

    kind: int
    name: str
    hash: bytes
    layout: dict[str, Any] | None = None
    python: type | None = None
    payload: int = 0
    """Bytes of a slot's payload."""
    compared_ = ("kind", "name", "hash")

    @property
    def capacity(self) -> int:
        """How many messages a ring of this type keeps unless told: about 64 KiB of them."""
        if self.kind == _native.MSGPACK:
            return _DICT_CAPACITY
        if self.kind == _native.DESCRIPTOR:
            return _DESCRIPTOR_CAPACITY
        fitting = _SLOTS_BYTES // (self.payload + 24)
        return max(_CAPACITY_MIN, min(_CAPACITY_MAX, 1 << max(fitting, 1).bit_length() - 1))

    @property
    def large_kept(self) -> int:
        """How many messages of 64 KiB and more it keeps unless told; 0: as many as others."""
        return _LARGE_KEPT if self.kind == _native.MSGPACK else 0

    def __str__(self) -> str:
        return self.name if self.kind == _native.MSGPACK else f"{self.name} ({_KINDS[self.kind]})"


MSGPACK = TopicType(_native.MSGPACK, DICT, bytes(16), payload=_DICT_PAYLOAD, python=dict)


def of_class(cls: type) -> TopicType:
    """The topic type of a message class, or of dict.

    Raises ConfigError for any other class.
    """
    if cls is dict:
        return MSGPACK
    if isinstance(cls, type) and issubclass(cls, Message) and cls is not Message:
        description = layout.of(cls)
        payload = min(layout.wire_max(cls), SLOT_MAX)
        return TopicType(_native.TYPED, cls.__name__, layout.type_hash(cls), description, cls, payload)
    if isinstance(cls, type) and issubclass(cls, _native.PooledBase) and cls is not _native.PooledBase:
        return TopicType(_native.DESCRIPTOR, cls.__name__, bytes(16), None, cls, _DESCRIPTOR_PAYLOAD)
    shown = cls.__name__ if isinstance(cls, type) else repr(cls)
    raise ConfigError(f"Bad topic type: expected dict or a class derived from horus.Message, got {shown}.")


def of_message(message: object) -> TopicType:
    """The topic type that sending this value gives to a topic that has none."""
    if isinstance(message, (Message, _native.PooledBase)):
        return of_class(type(message))
    return MSGPACK


def description(kind: TopicType, topic: str, creator: dict[str, Any]) -> bytes:
    """What the creator writes into the region, for tools and for processes that lack the class."""
    python = None if kind.python in (None, dict) else f"{kind.python.__module__}:{kind.python.__qualname__}"
    encoded = _encode(
        {"topic": topic, "type": kind.name, "python": python, "layout": kind.layout, "creator": creator}
    ).encode()
    if len(encoded) > _DESCRIPTION_MAX:
        raise ConfigError(
            f"Opening topic {topic!r} failed: expected a layout of {kind.name} that takes at most "
            f"{_DESCRIPTION_MAX} bytes as text, got {len(encoded)}. Shorten the docs of its fields, or have fewer."
        )
    return encoded


def read_description(ring: _native.Ring) -> dict[str, Any]:
    """The creator's description. Raises RegionError when it is no JSON object."""
    try:
        text = ring.meta.decode()
        found = _decode(text)
        if "\\u" in text:
            _encode(found).encode()  # raises: there are escapes that stand for no character
    except (ValueError, RecursionError) as error:
        raise RegionError(f"expected a JSON description, got {error}") from None
    if not isinstance(found, dict):
        raise RegionError(f"expected a JSON object as description, got {type(found).__name__}")
    if _is_deeper(found, _DEEPEST):  # whoever looks at it goes down by recursion
        raise RegionError(f"expected a description nested at most {_DEEPEST} levels deep, got a deeper one")
    return found


def _finite(text: str) -> float:
    """A number of JSON, in which there is none beyond all numbers: Python reads NaN, Infinity and 1e999, too."""
    if math.isfinite(number := float(text)):
        return number
    raise ValueError(f"a finite number was expected, got {text}")


# The standard library's, which every process has loaded: msgspec takes 7 ms to import.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_finite, parse_float=_finite).decode


def _is_deeper(value: object, than: int) -> bool:
    level = [value]
    for _ in range(than):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def of_ring(ring: _native.Ring) -> TopicType:
    """The type of an existing topic, without its Python class."""
    found = read_description(ring)
    return TopicType(
        ring.kind, str(found.get("type")), ring.type_hash, found.get("layout"), payload=ring.payload
    )


def class_of_ring(ring: _native.Ring) -> type | None:
    """The class for receiving from an existing topic; None for dict topics.

    The registered one, the creator's, or one built from the region's layout, in this order.
    """
    if ring.kind == _native.MSGPACK:
        return None
    wanted = of_ring(ring)
    for candidate in (
        registry.find_same(wanted.name, wanted.hash),
        _import(read_description(ring).get("python")),
    ):
        if candidate is not None and _is_of(candidate, wanted):
            return candidate
    if ring.kind == _native.TYPED and wanted.layout is not None:
        return layout.class_from_layout(wanted.layout)
    raise RegionError(
        f"expected a class for type {wanted}, got none: no installed package has it. Install the one that does."
    )


def _is_of(candidate: type, wanted: TopicType) -> bool:
    try:
        return of_class(candidate) == wanted
    except ConfigError:  # the name is another thing's by now, and no message class
        return False


def _import(reference: object) -> type | None:
    """The class that `module:qualname` names; None when it cannot be had (`__main__` is another script's)."""
    if not isinstance(reference, str):
        return None
    module, _, qualname = reference.partition(":")
    if module == "__main__" or "<locals>" in qualname:
        return None
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit):  # noqa: BLE001 - a module of somebody else's may do anything when imported
        return None
    return found if isinstance(found, type) else None


def difference(existing: TopicType, wanted: TopicType) -> str:
    """How two types differ, in words for an error."""
    if existing.kind != wanted.kind or existing.name != wanted.name:
        return ""
    if existing.layout is None or wanted.layout is None:
        return ""
    return "; ".join(layout.diff(existing.layout, wanted.layout, here="in the topic", there="in yours"))
