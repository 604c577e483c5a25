"""DepthImage, PointCloud, Tensor; DLPack and torch."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest

from horus_core import _native
from horus_core.errors import ConfigError
from horus_core.messages.depth_image import DepthImage
from horus_core.messages.image import Image
from horus_core.messages.point_cloud import PointCloud
from horus_core.messages.tensor import Tensor
from horus_core.shm import pool
from horus_core.topics import Topic

NUMPY_DTYPES = [name for name in _native.DTYPES if name != "bfloat16"]


def through_a_topic(message):
    topic = Topic("t", type(message))
    assert topic.send(message)
    return topic.recv()


# spec: A23, F25
def test_depth_in_metres_and_millimetres():
    """Both kinds of depth image give metres, and NaN where nothing was measured."""
    metres = np.array([[0.0, 1.5], [np.nan, np.inf], [2.5, 0.25]], np.float32)
    depth = through_a_topic(DepthImage.from_numpy(metres))
    assert (depth.encoding, depth.dtype, depth.height, depth.width) == ("mono32f", "float32", 3, 2)
    assert depth.depth_at(1, 0) == 1.5
    assert all(math.isnan(depth.depth_at(x, y)) for x, y in ((0, 0), (0, 1), (1, 1)))
    assert depth.statistics() == (0.25, 2.5, pytest.approx(4.25 / 3), 3, 6)
    millimetres = through_a_topic(DepthImage.from_numpy(np.array([[0, 1500], [2000, 65535]], np.uint16)))
    assert millimetres.encoding == "depth16"
    assert (millimetres.depth_at(1, 0), millimetres.depth_at(1, 1)) == (1.5, 65.535)
    assert math.isnan(millimetres.depth_at(0, 0))
    assert millimetres.statistics().minimum == 1.5
    assert millimetres.roi(0, 1, 1, 1).depth_at(0, 0) == 2.0
    with pytest.raises(IndexError):
        depth.depth_at(2, 0)


def test_depth_image_refuses_other_types_and_knows_when_it_is_empty():
    """Only float32 and uint16 are depths; an image without any has NaN statistics."""
    assert DepthImage(4, 5, "uint16").nbytes == 40
    assert DepthImage(4, 5, np.float32).dtype == "float32"
    for dtype in ("float64", "uint8", "depth"):
        with pytest.raises(ConfigError, match="dtype"):
            DepthImage(4, 5, dtype)
    with pytest.raises(ConfigError, match="float64"):
        DepthImage.from_numpy(np.zeros((2, 2)))
    nothing = DepthImage.from_numpy(np.zeros((2, 2, 1), np.float32)).statistics()
    assert (nothing.valid, nothing.total) == (0, 4)
    assert math.isnan(nothing.mean)


# spec: A23
@pytest.mark.parametrize(("fields", "flags"), [(3, "100"), (4, "010"), (6, "001"), (5, "000")])
def test_point_clouds(fields, flags):
    """A cloud knows its points, its fields and what these mean."""
    points = np.random.default_rng(1).random((100, fields)).astype(np.float32)
    cloud = PointCloud.from_numpy(points)
    cloud.frame_id = "lidar"
    received = through_a_topic(cloud)
    assert (received.point_count, received.fields_per_point, received.frame_id) == (100, fields, "lidar")
    assert [received.is_xyz, received.has_intensity, received.has_color] == [flag == "1" for flag in flags]
    np.testing.assert_array_equal(received.to_numpy(), points)
    assert PointCloud(10, fields).shape == (10, fields)


def test_an_empty_cloud_arrives():
    """No points is a valid cloud, and true as all messages are."""
    cloud = through_a_topic(PointCloud(0))
    assert cloud
    assert cloud.point_count == 0
    assert cloud.to_numpy().shape == (0, 3)
    for arguments in ((-1,), (3, 0), (3, 3, "x9")):
        with pytest.raises(ConfigError):
            PointCloud(*arguments)
    with pytest.raises(ConfigError, match="points, fields"):
        PointCloud.from_numpy(np.zeros(3))


# spec: A23
@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (1, 2, 1, 2, 1, 2, 1, 2)])
def test_tensors_of_all_shapes_and_dtypes(dtype, shape):
    """0 to 8 dimensions of every dtype arrive as they were."""
    array = (np.random.default_rng(2).random(shape) * 100).astype(dtype)
    received = through_a_topic(Tensor.from_numpy(array))
    assert (received.shape, received.dtype, received.nbytes) == (shape, dtype, array.nbytes)
    result = received.to_numpy()
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)
    np.testing.assert_array_equal(np.asarray(memoryview(received)), array)


# spec: F24
def test_default_topics():
    """A pool-backed class names a topic by its lower-case name."""
    names = {Image: "image", DepthImage: "depthimage", PointCloud: "pointcloud", Tensor: "tensor"}
    assert {cls: Topic(cls).name for cls in names} == names


def test_tensor_constructors():
    """Shapes are numbers or sequences; dtypes have long and short names, numpy's and Python's."""
    assert Tensor(5).shape == (5,)
    assert Tensor([2, np.int64(3)]).shape == (2, 3)
    names = {"f16": "float16", "bf16": "bfloat16", "i8": "int8", "u64": "uint64", "bool": "bool"}
    for short, name in names.items():
        assert Tensor(1, short).dtype == name
    assert Tensor(1, np.dtype("int32")).dtype == "int32"
    assert [Tensor(1, dtype).dtype for dtype in (float, int, bool, np.uint8, np.bool_)] == [
        "float64",
        "int64",
        "bool",
        "uint8",
        "bool",
    ]
    zeros = Tensor((3, 4), "i16")
    zeros.to_numpy()[:] = 1
    del zeros
    assert not Tensor.zeros((3, 4), "i16").to_numpy().any()
    for wrong in ("f8", "float", "complex64", object):
        with pytest.raises(ConfigError, match="Bad dtype"):
            Tensor(1, wrong)
    for shape in ((-1,), (1,) * 9, (2**32,), (2**31, 2**31)):
        with pytest.raises(ValueError, match="Bad shape"):
            Tensor(shape)


def test_dlpack_with_numpy():
    """numpy.from_dlpack shares the memory, of views with gaps too, and knows what is read-only."""
    image = Image.from_numpy(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    array = np.from_dlpack(image)
    assert np.shares_memory(array, image.to_numpy())
    assert array.flags.writeable
    np.testing.assert_array_equal(np.from_dlpack(image.roi(1, 2, 3, 4)), image.to_numpy()[2:6, 1:4])
    assert image.__dlpack_device__() == (1, 0)
    received = through_a_topic(image)
    assert not np.from_dlpack(received).flags.writeable
    assert not np.shares_memory(np.from_dlpack(received, copy=True), received.to_numpy())
    with pytest.raises(BufferError, match="read-only"):
        received.__dlpack__()
    with pytest.raises(BufferError, match="host"):
        image.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match="colour"):
        image.__dlpack__(colour=1)
    with pytest.raises(TypeError, match="keyword"):
        image.__dlpack__(None)


def test_dlpack_capsules_let_go():
    """A capsule keeps its block until it, or the array made of it, is gone."""
    gc.collect()
    before = pool.pool().usage()["in_use"]
    capsules = [Image(4, 4).__dlpack__(), Image(4, 4).__dlpack__(max_version=(1, 0))]
    array = np.from_dlpack(Image(4, 4))
    assert pool.pool().usage()["in_use"] == before + 3
    del capsules, array
    assert pool.pool().usage()["in_use"] == before


def test_from_dlpack():
    """Anything that exports DLPack from the host's memory becomes a tensor."""
    array = np.arange(6.0).reshape(2, 3)
    assert Tensor.from_dlpack(array) == Tensor.from_numpy(array)
    assert Tensor.from_dlpack(Image.from_numpy(array.astype(np.uint8))).dtype == "uint8"


