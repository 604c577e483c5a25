"""Payloads that no publisher of ours writes, on topics of each kind: a message, nothing, or RegionError.

Never another exception, a crash, a hang, or memory outside of the payload; and the handle goes on.
"""

from __future__ import annotations

import contextlib
import gc
import struct

import msgspec
import numpy as np
import pytest
from classes import classes
from fuzzing import fuzz
from hypothesis import example
from hypothesis import strategies as st
from values import PLAIN_VALUES
from wire import INLINE, SPILLED, Slots, path_of

import horus
from horus_core.messages import codec

KINDS = st.sampled_from([INLINE, INLINE, INLINE, SPILLED, 2, 255])
LENGTHS = st.none() | st.sampled_from([0, 1, 7, 8, 39, 40, 41, 136, 2**16, 2**24 - 1])
REFERENCE = struct.Struct("<QIIQQQ")  # writer, chunk, block, generation, length, reserved
INFO = struct.Struct(
    "<5B3xQQQ8I32s"
)  # kind, dtype, dimensions, encoding, device, time, offset, step, shape, frame_id
EDGES = [0, 1, 2, 3, 7, 8, 63, 64, 255, 2**16, 2**31, 2**32 - 1, 2**32, 2**62, 2**63, 2**64 - 1]


class Lane:
    """A topic with its one handle, and the slots behind it."""

    def __init__(self, name, type_):
        self.topic = horus.Topic(name, type_, capacity=4)
        self.slots = None

    def receive(self, message, payload, kind=INLINE, length=None):
        """Send the message, put the payload in its place, and receive that."""
        assert self.topic.send(message)
        if self.slots is None:
            self.slots = Slots(self.topic.name)
        number = self.topic._ring.front - 1
        if callable(payload):
            payload = payload(self.slots.read(number)[1])
        self.slots.write(number, payload, kind, length)
        looks = (self.topic.latest, lambda: self.topic.history(4), self.topic.recv)
        got = None
        for look in looks:
            with contextlib.suppress(horus.RegionError):
                got = look()
        return got

    def close(self):
        self.topic.close()
        if self.slots is not None:
            self.slots.close()
        path_of(self.topic.name).unlink(missing_ok=True)


@pytest.fixture
def lane():
    """Makes lanes; what they made is gone afterwards."""
    made = []

    def make(*arguments):
        made.append(Lane(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@fuzz(made=classes(), data=st.data(), examples=40)
def test_typed_payloads(lane, made, data):
    """Any bytes on a typed topic: a message that can be read as a whole, or an error."""
    road = lane("typed", made.cls)
    try:
        message = data.draw(made.messages())
        for _ in range(3):
            wire = message.to_wire()
            size = data.draw(
                st.sampled_from([0, 8, len(wire), made.cls.__size__, made.cls.__wire_max__, 4000])
            )
            payload = data.draw(st.binary(max_size=64)) + wire[data.draw(st.integers(0, len(wire))) :]
            payload = (payload * (size // max(len(payload), 1) + 1))[:size]
            got = road.receive(message, payload, data.draw(KINDS), data.draw(LENGTHS))
            if got is not None:
                repr(got)
                got.to_dict()
                assert made.cls.from_wire(got.to_wire()) == got
        assert road.topic.send(message)
        assert road.topic.recv() == message
    finally:
        road.close()


def extension(code, name, shape, elements, head=None):
    """What stands for a numpy array in a message."""
    packed = msgspec.msgpack.encode((name, shape))
    return msgspec.msgpack.encode(
        msgspec.msgpack.Ext(
            code, struct.pack("<H", len(packed) if head is None else head) + packed + elements
        )
    )


NAMES = st.sampled_from([
    "f8", "<U3", "S", "V0", "O", "M8[s]", "m8[", "f4,i2", "(3,)f4", "(0,)f8", "a5", "", "\0", "e" * 900,
    "i4," * 300,
    "[('a','f8')]", "[('a','O')]", "[('a',[('b','i1')],(2,))]", "[" * 200, "[" + "-" * 60000, "[1]",
    "[()]", "[('','V4')]",
    "[('a','i1'),('a','i1')]", "[(('t','a'),'i1',(2147483647,))]", 3, None, ["f8"],
]) | st.text(max_size=6)  # fmt: skip
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, -1, 2**31, 2**62, 2**64 - 1]), max_size=40) | st.sampled_from(
    ["", None, {}]
)
MSGPACK = st.one_of(
    st.binary(max_size=200),
    PLAIN_VALUES.map(msgspec.msgpack.encode).flatmap(
        lambda good: st.integers(0,
        len(good)).map(lambda at: good[:at] + bytes([255 - at % 256]) + good[at + 1 :])
    ),
    st.builds(extension, st.sampled_from([codec.ARRAY_CODE, codec.SCALAR_CODE, 1, -1]), NAMES, SHAPES,
              st.binary(max_size=64), st.none() | st.sampled_from([0, 1, 65535])),
    st.builds(lambda head, times, tail: head * times + tail, st.sampled_from([
        b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x91", b"\x81\xa1a",
        b"\xdb\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff",
        b"\x81\x91\x01", b"\xd6\xff\xff\xff\xff\xff", b"\xc7\x0c\xff" + b"\xff" * 12,
    ]), st.integers(1, 60), st.binary(max_size=8)),
)  # fmt: skip


@fuzz(payload=MSGPACK, kind=KINDS, length=LENGTHS, examples=300)
@example(payload=extension(codec.ARRAY_CODE, "[" + "-" * 60000, (), b""), kind=INLINE, length=None)
@example(payload=extension(codec.SCALAR_CODE, "V0", (), b""), kind=INLINE, length=None)
@example(payload=b"\x91" * 200_000, kind=INLINE, length=None)
def test_messagepack_payloads(lane, payload, kind, length):
    """Any bytes on a dict topic, in a slot and, where they are longer, in a block of a pool."""
    road = lane("dict", dict)
    try:
        if len(payload) <= 232:
            road.receive({"a": 1}, payload, kind, length)
        else:  # through the pool: the encoder of this handle hands out the bytes as they are
            road.topic._enter(road.topic._member, lambda value: value, codec.decode, codec.apart)
            road.topic.send(payload)
            with contextlib.suppress(horus.RegionError):
                road.topic.recv()
            road.topic._enter(road.topic._member, codec.encode, codec.decode, codec.apart)
        assert road.topic.send({"b": 2})
        assert road.topic.recv() == {"b": 2}
    finally:
        road.close()


def look_at(message):
    """Everything that can be asked of a received image, cloud or tensor."""
    repr(message)
    assert len(message.tobytes()) == message.nbytes
    message.to_dict()
    assert message.copy() == message
    memoryview(message) if message.dtype != "bfloat16" else None
    if message.dtype != "bfloat16":
        array = message.to_numpy()
        assert array.shape == message.shape
        assert array.tobytes() == message.tobytes()
        np.from_dlpack(message)
    if isinstance(message, horus.Image) and message.width and message.height:
        message.pixel(message.width - 1, message.height - 1)
        message.roi(0, 0, message.width, message.height).tobytes()


SMALL = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 255])
CHANGES = st.dictionaries(
    st.integers(0, 23), SMALL | st.sampled_from(EDGES) | st.integers(0, 200), max_size=4
)
MAKERS = [
    lambda: horus.Image.from_numpy(np.full((8, 10, 3), 7, np.uint8)),
    lambda: horus.DepthImage.from_numpy(np.full((6, 5), 7, np.uint16)),
    lambda: horus.PointCloud.from_numpy(np.ones((9, 3), np.float32)),
    lambda: horus.Tensor.from_numpy(np.arange(24.0).reshape(2, 3, 4)),
]


