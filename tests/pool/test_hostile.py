"""Descriptors and chunks that lie: an error, a miss or the right pixels, never a crash or memory out of bounds."""

from __future__ import annotations

import mmap
import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from horus_core.errors import RegionError
from horus_core.messages.image import Image
from horus_core.messages.tensor import Tensor
from horus_core.topics import Topic

MARK = b"hostile-marker"
REF = struct.Struct("<QIIQQQ")  # writer, chunk, block, generation, length, reserved
INFO = struct.Struct(
    "<5B3xQQQ8I32s"
)  # kind, dtype, ndim, encoding, device, stamp, offset, step, shape, frame_id
SIZE = REF.size + INFO.size
KIND, DTYPE, NDIM, ENCODING, DEVICE, STAMP, OFFSET, STEP, SHAPE = range(9)


class Wire:
    """The descriptor of a message just sent, where it lies in the topic's region."""

    def __init__(self, namespace: str, message) -> None:
        message.frame_id = MARK.decode()
        self.sender = Topic("cam", type(message))
        self.receiver = Topic("cam", type(message))
        self.message = message
        (path,) = Path("/dev/shm").glob(f"horus_{namespace}.topic.cam")
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    def send(self) -> int:
        """Sends the message and finds its descriptor."""
        assert self.sender.send(self.message)
        stamp = struct.pack("<32s", MARK)
        places = [i for i in range(0, len(self.memory) - 32, 8) if self.memory[i : i + 32] == stamp]
        newest = max(places, key=self.number_at)
        return newest + 32 - SIZE

    def number_at(self, place: int) -> int:
        return struct.unpack_from("<Q", self.memory, place + 32 - SIZE - 24)[0] >> 16

    def recv(self, at: int, data: bytes):
        self.memory[at : at + SIZE] = data
        return self.receiver.recv()


@pytest.fixture
def wire(namespace):
    made = Wire(namespace, Image.from_numpy(np.full((8, 10, 3), 7, np.uint8)))
    yield made
    made.memory.close()


def lies(info):
    """Descriptors that must be refused: field by field."""
    for field, values in {
        KIND: (0, 2, 3, 4, 255),
        DTYPE: (1, 2, 6, 13, 255),
        NDIM: (0, 1, 2, 4, 9, 255),
        ENCODING: (0, 1, 5, 12, 255),
        DEVICE: (1, 255),
        OFFSET: (1, 1 << 20, 1 << 63, (1 << 64) - 1),
        STEP: (0, 29, 1 << 20, 1 << 63, (1 << 64) - 1),
    }.items():
        for value in values:
            changed = list(info)
            changed[field] = value
            yield changed
    for place, value in ((0, 9), (0, 2**32 - 1), (1, 11), (1, 2**32 - 1), (2, 1), (2, 4)):
        changed = list(info)
        changed[SHAPE + place] = value
        yield changed
    yield [*info[:-1], b"x" * 32]


def test_every_field_that_lies_is_refused(wire):
    """Each field of a descriptor is checked against the block; the message is passed over with RegionError."""
    first = wire.send()
    info = INFO.unpack_from(wire.memory, first + REF.size)
    assert wire.receiver.recv() == wire.message
    for changed in lies(info):
        at = wire.send()
        data = wire.memory[at : at + REF.size] + INFO.pack(*changed)
        with pytest.raises(RegionError):
            wire.recv(at, data)
    at = wire.send()
    assert wire.recv(at, wire.memory[at : at + SIZE]) == wire.message


def test_references_that_lie(wire):
    """A reference to another block, chunk or process is refused or missed."""
    at = wire.send()
    reference = list(REF.unpack_from(wire.memory, at))
    wire.receiver.recv()
    for field, values in {
        0: (0, 511, 512, 99 << 16, (1 << 64) - 1),
        1: (99, 1 << 20, (1 << 32) - 1),
        2: (500, (1 << 32) - 1),
        3: (0, 2, 1 << 63),
        4: (0, 1, 241, 1 << 30, (1 << 64) - 1),
    }.items():
        for value in values:
            changed = [*reference[:field], value, *reference[field + 1 :]]
            at = wire.send()
            try:
                assert wire.recv(at, REF.pack(*changed) + wire.memory[at + REF.size : at + SIZE]) is None
            except RegionError:
                continue
    wire.send()
    assert wire.receiver.recv() == wire.message


def test_random_bytes(namespace):
    """Noise in a descriptor never crashes; what comes out lies within the block."""
    wire = Wire(namespace, Tensor.from_numpy(np.arange(1000, dtype=np.int32)))
    seed = int.from_bytes(os.urandom(4), "big")
    noise = random.Random(seed)
    came = 0
    for _ in range(3000):
        at = wire.send()
        data = bytearray(wire.memory[at : at + SIZE])
        for _ in range(noise.randint(1, 4)):
            data[noise.randrange(SIZE)] = noise.choice([0, 1, 2, 8, 127, 128, 255, noise.randrange(256)])
        try:
            message = wire.recv(at, bytes(data))
        except RegionError:
            continue
        if message is not None:
            came += 1
            message.to_numpy() if message.dtype != "bfloat16" else message.tobytes()
            assert message.nbytes <= 1 << 40, seed
            if message.nbytes < 1 << 16:
                message.copy()
    assert came > 0
    wire.memory.close()