def test_array_protocol():
    """numpy.array and asarray give copies and views as asked."""
    tensor = Tensor.from_numpy(np.arange(3, dtype=np.int32))
    assert np.shares_memory(np.asarray(tensor), tensor.to_numpy())
    assert not np.shares_memory(np.array(tensor), tensor.to_numpy())
    assert tensor.__array__(np.float64).dtype == np.float64
    assert not np.shares_memory(tensor.__array__(copy=True), tensor.to_numpy())
    with pytest.raises(ValueError, match="copy"):
        tensor.__array__(np.float64, copy=False)


def test_bfloat16_has_no_numpy_of_its_own():
    """bfloat16 travels; numpy gets it only with ml_dtypes, and the error says what to do."""
    tensor = Tensor(4, "bf16")
    np.frombuffer(tensor, np.uint16)[:] = [0x3F80, 0x4000, 0xC000, 0]
    received = through_a_topic(tensor)
    assert received.tobytes() == np.array([0x3F80, 0x4000, 0xC000, 0], np.uint16).tobytes()
    try:
        import ml_dtypes
    except ImportError:
        with pytest.raises(TypeError, match="to_torch"):
            received.to_numpy()
    else:
        assert list(received.to_numpy().astype(np.float32)) == [1, 2, -2, 0]
        assert Tensor.from_numpy(np.ones(3, ml_dtypes.bfloat16)).dtype == "bfloat16"
