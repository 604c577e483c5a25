"""Array fields: views, counts, conversions, and that nothing is ever cut."""

import array as stdlib_array
import gc
import subprocess
import sys

import numpy as np
import pytest

from horus_core.messages.fields import array, bool_, f32, f64, i8, u8, u16, u64
from horus_core.messages.message import Message


class Scan(Message):
    ranges: object = array(f32, 8, bounded=True)
    bytes_: object = array(u8, 5, bounded=True)
    after: u8 = 7
    matrix: object = array(f64, 9)
    small: object = array(i8, 3)
    flags: object = array(bool_, 2)
    last: u64 = 9


def test_views_share_the_bytes_and_keep_the_message_alive() -> None:
    """Writing to the array changes the message; the array outlives the last name of the message."""
    message = Scan(ranges=[1, 2, 3])
    view = message.ranges
    view[1] = 20.0
    assert message.to_dict()["ranges"] == [1.0, 20.0, 3.0]
    assert view.dtype == np.float32
    assert not view.flags.owndata
    del message
    gc.collect()
    junk = [Scan(ranges=[9] * 8) for _ in range(1000)]
    assert view.tolist() == [1.0, 20.0, 3.0]
    assert len(junk) == 1000


@pytest.mark.parametrize(
    "value",
    [
        [1.0, 2.0, 3.0], (1, 2, 3), range(1, 4), np.array([1.0, 2.0, 3.0]), np.array([1, 2, 3], np.int16),
        np.array([1, 2, 3], ">f4"), np.array([1, 2, 3], np.float16), np.arange(1, 7, dtype=np.float32)[::2] / 2 + 0.5,
        stdlib_array.array("d", [1, 2, 3]), memoryview(np.array([1, 2, 3], np.uint8)),
    ],
)  # fmt: skip
def test_any_sequence_and_any_buffer_of_numbers_can_be_assigned(value: object) -> None:
    """Lists, ranges, arrays of other types, byte orders and strides all give the same elements."""
    if isinstance(value, np.ndarray) and value.strides == (8,) and value.dtype == np.float32:
        value = np.array([1, 0, 2, 0, 3, 0], np.float32)[::2]
    message = Scan(ranges=value)
    assert message.ranges.tolist() == [1.0, 2.0, 3.0]
    assert message.last == 9


def test_assigning_sets_the_count_and_nothing_else() -> None:
    """The used length follows each assignment, empty included, and the neighbours keep their values."""
    message = Scan()
    for count in (8, 0, 5, 1):
        message.ranges = np.arange(count)
        message.bytes_ = bytes(range(min(count, 5)))
        assert message.ranges.shape == (count,)
        assert message.bytes_.shape == (min(count, 5),)
        assert (message.after, message.last) == (7, 9)


@pytest.mark.parametrize("value", [[0.0] * 9, np.zeros(9), np.zeros(9, np.float32), range(9)])
def test_over_long_arrays_raise_and_change_nothing(value: object) -> None:
    """The error names field, capacity and length."""
    message = Scan(ranges=[1, 2])
    with pytest.raises(ValueError, match=r"^Scan\.ranges: expected at most 8 elements, got 9\.$"):
        message.ranges = value
    assert message.ranges.tolist() == [1.0, 2.0]


def test_fixed_arrays_take_exactly_their_length() -> None:
    """One too few is as wrong as one too many; a matrix of the right size is flattened by rows."""
    message = Scan(matrix=np.arange(9.0).reshape(3, 3))
    assert message.matrix.tolist() == list(range(9))
    message.matrix = np.arange(9.0).reshape(3, 3).T
    assert message.matrix.tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]
    for wrong in (range(8), range(10), []):
        with pytest.raises(ValueError, match=r"^Scan\.matrix: expected 9 elements, got "):
            message.matrix = wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("small", [1, 2, 128]), ("small", np.array([1, 2, 128])), ("small", np.array([1, 2, 2**63], np.uint64)),
        ("bytes_", np.array([-1])), ("bytes_", [256]), ("ranges", np.array([1e39])), ("ranges", [1e39]),
        ("flags", np.array([0, 2])),
    ],
)  # fmt: skip
def test_elements_out_of_range_raise_and_change_nothing(name: str, value: object) -> None:
    """A list and an array are held to the same limits, and a failed assignment leaves the old values."""
    message = Scan(small=[1, 2, 3], bytes_=[1], ranges=[1.0], flags=[True, False])
    before = message.copy()
    with pytest.raises(OverflowError, match=rf"^Scan\.{name}: expected "):
        setattr(message, name, value)
    assert message == before


@pytest.mark.parametrize(
    "value", ["123", b"123", None, 3, 1.0, {1: 2}, ["a"], [None], np.array(["a"]), np.array(1.0), object()]
)
def test_what_is_no_sequence_of_numbers_is_a_type_error(value: object) -> None:
    """Text, bytes, scalars and dicts are not arrays."""
    with pytest.raises(TypeError, match=r"^Scan\.ranges: expected "):
        Scan(ranges=value)


def test_floats_do_not_become_integers() -> None:
    """Neither from a list nor from an array."""
    for value in ([1.5, 2.0, 3.0], np.array([1.0, 2.0, 3.0])):
        with pytest.raises(TypeError, match=r"^Scan\.small: expected int, got float"):
            Scan(small=value)


def test_an_element_that_changes_its_list_does_no_harm() -> None:
    """The sequence is copied before any element's own code runs."""
    values: list[object] = []

    class Shrinks:
        def __float__(self) -> float:
            values.clear()
            return 1.0

    values.extend([Shrinks(), 2.0, 3.0])
    assert Scan(ranges=values).ranges.tolist() == [1.0, 2.0, 3.0]


def test_assigning_a_view_of_itself() -> None:
    """Overlapping memory is copied as if it did not overlap."""
    message = Scan(ranges=range(8))
    message.ranges = message.ranges[2:]
    assert message.ranges.tolist() == [2, 3, 4, 5, 6, 7]


def test_behind_the_used_prefix_nothing_leaks_out() -> None:
    """The buffer of a message shows zeros where no element is."""
    message = Scan(ranges=[5.0] * 8)
    message.ranges = [1.0]
    offset = Scan.ranges.offset
    assert bytes(message)[offset : offset + 32] == np.array([1, 0, 0, 0, 0, 0, 0, 0], np.float32).tobytes()


def test_numpy_is_imported_only_when_an_array_is_touched() -> None:
    """Messages with arrays are made, sent and printed without it. Reading the array imports it."""
    script = """
import sys
from horus_core.messages.fields import array, f32
from horus_core.messages.message import Message
class Scan(Message):
    ranges: object = array(f32, 8, bounded=True)
message = Scan(ranges=[1, 2])
assert Scan.from_wire(message.to_wire()) == message
assert message.to_dict() == {"ranges": [1.0, 2.0]} and repr(message) == "Scan(ranges=[1.0, 2.0])"
print("numpy" in sys.modules, "pluggy" in sys.modules, "importlib_metadata" in sys.modules)
message.ranges
print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False", "True"]


def test_uint16_images_survive() -> None:
    """A larger array of a small type, assigned from its own dtype, is a plain copy."""

    class Depth(Message):
        pixels: object = array(u16, 640, bounded=True)

    pixels = np.arange(640, dtype=np.uint16)
    assert np.array_equal(Depth(pixels=pixels).pixels, pixels)
