"""iceoryx2: frames as slices of bytes, loaned and written in place, or copied into a loan."""

from __future__ import annotations

import ctypes
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import frames
import iceoryx2 as iox
import iceoryx_node
import numpy as np
import protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODE = iceoryx_node.make()
PORTS: dict[str, Any] = {}


def attach(name: str, fd: int) -> None:
    PORTS["turns"] = frames.Turns(fd)
    builder = NODE.service_builder(iox.ServiceName.new(name)).publish_subscribe(iox.Slice[ctypes.c_uint8])
    service = builder.subscriber_max_buffer_size(4).open_or_create()
    PORTS["service"] = service
    PORTS["subscriber"] = service.subscriber_builder().create()


def publisher() -> Any:
    if "publisher" not in PORTS:
        largest = int(np.prod(frames.SHAPES["1080p"]))
        PORTS["publisher"] = PORTS["service"].publisher_builder().initial_max_slice_len(largest).create()
    return PORTS["publisher"]


def array_of(sample: Any, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(sample.payload().as_memory_view(), np.uint8).reshape(shape)


def publish_in_place(shape: str, count: int, fill: bool) -> dict[str, Any]:
    size = int(np.prod(frames.SHAPES[shape]))
    loan, turns = publisher().loan_slice_uninit, PORTS["turns"]
    sent: list[int] = []
    for number in range(count):
        sample = loan(size)
        frames.write(array_of(sample, frames.SHAPES[shape]), number, fill)
        turns.wait(number)
        sent.append(perf_counter_ns())
        sample.assume_init().send()
    return {"sent": sent}


def publish_private(shape: str, count: int) -> dict[str, Any]:
    size = int(np.prod(frames.SHAPES[shape]))
    loan, turns = publisher().loan_slice_uninit, PORTS["turns"]
    sent: list[int] = []
    for number, frame in enumerate(frames.rotation(shape, count)):
        turns.wait(number)
        sent.append(perf_counter_ns())
        sample = loan(size)
        np.copyto(array_of(sample, frame.shape), frame)
        sample.assume_init().send()
    return {"sent": sent}


def subscribe(shape: str, count: int) -> dict[str, Any]:
    def view(sample: Any) -> NDArray[np.uint8]:
        return array_of(sample, frames.SHAPES[shape])

    return frames.collect(PORTS["turns"], PORTS["subscriber"].receive, view, shape, count)


protocol.serve(
    attach=attach, publish_in_place=publish_in_place, publish_private=publish_private, subscribe=subscribe
)
