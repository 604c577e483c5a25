"""Messages of every kind that say who sent them, under which number, when, and carry a checksum of it all."""

from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray  # noqa: TC002 - messages' annotations are looked at

import horus

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = struct.Struct("<IIQI")  # publisher, number, time in ns, checksum
_NOISE = np.random.default_rng(7).integers(0, 256, 2**20 + 4096, dtype=np.uint8)
_BODY = 64


class Stamp(NamedTuple):
    """Who sent a message: each life of a process is a publisher of its own, which counts from 1 on each topic."""

    publisher: int
    number: int
    sent_ns: int


class DamagedError(Exception):
    """A message arrived that is not what was sent."""


class SoakSmall(horus.Message):
    """Fits a slot of two cache lines."""

    publisher: horus.u32 = 0
    number: horus.u32 = 0
    sent_ns: horus.u64 = 0
    crc: horus.u32 = 0
    body: NDArray[np.uint8] = horus.array(horus.u8, 48)


class SoakWide(horus.Message):
    """Fills a slot of a kilobyte."""

    publisher: horus.u32 = 0
    number: horus.u32 = 0
    sent_ns: horus.u64 = 0
    crc: horus.u32 = 0
    body: NDArray[np.float64] = horus.array(horus.f64, 128)


class SoakVaried(horus.Message):
    """Travels at its used length, which changes from message to message."""

    publisher: horus.u32 = 0
    number: horus.u32 = 0
    sent_ns: horus.u64 = 0
    crc: horus.u32 = 0
    body: NDArray[np.uint16] = horus.array(horus.u16, 500, bounded=True)


class SoakBig(horus.Message):
    """Too long for a slot most of the time: those go through the pool."""

    publisher: horus.u32 = 0
    number: horus.u32 = 0
    sent_ns: horus.u64 = 0
    crc: horus.u32 = 0
    body: NDArray[np.uint8] = horus.array(horus.u8, 20000, bounded=True)


def _crc(publisher: int, number: int, sent_ns: int, body: Any) -> int:
    return zlib.crc32(body, zlib.crc32(_HEAD.pack(publisher, number, sent_ns, 0)))


def _noise(number: int, size: int) -> NDArray[np.uint8]:
    start = number * 61 % 4096 & ~7
    return _NOISE[start : start + size]


def _typed(cls: Any, dtype: str, size: Callable[[int], int]) -> tuple[Any, Any, Any]:
    def make(publisher: int, number: int, sent_ns: int) -> Any:
        body = _noise(number, size(number)).view(dtype)
        if dtype == "f8":
            body = body.view("u8").astype("f8")  # random bits may be a NaN, which is not equal to itself
        return cls(
            publisher=publisher, number=number, sent_ns=sent_ns,
            crc=_crc(publisher, number, sent_ns, body.tobytes()), body=body,
        )  # fmt: skip

    def read(message: Any) -> Stamp:
        head = message.publisher, message.number, message.sent_ns
        if message.crc != _crc(*head, np.ascontiguousarray(message.body).tobytes()):
            raise DamagedError(f"{cls.__name__} {head}")
        return Stamp(*head)

    return cls, make, read


def _dict(pack: Callable[[int], Any], flat: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    def make(publisher: int, number: int, sent_ns: int) -> Any:
        body = pack(number)
        crc = _crc(publisher, number, sent_ns, flat(body))
        return {"publisher": publisher, "number": number, "sent_ns": sent_ns, "crc": crc, "body": body}

    def read(message: Any) -> Stamp:
        head = message["publisher"], message["number"], message["sent_ns"]
        if message["crc"] != _crc(*head, flat(message["body"])):
            raise DamagedError(f"dict {head}")
        return Stamp(*head)

    return dict, make, read


def _nested(number: int) -> Any:
    return [{"name": f"joint{i}", "angle": number / 7 + i, "ok": bool(i & 1), "next": None} for i in range(4)]


def _arrays(count: Callable[[int], int]) -> tuple[Any, Any, Any]:
    return _dict(lambda n: _noise(n, 8 * count(n)).copy().view("u8"), lambda body: body.tobytes())


def _pooled(cls: Any, build: Callable[[NDArray[np.uint8]], Any], size: int) -> tuple[Any, Any, Any]:
    """The head stands in the first bytes of the payload itself."""

    def make(publisher: int, number: int, sent_ns: int) -> Any:
        raw = _noise(number, size).copy()
        crc = _crc(publisher, number, sent_ns, raw[_HEAD.size :])
        raw[: _HEAD.size] = np.frombuffer(_HEAD.pack(publisher, number, sent_ns, crc), np.uint8)
        return build(raw)

    def read(message: Any) -> Stamp:
        raw = message.to_numpy().view(np.uint8).reshape(-1)
        publisher, number, sent_ns, crc = _HEAD.unpack(raw[: _HEAD.size].tobytes())
        if crc != _crc(publisher, number, sent_ns, raw[_HEAD.size :]):
            raise DamagedError(f"{cls.__name__} {publisher, number, sent_ns}")
        return Stamp(publisher, number, sent_ns)

    return cls, make, read


def _image(height: int, width: int) -> tuple[Any, Any, Any]:
    return _pooled(
        horus.Image,
        lambda raw: horus.Image.from_numpy(raw.reshape(height, width, 3)),
        height * width * 3,
    )


KINDS: dict[str, tuple[Any, Callable[[int, int, int], Any], Callable[[Any], Stamp]]] = {
    "small": _typed(SoakSmall, "u1", lambda _: 48),
    "wide": _typed(SoakWide, "f8", lambda _: 1024),
    "varied": _typed(SoakVaried, "u2", lambda n: 2 * (n * 7 % 501)),
    "big": _typed(SoakBig, "u1", lambda n: n * 701 % 20001),
    "dict": _dict(lambda n: _noise(n, _BODY).tobytes(), lambda body: body),
    "nested": _dict(_nested, lambda body: repr(body).encode()),
    "arrays": _arrays(lambda n: 512 + n * 37 % 2048),
    "growing": _arrays(lambda n: 512 + n * 8 % 2048),
    "image": _image(240, 320),
    "picture": _image(480, 640),
    "depth": _pooled(
        horus.DepthImage,
        lambda raw: horus.DepthImage.from_numpy(raw.view("u2").reshape(120, 160)),
        120 * 160 * 2,
    ),
    "cloud": _pooled(
        horus.PointCloud, lambda raw: horus.PointCloud.from_numpy(raw.view("u4").reshape(-1, 4)), 4096 * 16
    ),
    "tensor": _pooled(horus.Tensor, lambda raw: horus.Tensor.from_numpy(raw.reshape(8, 16, 32)), 4096),
}
"""Of each kind: the topic's type, make(publisher, number, sent_ns), and read(message), which raises DamagedError."""


def make(kind: str, publisher: int, number: int) -> Any:
    """A message that is sent now."""
    return KINDS[kind][1](publisher, number, time.monotonic_ns())
