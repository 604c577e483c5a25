"""Views: no copy, alive as long as somebody looks, read-only once others may look."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from horus_core.messages.image import Image
from horus_core.messages.tensor import Tensor
from horus_core.shm import pool
from horus_core.topics import Topic


def in_use():
    gc.collect()
    return pool.pool().usage()["in_use"]


def frame(value=7, size=64):
    return np.full((size, size, 3), value, np.uint8)


def sent(topic="cam", value=7):
    image = Image.from_numpy(frame(value))
    handle = Topic(topic, Image)
    assert handle.send(image)
    return image, handle


def lies_in_the_pool(array):
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(end, 16) for end in line.split()[0].split("-"))
        if first <= address < last:
            return ".pool." in line
    return False


# spec: A24, A25, B13, F25
def test_nothing_is_copied_but_once():
    """A written and a received image are views of the pool; from_numpy is a copy, independent of its source."""
    source = frame()
    image = Image.from_numpy(source)
    source[:] = 0
    assert image.pixel(0, 0) == (7, 7, 7)
    assert lies_in_the_pool(image.to_numpy())
    topic = Topic("cam", Image)
    topic.send(image)
    received = topic.recv()
    assert lies_in_the_pool(received.to_numpy())
    assert np.shares_memory(received.to_numpy(), image.to_numpy())
    assert np.shares_memory(received.to_numpy(), np.asarray(received))


# spec: B13
def test_written_in_place():
    """What is written through to_numpy() is what arrives."""
    topic = Topic("cam", Image)
    image = Image(4, 4, "mono8")
    image.to_numpy()[:] = np.arange(16).reshape(4, 4)
    image.frame_id = "left"
    image.timestamp_ns = 12345
    topic.send(image)
    received = topic.recv()
    assert received == image
    assert (received.frame_id, received.timestamp_ns) == ("left", 12345)


@pytest.mark.parametrize(
    "look",
    [
        Image.to_numpy,
        memoryview,
        np.asarray,
        np.from_dlpack,
        lambda i: i.roi(0, 0, 2, 2),
        lambda i: i.to_numpy()[1:],
    ],
)
def test_a_view_outlives_its_message(look):
    """The block stays ours until the last view is gone (LESSONS 6)."""
    topic = sent()[1]
    image = topic.recv()
    assert in_use() == 1
    view = look(image)
    del image
    assert in_use() == 1
    for value in range(40):
        topic.send(Image.from_numpy(frame(value)))
    assert np.asarray(view).flat[0] == 7
    del view
    assert in_use() == 0


# spec: F25
def test_received_images_are_read_only():
    """No way of looking at a received image writes to it; copy() gives a writable one."""
    topic = sent()[1]
    image = topic.recv()
    assert image.readonly
    with pytest.raises(ValueError, match="read-only"):
        image.to_numpy()[0] = 1
    assert memoryview(image).readonly
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(image)[0] = 1
    assert not np.from_dlpack(image).flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        image.roi(0, 0, 2, 2).to_numpy()[0] = 1
    with pytest.raises(BufferError, match="writable"):
        image._fill(frame())
    for name, value in (("frame_id", "x"), ("timestamp_ns", 1)):
        with pytest.raises(AttributeError, match="copy"):
            setattr(image, name, value)
    own = image.copy()
    own.to_numpy()[:] = 9
    own.frame_id = "mine"
    assert image.pixel(0, 0) == (7, 7, 7)


def test_a_sent_image_is_read_only_for_its_sender_too():
    """After send the image is read-only, and so are the arrays that it gave out before."""
    image = Image.from_numpy(frame())
    before, part = image.to_numpy(), image.roi(0, 0, 4, 4)
    before[0] = 3
    assert Topic("cam", Image).send(image)
    assert image.readonly
    assert part.readonly
    for array in (before, image.to_numpy(), part.to_numpy()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_many_writable_arrays_do_not_pile_up():
    """Only living arrays are remembered for the send."""
    image = Image(2, 2)
    for _ in range(1000):
        image.to_numpy()
    kept = [image.to_numpy() for _ in range(30)]
    Topic("cam", Image).send(image)
    assert not any(array.flags.writeable for array in kept)


def test_one_image_on_two_topics_and_again():
    """An image may be sent several times and on several topics: the same block, the same pixels."""
    image, first = sent("one")
    second = Topic("two", Image)
    assert second.send(image)
    assert first.send(image)
    messages = [first.recv(), first.recv(), second.recv()]
    assert len({message.to_numpy().__array_interface__["data"][0] for message in messages}) == 1
    for value in range(40):
        first.send(Image.from_numpy(frame(value)))
    assert all(message == image for message in messages)


def test_a_part_can_be_sent():
    """A region of interest is sent as it is, without a copy."""
    image = Image.from_numpy(np.arange(100, dtype=np.uint8).reshape(10, 10))
    topic = Topic("cam", Image)
    assert topic.send(image.roi(2, 3, 4, 5))
    part = topic.recv()
    assert np.shares_memory(part.to_numpy(), image.to_numpy())
    np.testing.assert_array_equal(part.to_numpy(), image.to_numpy()[3:8, 2:6])


def test_a_received_image_can_be_forwarded():
    """Forwarding sends the same block; while the forwarder holds it, its payload stays."""
    topic = sent()[1]
    other = Topic("forward", Image)
    received = topic.recv()
    assert other.send(received)
    for value in range(40):
        topic.send(Image.from_numpy(frame(value)))
    assert other.recv() == received


def test_the_buffer_has_shape_strides_and_format():
    """The buffer protocol tells what numpy needs, and refuses what it cannot give."""
    image = Image.from_numpy(np.zeros((4, 6, 3), np.float32))
    view = memoryview(image)
    assert (view.format, view.itemsize, view.shape, view.strides) == ("f", 4, (4, 6, 3), (72, 12, 4))
    assert view.c_contiguous
    assert len(bytes(image)) == 288
    part = image.roi(1, 1, 2, 2)
    assert memoryview(part).strides == (72, 12, 4)
    with pytest.raises(BufferError, match="gaps"):
        np.frombuffer(part, np.float32)
    with pytest.raises(BufferError, match="bfloat16"):
        memoryview(Tensor((2,), "bf16"))


def test_a_large_copy_lets_other_threads_run():
    """While 64 MB are copied into the pool another thread gets the interpreter (LESSONS 3)."""
    source = np.zeros((64 << 20,), np.uint8)
    del_first = Tensor.from_numpy(source)  # the block is warm from now on
    del del_first

    def ran_meanwhile():
        started, done = threading.Event(), threading.Event()

        def copy():
            started.set()
            Tensor.from_numpy(source)
            done.set()

        thread = threading.Thread(target=copy)
        thread.start()
        started.wait()
        meanwhile = not done.is_set()
        thread.join()
        return meanwhile

    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is made to give way
    try:
        # On a busy machine this thread may get no core while one copy lasts; without the interpreter it never would.
        assert any(ran_meanwhile() for _ in range(50))
    finally:
        sys.setswitchinterval(interval)
