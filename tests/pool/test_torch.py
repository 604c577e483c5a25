"""torch: conversion without copies, with the real library where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from horus_core.messages.image import Image
from horus_core.messages.tensor import Tensor
from horus_core.shm import pool
from horus_core.topics import Topic

torch = pytest.importorskip("torch")

DTYPES = ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_go_to_torch_and_back(dtype):
    """Every dtype that both have, bfloat16 included, keeps its values on the way."""
    values = torch.tensor([[0, 1, 2], [3, 1, 0]]).to(getattr(torch, dtype))
    topic = Topic("t", Tensor)
    assert topic.send(Tensor.from_torch(values))
    received = topic.recv()
    assert received.dtype == dtype
    assert received.to_torch().dtype == values.dtype
    assert torch.equal(received.to_torch(), values)


def test_torch_shares_the_memory():
    """A torch tensor is a view of the block and keeps it; writing to an unsent one is writing the message."""
    image = Image(4, 6, "rgb8")
    tensor = image.to_torch()
    assert tuple(tensor.shape) == (4, 6, 3)
    tensor.fill_(9)
    assert image.pixel(5, 3) == (9, 9, 9)
    assert tensor.data_ptr() == image.to_numpy().__array_interface__["data"][0]
    before = pool.pool().usage()["in_use"]
    del image
    assert pool.pool().usage()["in_use"] == before
    del tensor
    assert pool.pool().usage()["in_use"] == before - 1


def test_torch_from_dlpack_protocol():
    """torch.from_dlpack takes an unsent message as it is."""
    source = Tensor.from_numpy(np.arange(4.0))
    assert torch.equal(torch.from_dlpack(source), torch.arange(4.0, dtype=torch.float64))


def test_from_torch_of_any_layout():
    """Transposed, sliced and gradient-carrying tensors are copied as what they show."""
    base = torch.arange(24.0, requires_grad=True).reshape(2, 3, 4)
    for view in (base.permute(2, 0, 1), base[:, ::2], base.T if base.ndim == 2 else base.transpose(0, 2)):
        assert torch.equal(Tensor.from_torch(view).to_torch(), view.detach())
    pixels = torch.arange(24, dtype=torch.uint8).reshape(3, 2, 4)  # channels first, as torchvision has it
    image = Image.from_torch(pixels.permute(1, 2, 0))
    assert (image.encoding, image.height, image.width) == ("rgb8", 2, 4)
    assert torch.equal(image.to_torch(), pixels.permute(1, 2, 0))
    assert Tensor.from_dlpack(pixels).dtype == "uint8"
