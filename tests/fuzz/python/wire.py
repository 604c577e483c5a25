"""What other processes could write: payloads and descriptions of a topic, at the places of docs/protocol.md."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from horus_core import _native
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region

SHM = Path("/dev/shm")
HEADER, META_LENGTH, ROWS_END = 64, 72, 62016
CAPACITY_AND_PAYLOAD = struct.Struct("<II")
SLOT = struct.Struct("<QqII")  # word, time, length and kind, voids
INLINE, SPILLED = 0, 1


def path_of(topic):
    """The file of a topic in the current namespace."""
    return SHM / namespaces.topic_region(namespaces.current(), topic)


def make_region(topic, description, type_hash, kind=_native.TYPED, capacity=4, payload=64):
    """A topic's region with any description, as another process could have made it."""
    member = process.member()
    name = namespaces.topic_region(member.namespace, topic)

    def fill(fd):
        _native.ring_format(fd, kind, capacity, payload, type_hash, description, False)

    with namespaces.locked(member.namespace):
        os.close(region.create(name, _native.ring_size(capacity, payload, len(description)), fill))
    member.bump()


class Slots:
    """The slots of a topic's ring, to write other payloads into."""

    def __init__(self, topic):
        with path_of(topic).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.capacity, self.payload = CAPACITY_AND_PAYLOAD.unpack_from(self.memory, HEADER)
        (described,) = struct.unpack_from("<Q", self.memory, META_LENGTH)
        self.first = -(-(ROWS_END + described) // 64) * 64
        self.stride = -(-(SLOT.size + -(-self.payload // 8) * 8) // 64) * 64

    def place(self, number):
        return self.first + number % self.capacity * self.stride

    def read(self, number):
        """(kind, payload) of a message that was sent."""
        _, _, said, _ = SLOT.unpack_from(self.memory, self.place(number))
        start = self.place(number) + SLOT.size
        return said >> 24, self.memory[start : start + (said & 0xFFFFFF)]

    def write(self, number, payload, kind=INLINE, length=None):
        """Put another payload into the place of a message that was sent and not received yet."""
        start = self.place(number)
        payload = payload[: self.payload]
        word, sent_ns, _, voids = SLOT.unpack_from(self.memory, start)
        said = (len(payload) if length is None else length) & 0xFFFFFF | kind << 24
        SLOT.pack_into(self.memory, start, word, sent_ns, said, voids)
        self.memory[start + SLOT.size : start + SLOT.size + len(payload)] = payload

    def close(self):
        self.memory.close()
