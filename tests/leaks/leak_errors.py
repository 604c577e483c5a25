"""What is measured besides: the same calls when they fail."""

from __future__ import annotations

import os
import pickle

import leak_stage
import numpy as np
from leak_meter import Entries

import horus
from horus_core import _native

ENTRIES = Entries()
call = ENTRIES.call


def fails(function, *arguments, **keywords):
    """Call it; it must raise."""
    try:
        function(*arguments, **keywords)
    except Exception:  # noqa: BLE001 - whatever it says
        return
    raise AssertionError(function)


class Awkward:
    """Where a call looks at it, it raises."""

    def __bool__(self):
        raise LookupError

    __index__ = __float__ = __len__ = __iter__ = __eq__ = __bool__

    def __hash__(self):
        raise LookupError


# Without arguments these are calls that succeed, or wait; and these take any object.
_TAKES_ANYTHING = {
    "in_use",
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__get__",
    "__deepcopy__",
}


def _each_callable(stage):
    for name, value in vars(_native).items():
        if name.startswith("__") or not callable(value):
            continue
        yield value
        if isinstance(value, type):
            for attribute in vars(value):
                if attribute not in _TAKES_ANYTHING | {
                    "__hash__",
                    "__doc__",
                    "__new__",
                    "__init__",
                    "__repr__",
                }:
                    found = getattr(stage.instances[name], attribute)
                    if callable(found) and not isinstance(found, type):
                        yield found


@call(times=40)
def every_call_with_arguments_that_make_no_sense(stage):
    stage.calls = getattr(stage, "calls", None) or list(_each_callable(stage))
    for one in stage.calls:
        for arguments in ((Awkward(),), ("x", Awkward()), (1, "x", None), (None,) * 12):
            try:
                one(*arguments)
            except Exception:  # noqa: BLE001 - that is what is measured
                pass
        try:
            one(no_such_keyword=1)
        except Exception:  # noqa: BLE001
            pass


@call(times=100)
def files_that_are_no_regions_or_indexes(stage):
    fails(_native.Ring, -1, stage.member)
    fails(_native.Ring, stage.index_fd, stage.member)
    fails(_native.Member, -1, stage.namespace)
    fails(_native.Member, stage.ring_fd, stage.namespace)
    fails(_native.index_format, -1)
    fails(_native.ring_format, -1, 2, 16, 232, bytes(16), b"{}", False)
    fails(_native.ring_format, stage.blank_fd, 2, 16, 232, bytes(15), b"{}", False)
    _native.index_look(-1)
    _native.index_look(stage.ring_fd)
    for offset in (
        0,
        8,
        16,
        24,
        40,
        64,
        68,
        72,
    ):  # magic, version, size, boot, kind, capacity, payload, description
        _native.ring_format(stage.blank_fd, 2, 16, 232, bytes(16), b"{}", False)
        os.pwrite(stage.blank_fd, b"\xee" * 4, offset)
        fails(_native.Ring, stage.blank_fd, stage.member)
    for offset in (0, 8, 12, 24):
        _native.index_format(stage.blank_fd)
        os.pwrite(stage.blank_fd, b"\xee" * 4, offset)
        fails(_native.Member, stage.blank_fd, stage.namespace)
        _native.index_look(stage.blank_fd)


@call(times=100)
def what_no_topic_takes(stage):
    fails(stage.fixed_topic.send, stage.small)
    fails(stage.fixed_topic.send, stage.bounded)
    fails(stage.pixels.send, stage.message)
    fails(stage.dicts.send, stage.message)
    fails(stage.dicts.send, {"a": {1, Awkward}})
    fails(stage.dicts.send, {"large": np.zeros(5000), "b": object()})
    fails(stage.dicts.send, {"a": np.array([object()])})
    fails(stage.dicts._peek, -1)
    watcher = _native.Member(stage.index_fd, stage.namespace, observe=True)
    fails(_native.Pool, watcher)
    fails(_native.TopicBase()._enter, watcher, None, None, dict)
    fails(stage.dicts._checked, 1 << 70)
    fails(stage.dicts._publish, "\udcff")
    fails(horus.Topic, "dicts", leak_stage.Fixed)
    fails(horus.Topic, "a b", dict)


@call(times=100)
def handles_that_are_empty_or_closed(stage):
    closed = horus.Topic("dicts", dict)
    closed.send(stage.small)
    closed.close()
    for one in (closed, horus.Topic.__new__(horus.Topic)):
        fails(one.send, stage.small)
        fails(one.recv)
        fails(one.has_msg)
        one._latest(), one._peek(20), one._last(), one._settle(), one._sent()
        fails(one._send_bytes, b"")
        one._skip(0), fails(one._skip, -1), fails(one._skip, None)
        assert one._recv_bytes(bytes(256)) is None
    for wrong in (None, b"", bytes(255), "a"):
        fails(stage.dicts._recv_bytes, wrong)
    fails(stage.dicts._send_bytes, 7)
    assert stage.pixels._send_bytes(bytes(95)) is None
    assert stage.pixels._send_bytes(bytes(2000)) is None
    assert stage.bounded_topic._send_bytes(bytes(7)) is None
    fails(closed._bind, stage.ring, None, None, 0)
    fails(closed._publish, "leaks")


class Raises(leak_stage.Node):
    """A node whose callbacks raise."""


def _bad_tick():
    raise ValueError("bad reading")


async def _coroutine():
    """Not what a tick should be."""


