"""What messages hold arrives, whatever it is, and is the receiver's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from horus_core.errors import EncodeError
from horus_core.messages.depth_image import DepthImage
from horus_core.messages.image import Image
from horus_core.messages.point_cloud import PointCloud
from horus_core.messages.tensor import Tensor
from horus_core.testing.conform_base import Conformance
from horus_core.testing.conform_messages import Reading

_PICTURE = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)


class Contents(Conformance):
    """Dicts, typed messages, and payloads of a pool."""

    def test_dicts(self) -> None:
        """Any text, numbers at their limits, bytes, None, nesting."""
        topic = self.open("t", dict)
        sent = {
            "größe": "ünïcödé 機器人 \U0001f916",
            "ints": [0, -(2**63), 2**64 - 1],
            "floats": [0.1, math.inf],
            "raw": bytes(range(256)),
            "none": None,
            "deep": {"a": [{"b": {"c": [True, False]}}]},
        }
        topic.send(sent)
        assert topic.recv() == sent
        assert topic.send({"nan": math.nan})
        assert math.isnan(topic.recv()["nan"])

    def test_arrays_in_dicts(self) -> None:
        """Small and large ones, with dtype and shape, and memory of the receiver's own."""
        out, topic = self.open("t", dict), self.open("t")
        for array in (
            np.arange(6, dtype=np.int16).reshape(2, 3),
            np.random.default_rng(1).random((300, 700)),
        ):
            sent = array.copy()
            out.send({"array": sent})
            sent[:] = 0
            heard = topic.recv()["array"]
            assert heard.dtype == array.dtype
            assert np.array_equal(heard, array)
            heard[:] = 1  # the receiver's to change
            topic.recv()

    def test_large_dicts(self) -> None:
        """Far more than a slot holds."""
        topic = self.open("t", dict)
        sent = {str(number): "x" * 100 for number in range(20_000)}
        topic.send(sent)
        assert topic.recv() == sent

    def test_a_message_is_not_the_senders_object(self) -> None:
        """What its sender changes afterwards does not reach who receives it, nor does one receiver reach another."""
        out, first, second = self.open("t", dict), self.open("t"), self.open("t")
        sent = {"list": [1, 2, 3]}
        out.send(sent)
        sent["list"].append(4)
        heard = first.recv()
        assert heard == {"list": [1, 2, 3]}
        heard["list"].clear()
        assert second.recv() == {"list": [1, 2, 3]}
        typed, readings = self.open("r", Reading), self.open("r")
        reading = Reading(number=1)
        typed.send(reading)
        reading.number = 2
        assert readings.recv().number == 1

    def test_what_cannot_be_encoded(self) -> None:
        """It raises, names the place, and nothing is sent."""
        topic = self.open("t", dict)
        with pytest.raises(EncodeError, match=r"\$\.a\.b"):
            topic.send({"a": {"b": object()}})
        assert topic.recv() is None

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Image.from_numpy(_PICTURE),
            lambda: DepthImage.from_numpy(np.ones((48, 64), np.float32)),
            lambda: PointCloud.from_numpy(np.ones((100, 3), np.float32)),
            lambda: Tensor.from_numpy(np.arange(24, dtype=np.int64).reshape(2, 3, 4)),
        ],
        ids=["Image", "DepthImage", "PointCloud", "Tensor"],
    )
    def test_payloads_of_a_pool(self, make) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - parametrized
        """They arrive whole and read-only, and their sender cannot change them any more."""
        message = make()
        expected = message.to_numpy().copy()
        out, topic = self.open("t", type(message)), self.open("t")
        view = message.to_numpy()
        assert out.send(message)
        with pytest.raises(ValueError, match="read-only"):
            view[:] = 0
        heard = topic.recv()
        assert type(heard) is type(message)
        assert np.array_equal(heard.to_numpy(), expected)
        assert not heard.to_numpy().flags.writeable
        assert np.array_equal(topic.latest().to_numpy(), expected)

    def test_part_of_an_image(self) -> None:
        """A crop is sent as what it shows."""
        topic = self.open("t", Image)
        topic.send(Image.from_numpy(_PICTURE).roi(16, 8, 20, 10))
        assert np.array_equal(topic.recv().to_numpy(), _PICTURE[8:18, 16:36])
