"""What the measured calls are made on: one of each kind, in a namespace of its own."""

from __future__ import annotations

import enum
import os

import numpy as np

import horus
from horus_core import _native
from horus_core.messages import codec
from horus_core.shm import namespace, pool, process, region


class Mode(enum.IntEnum):
    OFF = 0
    ON = 1


class Point(horus.Message):
    x: horus.f64 = 0.0
    y: horus.f64 = 0.0


class Fixed(horus.Message):
    at: Point
    number: horus.f64 = 1.5
    count: horus.i32 = 7
    big: horus.u64 = 1 << 60
    flag: horus.bool_ = True
    name: str = horus.text(16)
    mode: Mode = Mode.ON
    samples: object = horus.array(horus.f32, 4)
    points: object = horus.array(Point, 2)
    x: float = horus.alias("at.x")


class Bounded(horus.Message):
    ranges: object = horus.array(horus.f32, 64, bounded=True)
    names: object = horus.array(horus.text(8), 4, bounded=True)
    points: object = horus.array(Point, 4, bounded=True)
    number: horus.f64 = 0.0


class Node(_native.NodeBase):
    def _horus_open_to_send(self, key):
        raise LookupError(key)

    _horus_open_to_receive = _horus_open_to_send


class Stage:
    """Topics of every kind, each received from once, and one message of every kind."""

    def __init__(self) -> None:
        self.namespace = namespace.current()
        self.member = process.member()
        self.pool = pool.pool()
        self.topics = {
            "dicts": horus.Topic("dicts", dict),
            "fixed": horus.Topic("fixed", Fixed),
            "bounded": horus.Topic("bounded", Bounded),
            "pixels": horus.Topic("pixels", horus.Image),
        }
        self.dicts, self.fixed_topic, self.bounded_topic, self.pixels = self.topics.values()
        self.message = Fixed(at=Point(x=1.0), name="camera", samples=[1, 2, 3, 4])
        self.bounded = Bounded(ranges=np.ones(9), names=["a", "b"], points=[Point(x=1.0)])
        self.image = horus.Image.from_numpy(np.zeros((48, 64, 3), np.uint8))
        self.pixel_array = np.ones((48, 64, 3), np.uint8)
        self.small = {"a": 1, "text": "hello", "list": [1.5, None, True]}
        self.large = {"bytes": bytes(100_000), "array": np.zeros(5000)}
        for topic, message in zip(
            self.topics.values(), (self.small, self.message, self.bounded, self.image), strict=True
        ):
            assert topic.recv() is None
            assert topic.send(message)
            assert topic.recv() is not None
        self.ring = self.dicts._ring
        self.index_fd = region.open_existing(namespace.region(self.namespace, process.INDEX))
        self.ring_fd = region.open_existing(namespace.topic_region(self.namespace, "dicts"))
        self.blank_fd = os.memfd_create("blank")
        os.ftruncate(self.blank_fd, 1 << 20)
        self.node = Node()
        self.alarm = _native.Alarm()
        self.flight = _native.Flight(rows=4, ticks=64, events=16)
        flight_fd = os.memfd_create("flight")
        os.ftruncate(flight_fd, _native.flight_size(rows=4, ticks=64, events=16))
        _native.Flight(flight_fd, rows=4, ticks=64, events=16)
        self.reader = _native.FlightReader(flight_fd)
        os.close(flight_fd)
        self.watchdog = _native.Watchdog(self.flight)
        self.codec = (codec.encode, codec.decode, codec.apart)
        self.field = vars(Fixed)["number"]
        self.instances = {
            "Member": self.member, "Ring": self.ring, "TopicBase": self.dicts, "NodeBase": self.node,
            "Flight": self.flight, "FlightReader": self.reader, "Watchdog": self.watchdog, "Lane": _native.Lane(),
            "Run": _native.Run(self.node, int, 10.0), "Alarm": self.alarm, "Pool": self.pool,
            "PooledBase": self.image, "MessageBase": self.message, "LogFile": _native.LogFile(1, 1),
            "FieldDescriptor": self.field, "MessageMeta": Fixed,
        }  # fmt: skip

    def drain(self) -> None:
        """Receive what earlier calls left, and send something that can be looked at."""
        messages = (self.small, self.message, self.bounded, self.image)
        for topic, message in zip(self.topics.values(), messages, strict=True):
            topic.send(message)
            topic.recv_all()

    def watched(self) -> dict[str, object]:
        """Objects whose references are counted: what every call gets, gives or passes by."""
        types = {name: value for name, value in vars(_native).items() if isinstance(value, type)}
        return {
            "None": None, "True": True, "False": False, "()": (), "''": "", "b''": b"", "ndarray": np.ndarray,
            "Fixed": Fixed, "Bounded": Bounded, "Point": Point, "Mode.ON": Mode.ON, "Image": horus.Image,
            "Topic": horus.Topic, "dict": dict, "the module": _native, "small": self.small, "large": self.large,
            "bounded": self.bounded, "pixel_array": self.pixel_array, **types, **self.topics,
            **{f"the {name}": value for name, value in self.instances.items()},
        }  # fmt: skip

    def close(self) -> None:
        self.watchdog.stop()
        for topic in self.topics.values():
            topic.close()
        for fd in (self.index_fd, self.ring_fd, self.blank_fd):
            os.close(fd)
