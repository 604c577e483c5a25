"""Values on dict topics: what MessagePack carries arrives as it was sent, and all else is an EncodeError."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from fuzzing import fuzz
from hypothesis import example
from hypothesis import strategies as st
from values import ANY_VALUES, ARRAYS, PLAIN_VALUES, Box, Odd, endless, nested

import horus
from horus_core.messages import codec

LATER = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


@pytest.fixture(scope="module")
def topic():
    """One handle that sends and receives, in whose ring all examples go round."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HORUS_NAMESPACE", f"fuzzdicts{id(patched)}")
        with horus.Topic("d", dict) as made:
            yield made
        from horus_core.shm import cleaner

        cleaner.clean([f"fuzzdicts{id(patched)}"])


def same(one, other):
    """Whether two plain values are equal, NaN and the types of numbers included."""
    if isinstance(one, dict):
        return isinstance(other, dict) and same(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and one == other


@fuzz(value=PLAIN_VALUES)
@example(value={0.0: float("nan"), "": [2**64 - 1, -(2**63)]})
def test_plain_values_arrive_as_they_were_sent(topic, value):
    """Numbers keep their type and value, dicts their keys and order, texts and bytes every character."""
    assert topic.send(value)
    if value is None:  # not to be told from "nothing there"
        topic.recv()
        return
    assert same(topic.recv(), value)
    assert topic.recv() is None


@fuzz(array=ARRAYS)
@example(array=np.zeros(3, "V0"))
@example(array=np.zeros(3, np.dtype([("a", "i1"), ("b", "i4")], align=True)))
def test_arrays_arrive_as_they_were_sent_or_are_refused(topic, array):
    """Type, shape and bytes of any numpy array; EncodeError for what has no bytes of its own."""
    try:
        topic.send({"a": array})
    except horus.EncodeError:
        assert not codec.apart
        return
    got = topic.recv()["a"]
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    if array.dtype.names is None:
        assert got.tobytes() == array.tobytes()
    else:  # the gaps of a structure are anything
        for name in array.dtype.names:
            assert got[name].tobytes() == array[name].tobytes()
    assert got.flags.writeable
    assert not codec.apart


@fuzz(box=ANY_VALUES, examples=150)
@example(box=Box(nested(5000, 1)))
@example(box=Box(nested(100_000, 1, dict)))
@example(box=Box({10**5000: 1}))
@example(box=Box({("a", 1): LATER}))
@example(box=Box(nested(450, LATER)))
@example(box=Box({"\ud800": 1}))
@example(box=Box({Odd(): 1}))
@example(box=Box({"a": [np.zeros(5000), Odd()]}))
@example(box=Box({"a": np.zeros(5000), "b": nested(600, LATER)}))
@example(box=Box(endless()))
def test_any_value_arrives_or_is_an_encode_error(topic, box):
    """Whatever is sent: it can be received, or EncodeError, or the type's own error; nothing is left put aside."""
    before = topic.pending
    try:
        assert topic.send(box.value)
    except (horus.EncodeError, horus.TopicTypeError) as error:
        str(error).encode()
        assert topic.pending == before
    else:
        topic.recv()
    assert not codec.apart


@fuzz(depth=st.integers(1, 1200), kind=st.sampled_from([list, dict]), leaf=st.sampled_from([1, LATER, 2**64]))
def test_what_can_be_sent_can_be_received(topic, depth, kind, leaf):
    """A value as deep as the interpreter allows: who receives it needs no deeper stack than who sent it."""
    try:
        topic.send(nested(depth, leaf, kind))
    except horus.EncodeError:
        return
    assert topic.recv() is not None