@call()
def nodes_whose_callbacks_fail(stage):
    node = Raises()
    for key in ("t", [], Awkward()):
        fails(node.send, key, stage.small)
        fails(node.recv, key)
        fails(node.has_msg, key)
        fails(node._horus_bind_send, key, 1)
        fails(node._horus_bind_receive, key, stage.ring, 0)
    fails(node._horus_bind_send, [], stage.dicts)
    fails(node._horus_bind_receive, [], stage.dicts, 0)
    fails(node._horus_bind_receive, "t", stage.dicts, "deep")
    fails(node._horus_run, _bad_tick)
    fails(node._horus_run)
    for arguments in (("text", 1.0, 2), ("text", 1.0)):
        fails(node.log_info, *arguments, message="twice")
    fails(node.log_info)
    fails(node.log_info, "text", loud=1)
    fails(node._horus_bind_log, {}, None)
    node._horus_bind_log({}, Awkward)
    fails(node.log_error, "text", Awkward(), 3)
    fails(_native.LogFile, 1)
    log = _native.LogFile(100, 2)
    for arguments in ((None,), (None, "text"), (1, b""), ("x" * 5000, b""), ("a\0b", b""), ("\ud800", b"")):
        fails(log.use, *arguments)
    fails(log.write, b"bytes")
    fails(log.write, "\ud800")
    fails(log.aim, None, 2, False, "now", 0, 1, (b"1", b"2", b"3"))
    fails(log.aim, None, 2, False, "now", 0, 1, (b"1", b"2", b"3", "4"))
    fails(log.line, 20, "text", b"")
    fails(log.line, 1 << 70, "text", b"", b"")
    fails(_native.offer, 1)
    fails(_native.offer, 1, "text")
    fails(_native.offer, -1, b"text")
    fails(_native.Alarm().watch_signals, 0)
    fails(_native.Alarm().watch_signals, 9)
    fails(_native.Alarm().wait_until, 1 << 70)
    fails(_native.set_timer_slack, -1)


@call()
def values_that_no_message_takes(stage):
    for cls in (leak_stage.Fixed, leak_stage.Bounded):
        for name in cls.__match_args__:
            for bad in (Awkward(), "x" * 100, [1] * 100, [object()], {"x": "y"}, 1 << 80, "\udcff", None):
                try:
                    made = cls(leak_stage.Point(), **{name: bad}) if name != "at" else cls(bad)
                    setattr(made, name, bad)
                except Exception:  # noqa: BLE001 - some take some of these
                    pass
                try:
                    setattr(
                        stage.message if cls is leak_stage.Fixed else stage.bounded.copy(), name, Awkward()
                    )
                except Exception:  # noqa: BLE001
                    pass
    fails(leak_stage.Fixed)
    fails(leak_stage.Fixed, leak_stage.Point(), at=leak_stage.Point())
    fails(leak_stage.Fixed, leak_stage.Point(), nothing=1)
    fails(leak_stage.Fixed, *range(20))
    fails(hash, stage.message)
    fails(lambda: stage.message < stage.message)
    fails(setattr, stage.message, "unknown", 1)
    fails(_native.MessageBase)


@call()
def bytes_that_are_no_message(stage):
    for cls, wire in (
        (leak_stage.Fixed, stage.message.to_wire()),
        (leak_stage.Bounded, stage.bounded.to_wire()),
    ):
        for bad in (b"", wire[:-1], wire + b"x", bytes([255]) * len(wire), 1, memoryview(wire)[::2]):
            try:
                made = cls.from_wire(bad)
                repr(made), made.to_dict(), made.copy()
            except Exception:  # noqa: BLE001 - some of these are messages
                pass


@call(times=40)
def classes_that_cannot_be_defined(stage):
    for body in (
        {"__annotations__": {"x": float}},
        {"__annotations__": {"x": "Nothing"}},
        {"__annotations__": {"x": horus.f64, "y": horus.f64}, "x": 1.0},
        {"__annotations__": {"x": horus.f64}, "x": "text"},
        {"__annotations__": {"x": object}, "x": horus.array(horus.f32, -1)},
        {"__annotations__": {"x": horus.f64, "y": float}, "y": horus.alias("z")},
        {"x": horus.text(8)},
    ):
        fails(type(horus.Message), "Bad", (horus.Message,), {"__module__": __name__, **body})
    fails(_native.define_message, leak_stage.Fixed, (), 8, bytes(8), {})
    fails(_native.FieldDescriptor, "x", "no kind", 0)
    fails(_native.FieldDescriptor, "x", "i32", 0, shape="round")
    fails(stage.field.__get__, 1)
    fails(stage.field.__set__, 1, 1)
    fails(setattr, stage.message, "number", Awkward())


@call(times=100)
def images_that_cannot_be_made_or_read(stage):
    empty = horus.Image.__new__(horus.Image)
    for read in (empty.to_numpy, empty.tobytes, empty.copy, empty.__dlpack__, lambda: memoryview(empty)):
        fails(read)
    fails(empty._allocate, (1 << 20, 1 << 20, 3), 0, 3, True)
    fails(horus.Image, 60_000, 60_000)
    fails(stage.image._allocate, (48, 64, 3), 0, 3, True)
    fails(stage.image._fill, stage.pixel_array)
    image = horus.Image(4, 4)
    fails(image._fill, b"short")
    fails(image._fill, 1)
    fails(image._fill, stage.pixel_array[::2])
    fails(image._crop, 0, 0, 9, 9)
    fails(image.__dlpack__, dl_device=(2, 0))
    fails(image.__dlpack__, dl_device=1)
    fails(setattr, image, "timestamp_ns", "now")
    fails(setattr, image, "frame_id", "x" * 100)
    fails(delattr, image, "frame_id")
    fails(_native.PooledBase().to_numpy)
    fails(_native.Pool, stage.ring)


@call(times=100)
def what_is_not_pickled(stage):
    for name, one in stage.instances.items():
        if name not in ("MessageBase", "MessageMeta", "PooledBase"):
            fails(pickle.dumps, one)
