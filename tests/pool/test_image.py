"""Image: constructors, encodings, what may go wrong."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from horus_core.errors import ConfigError, HorusError
from horus_core.messages.image import Image

RNG = np.random.default_rng(7)

ENCODINGS = {
    "mono8": ((4, 6), np.uint8, 1),
    "mono16": ((4, 6), np.uint16, 2),
    "rgb8": ((4, 6, 3), np.uint8, 3),
    "bgr8": ((4, 6, 3), np.uint8, 3),
    "rgba8": ((4, 6, 4), np.uint8, 4),
    "bgra8": ((4, 6, 4), np.uint8, 4),
    "yuv422": ((4, 6, 2), np.uint8, 2),
    "mono32f": ((4, 6), np.float32, 4),
    "rgb32f": ((4, 6, 3), np.float32, 12),
    "bayer_rggb8": ((4, 6), np.uint8, 1),
    "depth16": ((4, 6), np.uint16, 2),
}


def random_array(shape, dtype):
    return (RNG.random(shape) * 200).astype(dtype)


# spec: A23, B13
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_round_trips(encoding):
    """Each encoding has its shape, dtype, bytes a pixel and row step, and keeps its pixels."""
    shape, dtype, bytes_a_pixel = ENCODINGS[encoding]
    pixels = random_array(shape, dtype)
    image = Image.from_numpy(pixels, encoding)
    assert (image.height, image.width, image.channels) == (4, 6, shape[2] if len(shape) == 3 else 1)
    assert (image.encoding, image.dtype) == (encoding, np.dtype(dtype).name)
    assert image.step == 6 * bytes_a_pixel
    assert image.nbytes == 24 * bytes_a_pixel == len(image.tobytes())
    np.testing.assert_array_equal(image.to_numpy(), pixels)
    assert Image(4, 6, encoding).shape == shape


@pytest.mark.parametrize(
    ("shape", "dtype", "encoding"),
    [
        ((4, 6), "uint8", "mono8"),
        ((4, 6, 1), "uint8", "mono8"),
        ((4, 6), "uint16", "mono16"),
        ((4, 6), "float32", "mono32f"),
        ((4, 6, 3), "uint8", "rgb8"),
        ((4, 6, 3), "float32", "rgb32f"),
        ((4, 6, 4), "uint8", "rgba8"),
    ],
)
# spec: A24
def test_encoding_follows_from_the_array(shape, dtype, encoding):
    """from_numpy infers the encoding of the usual arrays."""
    assert Image.from_numpy(random_array(shape, dtype)).encoding == encoding


@pytest.mark.parametrize(
    ("shape", "dtype", "encoding", "words"),
    [
        ((4, 6, 2), "uint8", None, "got 2 of uint8"),
        ((4, 6), "float64", None, "astype"),
        ((4, 6, 3), "uint8", "mono8", "expected 1 channels"),
        ((4, 6), "uint8", "mono16", "expected 1 channels of uint16"),
        ((4, 6, 3), "uint8", "rgb9", "Did you mean 'rgb8'?"),
        ((4,), "uint8", None, "expected shape"),
        ((0, 6), "uint8", None, "at least 1 x 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(shape, dtype, encoding, words):
    """A wrong shape, dtype or encoding raises ConfigError, which says what was expected and got."""
    with pytest.raises(ConfigError, match=words.replace("(", r"\(").replace("?", r"\?")):
        Image.from_numpy(random_array(shape, dtype), encoding)


def test_a_list_is_never_walked():
    """Nested lists raise TypeError instead of being converted number by number (LESSONS 2)."""
    with pytest.raises(TypeError, match="slow"):
        Image.from_numpy([[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a[:, ::-1],
        lambda a: a[::2],
        np.asfortranarray,
        lambda a: a.transpose(1, 0, 2),
        lambda a: a[:, :, ::-1],
    ],
)
def test_arrays_of_any_layout_are_copied_right(make):
    """Views with gaps, reversed or in Fortran order arrive as what they show."""
    array = make(random_array((8, 6, 3), "uint8"))
    np.testing.assert_array_equal(Image.from_numpy(array).to_numpy(), array)


def test_foreign_byte_order_is_converted():
    """A big-endian array is a mono16 image with the same values."""
    array = random_array((4, 6), "uint16").astype(">u2")
    np.testing.assert_array_equal(Image.from_numpy(array).to_numpy(), array)


def test_from_bytes_checks_the_length():
    """from_bytes takes exactly height x width pixels."""
    image = Image.from_bytes(bytes(range(18)), 2, 3, "rgb8")
    assert image.pixel(2, 1) == (15, 16, 17)
    assert Image.from_bytes(memoryview(bytearray(6)), 2, 3, "mono8").pixel(0, 0) == 0
    with pytest.raises(ConfigError, match="expected 18 bytes for 2 x 3 rgb8, got 17"):
        Image.from_bytes(bytes(17), 2, 3, "rgb8")


def test_pixel_is_column_then_row_and_checked():
    """pixel(x, y) gives a number or a tuple; outside of the image it raises IndexError."""
    array = random_array((4, 6), "float32")
    assert Image.from_numpy(array).pixel(5, 3) == array[3, 5]
    image = Image.from_numpy(random_array((4, 6, 3), "uint8"))
    assert image.pixel(1, 2) == tuple(image.to_numpy()[2, 1])
    for x, y in ((6, 0), (0, 4), (-1, 0)):
        with pytest.raises(IndexError, match="6 x 4"):
            image.pixel(x, y)


def test_roi_is_a_view():
    """A region of interest shows the same memory, and its copy is an image without gaps."""
    image = Image.from_numpy(random_array((8, 10, 3), "uint8"))
    part = image.roi(2, 3, 4, 5)
    assert (part.width, part.height, part.step, part.nbytes) == (4, 5, 30, 60)
    np.testing.assert_array_equal(part.to_numpy(), image.to_numpy()[3:8, 2:6])
    image.to_numpy()[3, 2] = 99
    assert part.pixel(0, 0) == (99, 99, 99)
    inner = part.roi(1, 1, 2, 2)
    np.testing.assert_array_equal(inner.to_numpy(), image.to_numpy()[4:6, 3:5])
    assert inner.copy().step == 6
    assert inner.tobytes() == inner.to_numpy().tobytes() == inner.copy().tobytes()
    with pytest.raises(ConfigError, match="10 x 8"):
        image.roi(8, 0, 3, 1)


def test_frame_id_holds_31_bytes_and_no_more():
    """frame_id and timestamp_ns are kept; what is too long raises and changes nothing."""
    image = Image(2, 2)
    image.frame_id = "ü" * 15 + "x"
    assert image.frame_id == "ü" * 15 + "x"
    with pytest.raises(ConfigError, match="at most 31 bytes"):
        image.frame_id = "a" * 32
    assert image.frame_id == "ü" * 15 + "x"
    image.timestamp_ns = 2**63 + 5
    assert image.timestamp_ns == 2**63 + 5
    for wrong in (-1, 2**64, 1.5):
        with pytest.raises((OverflowError, TypeError)):
            image.timestamp_ns = wrong


def test_bad_sizes():
    """Sizes below one, too large or of another type raise."""
    for size in ((0, 5), (5, 0), (-1, 5)):
        with pytest.raises(ConfigError, match="at least 1 x 1"):
            Image(*size)
    with pytest.raises(ValueError, match="at most 1 TiB"):
        Image(2**31, 2**31)
    with pytest.raises(TypeError):
        Image(2.5, 3)


def test_an_object_without_its_init_is_harmless():
    """An instance made by __new__ alone raises RuntimeError in every use."""
    empty = Image.__new__(Image)
    for use in (
        memoryview,
        Image.to_numpy,
        Image.copy,
        lambda i: i.shape,
        Image.__dlpack__,
        lambda i: i.nbytes,
    ):
        with pytest.raises(RuntimeError, match="__init__"):
            use(empty)
    image = Image(2, 2)
    with pytest.raises(RuntimeError, match="has its memory already"):
        image.__init__(3, 3)


# spec: F5, F25
def test_value_semantics():
    """Images are true, compare by value, print what they are, and pickle."""
    array = random_array((4, 6, 3), "uint8")
    image, other = Image.from_numpy(array), Image.from_numpy(array)
    image.frame_id = other.frame_id = "cam"
    assert image
    assert image == other
    assert pickle.loads(pickle.dumps(image)) == image
    assert pickle.loads(pickle.dumps(image.roi(1, 1, 2, 2))) == image.roi(1, 1, 2, 2)
    assert repr(image) == "Image(height=4, width=6, encoding='rgb8', frame_id='cam')"
    other.to_numpy()[0, 0, 0] ^= 1
    assert image != other
    assert image != "image"


def test_save_writes_the_colours_or_says_what_is_missing(tmp_path, monkeypatch):
    """save() writes what the encoding means; without Pillow and OpenCV it says what to install."""
    array = np.zeros((8, 8, 3), np.uint8)
    array[:, :, 2] = 250
    cv2 = pytest.importorskip("cv2")
    for encoding, blue_first in (("rgb8", False), ("bgr8", True)):
        path = tmp_path / f"{encoding}.png"
        Image.from_numpy(array, encoding).save(path)
        assert list(cv2.imread(str(path))[0, 0]) == ([0, 0, 250] if blue_first else [250, 0, 0])
    with pytest.raises(FileNotFoundError):
        Image.from_numpy(array).save(tmp_path / "none" / "x.png")
    for name, pixels in (("x.xyz", array), ("x", array), ("x.jpg", np.zeros((8, 8, 4), np.uint8))):
        with pytest.raises(
            HorusError, match=r"expected a suffix that Pillow writes such images with, as \.png"
        ):
            Image.from_numpy(pixels).save(tmp_path / name)
    monkeypatch.setattr("horus_core.messages.picture._import", lambda _: None)
    with pytest.raises(HorusError, match="pip install pillow"):
        Image.from_numpy(array).save(tmp_path / "x.png")
