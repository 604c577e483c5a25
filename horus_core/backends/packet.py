"""What a bridge carries: a message, or a topic's type, with what others need to know of it. MessagePack."""

from __future__ import annotations

import importlib
from typing import Any

import msgspec

from horus_core import _native
from horus_core.errors import HorusError
from horus_core.messages import layout, registry
from horus_core.topics import types

VERSION = 1
_MESSAGES = _native.LAYOUTS[3]
_NODE_MOST = 64
_RING_MOST_BYTES = 64 << 20
_POOLED = {
    "Image": "horus_core.messages.image",
    "DepthImage": "horus_core.messages.depth_image",
    "PointCloud": "horus_core.messages.point_cloud",
    "Tensor": "horus_core.messages.tensor",
}


class Packet(msgspec.Struct, array_like=True, frozen=True):
    """One packet; fields are in this order on the wire."""

    version: int
    messages: int
    """The layout version of messages: bodies of another one cannot be read."""
    sender: bytes
    """16 random bytes of the process."""
    node: str
    number: int
    """Of the sender's packets on this topic; 0 for a type."""
    kind: int
    type: str
    hash: bytes
    body: bytes
    """The message as it lies in a ring or block, or a type's details."""
    age_ms: int = 0
    """For how long the topic has had this type: of two the older one stands."""


class Details(msgspec.Struct):
    """The body of a type: what makes a ring of it."""

    layout: dict[str, Any] | None
    capacity: int
    latched: bool
    node: str
    pid: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Packet)
_details = msgspec.msgpack.Decoder(Details)


def message(sender: bytes, node: str, number: int, kind: types.TopicType, body: bytes) -> bytes:
    """A message, encoded."""
    return _encoder.encode(
        Packet(VERSION, _MESSAGES, sender, node[:_NODE_MOST], number, kind.kind, kind.name, kind.hash, body)
    )


def description(sender: bytes, kind: types.TopicType, details: Details, age_ms: int) -> bytes:
    """A topic's type, encoded."""
    body = _encoder.encode(details)
    return _encoder.encode(
        Packet(VERSION, _MESSAGES, sender, details.node, 0, kind.kind, kind.name, kind.hash, body, age_ms)
    )


def decode(data: bytes | bytearray | memoryview) -> Packet | None:
    """The packet; None for bytes that are none, or one of another version's."""
    try:
        found = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    fits = (
        found.version == VERSION
        and found.messages == _MESSAGES
        and len(found.sender) == 16  # noqa: PLR2004 - as the field says
        and found.number >= 0
        and len(found.node) <= _NODE_MOST
        and "\0" not in found.node
    )
    return found if fits else None


def details_of(packet: Packet) -> Details | None:
    """The details of a type; None where its body holds none."""
    try:
        return _details.decode(packet.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def type_of(packet: Packet, layout_of_it: dict[str, Any] | None = None) -> types.TopicType | None:
    """The topic's type; None where this process neither has the class nor a layout to make one from.

    Nothing of a stranger's is imported because a packet says so.
    """
    if packet.kind == _native.MSGPACK:
        return types.MSGPACK
    try:
        cls = _pooled(packet) or registry.find_same(packet.type, packet.hash)
        if cls is not None:
            return _agreeing(types.of_class(cls), packet)
        if layout_of_it is None or packet.kind != _native.TYPED:
            return None
        made = types.of_class(layout.class_from_layout(layout_of_it))
        return _agreeing(made.but(python=None), packet)  # others import no class that is nowhere
    except HorusError:
        return None


def _pooled(packet: Packet) -> type | None:
    """The core's own class of that name, where the payload lies in a pool."""
    home = _POOLED.get(packet.type) if packet.kind == _native.DESCRIPTOR else None
    return None if home is None else getattr(importlib.import_module(home), packet.type)


def _agreeing(found: types.TopicType, packet: Packet) -> types.TopicType | None:
    same = found.kind == packet.kind and found.name == packet.type and found.hash == packet.hash
    return found if same else None


def capacity_of(details: Details, kind: types.TopicType) -> int | None:
    """How many messages a ring keeps because another process says so; None where that is out of all proportion."""
    fits = details.capacity > 0 and details.capacity * (kind.payload + 64) <= _RING_MOST_BYTES
    return details.capacity if fits else None
