"""Messages of every kind, and whether two are the same to the last bit."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import strategies as st
from standard_values import messages
from values import ARRAYS, PLAIN_VALUES

import horus
from horus_plugins.messages.plugin import TABLES

STANDARD = tuple(cls for table in TABLES for cls in table.TYPES)
ENCODINGS = {
    "mono8": ("u1", 1), "mono16": ("u2", 1), "rgb8": ("u1", 3), "bgr8": ("u1", 3), "rgba8": ("u1", 4),
    "bgra8": ("u1", 4), "yuv422": ("u1", 2), "mono32f": ("f4", 1), "rgb32f": ("f4", 3), "bayer_rggb8": ("u1", 1),
    "depth16": ("u2", 1),
}  # fmt: skip
TENSORS = ("float16", "float32", "float64", "int8", "int64", "uint8", "uint64", "bool")


def _filled(shape, dtype, seed):
    raw = np.random.default_rng(seed).bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize)
    array = np.frombuffer(raw, dtype) if dtype != "bool" else np.frombuffer(raw, "u1") & 1 > 0
    return array.reshape(shape)


def images():
    """An image of each encoding; of floats every pattern of bits, NaNs with payloads included."""
    for seed, (encoding, (dtype, channels)) in enumerate(ENCODINGS.items()):
        shape = (3, 4) if channels == 1 else (3, 4, channels)
        yield horus.Image.from_numpy(_filled(shape, dtype, seed), encoding)


def payloads():
    """Every pool-backed type, empty ones and bfloat16 among them."""
    yield from images()
    yield horus.DepthImage.from_numpy(_filled((3, 5), "f4", 1))
    yield horus.DepthImage.from_numpy(_filled((3, 5), "u2", 2))
    yield horus.PointCloud.from_numpy(_filled((7, 4), "f4", 3))
    yield horus.PointCloud(0)
    for seed, dtype in enumerate(TENSORS):
        yield horus.Tensor.from_numpy(_filled((2, 1, 3), dtype, seed))
    yield horus.Tensor.zeros((2, 3), "bfloat16")
    yield horus.Tensor.zeros((0, 2))
    named = horus.Image.from_numpy(_filled((2, 2, 3), "u1", 9))
    named.frame_id, named.timestamp_ns = "cam\x1b[31m\u202eé", 2**64 - 1
    yield named
    yield named.roi(1, 0, 1, 2)


def standard(cls):
    """Messages of a standard class."""
    return messages(cls)


def nans():
    """NaNs of any sign and payload."""
    return (
        st.integers(1, 2**52 - 1)
        .flatmap(lambda bits: st.sampled_from([0x7FF0 << 48 | bits, 0xFFF0 << 48 | bits]))
        .map(lambda bits: struct.unpack(">d", struct.pack(">Q", bits))[0])
    )


def dicts():
    """Values of dict topics: what MessagePack carries, arrays, NaNs, keys that look like ours."""
    leaves = PLAIN_VALUES | ARRAYS | nans() | st.sampled_from([-0.0, 2**64 - 1, -(2**63), 2**53 + 1])
    keys = st.sampled_from(
        ["$type", "$float", "$", "$$", "a", "", "$value", "$message", 1, b"k", None, (1, (2,))]
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


def same(one, other):
    """Whether two values are the same: types, order of keys, bits of floats, dtypes, shapes and bytes of arrays."""
    if isinstance(one, dict):
        return type(other) is dict and same(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)):
        return isinstance(other, (list, tuple)) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (np.ndarray, np.generic)):
        return (
            type(one) is type(other)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and _bytes(one, other)
        )
    if type(one) is float:
        return type(other) is float and struct.pack(">d", one) == struct.pack(">d", other)
    return type(one) is type(other) and one == other


def _bytes(one, other):
    if one.dtype.names is None:
        return one.tobytes() == other.tobytes()
    return all(_bytes(one[name], other[name]) for name in one.dtype.names)  # the gaps are anything