def changed(wire, changes, frame_id):
    """A descriptor with some of its fields changed, each within the bits that it has."""
    fields = [*REFERENCE.unpack_from(wire), *INFO.unpack_from(wire, REFERENCE.size)]
    widths = [64, 32, 32, 64, 64, 64, 8, 8, 8, 8, 8, 64, 64, 64, *[32] * 8]
    for place, value in changes.items():
        if place < len(widths):
            fields[place] = value & ((1 << widths[place]) - 1)
    if frame_id is not None:
        fields[-1] = frame_id
    return REFERENCE.pack(*fields[:6]) + INFO.pack(*fields[6:])


@fuzz(
    make=st.sampled_from(MAKERS), changes=CHANGES, examples=300,
    frame_id=st.none() | st.binary(min_size=32, max_size=32), kind=KINDS, length=LENGTHS,
)  # fmt: skip
@example(make=MAKERS[0], changes={}, frame_id=None, kind=INLINE, length=None)
def test_descriptors(lane, make, changes, frame_id, kind, length):
    """Any descriptor on a topic of images, clouds or tensors; what is received lies within its block."""
    message = make()
    road = lane("pooled", type(message))
    try:
        got = road.receive(message, lambda wire: changed(wire, changes, frame_id), kind, length)
        if got is not None:
            look_at(got)
        if (changes, frame_id, kind, length) == ({}, None, INLINE, None):
            assert got == message
        del got
        fresh = make()
        assert road.topic.send(fresh)
        assert road.topic.recv() == fresh
    finally:
        road.close()
        gc.collect(0)


@fuzz(payload=st.binary(min_size=40, max_size=40) | st.tuples(*[st.sampled_from(EDGES)] * 6).map(
    lambda fields: REFERENCE.pack(*(value & (2**32 - 1 if place in (1, 2) else 2**64 - 1) for place,
    value in enumerate(fields)))
))  # fmt: skip
def test_references(lane, payload):
    """Any reference to a block on a dict topic: what it refers to, nothing, or an error."""
    road = lane("spilled", dict)
    try:
        road.receive({"a": 1}, payload, SPILLED)
        assert road.topic.send({"b": bytes(5000)})
        assert road.topic.recv() == {"b": bytes(5000)}
    finally:
        road.close()
