"""What is measured: for each public call of the C module an entry that makes it, as it is meant to be made."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import sys
import tempfile
from pathlib import Path

import leak_stage
import numpy as np
from leak_meter import Entries

import horus
from horus_core import _native

ENTRIES = Entries()
call = ENTRIES.call
MiB = 1 << 20


# ---- the module's functions ----


@call("now_ns", "ring_size")
def sizes_and_time(stage):
    _native.now_ns()
    _native.ring_size(16, 232, 100)


@call("index_format", "index_look")
def an_index_is_formatted(stage):
    _native.index_format(stage.blank_fd)
    assert _native.index_look(stage.blank_fd) == (False, False, 0)
    assert _native.index_look(stage.index_fd)[1]


@call("ring_format", "Ring()", "Ring.member")
def a_ring_is_formatted_and_mapped(stage):
    _native.ring_format(stage.blank_fd, 2, 16, 232, bytes(16), b"{}", False, large_kept=8)
    assert _native.Ring(stage.blank_fd, stage.member).member is stage.member


@call("set_timer_slack")
def the_timers_slack_is_set(stage):
    _native.set_timer_slack(_native.set_timer_slack(50_000))


# ---- Member, Ring ----


@call("Member()")
def a_namespace_is_joined_and_left(stage):
    assert _native.Member(stage.index_fd, stage.namespace).ident != stage.member.ident
    assert _native.Member(stage.index_fd, stage.namespace, observe=True).ident == 0


@call("Member.alive", "Member.pid", "Member.living", "Member.bump", "Member.wait")
def members_are_asked_for(stage):
    assert stage.member.alive(stage.member.ident)
    stage.member.pid(stage.member.ident)
    stage.member.living()
    stage.member.bump()
    stage.member.wait(stage.member.epoch, 0)
    stage.member.wait(0, 0)


@call(
    "Member.ident",
    "Member.index",
    "Member.namespace",
    "Member.epoch",
    "Member.linked",
    "Member.locked",
    "Member.forked",
)
def what_a_member_says(stage):
    one = stage.member
    one.ident, one.index, one.namespace, one.epoch, one.linked, one.locked, one.forked


@call(
    "Ring.publishers",
    "Ring.subscribers",
    "Ring.in_use",
    "Ring.wake",
    "Ring.sight",
    "Ring.sightings",
    "Ring.voids",
)
def a_ring_is_asked(stage):
    assert stage.ring.publishers()
    assert stage.ring.subscribers()
    stage.ring.in_use(True)
    assert stage.ring.in_use(False)
    assert stage.ring.sightings(0, 8)[2]
    assert stage.ring.sightings(0, 8, 0)[2][0][5] is not None
    assert stage.ring.sight(stage.ring.front - 1, 0) is not None
    assert stage.ring.sight(1) is None
    assert stage.ring.voids()[0] == stage.ring.front
    stage.ring.wake()


@call(
    "Ring.meta", "Ring.type_hash", "Ring.kind", "Ring.latched", "Ring.capacity", "Ring.payload", "Ring.size",
    "Ring.front", "Ring.file", "Ring.latest_ns", "Ring.large_kept",
)  # fmt: skip
def what_a_ring_says(stage):
    one = stage.ring
    one.meta, one.type_hash, one.kind, one.latched, one.capacity, one.payload, one.size, one.front, one.file
    one.large_kept
    assert one.latest_ns
    _native.ring_format(stage.blank_fd, 2, 16, 232, bytes(16), b"{}", False)
    assert _native.Ring(stage.blank_fd, stage.member).latest_ns is None


# ---- TopicBase ----


@call("TopicBase()")
def an_empty_handle(stage):
    _native.TopicBase()
    _native.TopicBase("any", arguments=1).__class__
    cycle = horus.Topic.__new__(horus.Topic)
    cycle.own = cycle


@call("TopicBase.send", "TopicBase.recv", "TopicBase.has_msg", "TopicBase.wait")
def small_dicts_are_sent_and_received(stage):
    assert stage.dicts.send(stage.small)
    assert stage.dicts.wait(1)
    assert stage.dicts.has_msg()
    assert stage.dicts.recv() == stage.small
    assert stage.dicts.recv() is None
    assert not stage.dicts.wait(0)
    assert not stage.dicts.wait(timeout=0.0)


@call("TopicBase.send", "TopicBase.recv", times=100)
def large_dicts_are_sent_and_received(stage):
    assert stage.dicts.send(stage.large)
    assert len(stage.dicts.recv()["array"]) == 5000


@call("TopicBase.send", "TopicBase.recv")
def typed_messages_are_sent_and_received(stage):
    assert stage.fixed_topic.send(stage.message)
    assert stage.fixed_topic.recv() == stage.message
    assert stage.bounded_topic.send(stage.bounded)
    assert stage.bounded_topic.recv() == stage.bounded


@call("TopicBase.send", "TopicBase.recv")
def images_are_sent_and_received(stage):
    assert stage.pixels.send(stage.image)
    assert stage.pixels.recv().to_numpy().shape == (48, 64, 3)


@call("TopicBase._recv_bytes", "TopicBase._send_bytes", "TopicBase._row", times=100)
def messages_cross_as_bytes(stage):
    large = stage.dicts.send(stage.large)
    assert large
    assert stage.dicts._row
    for topic, message in (
        (stage.dicts, stage.small), (stage.fixed_topic, stage.message), (stage.bounded_topic, stage.bounded),
        (stage.pixels, stage.image),
    ):  # fmt: skip
        topic.send(message)
        while (wire := topic._recv_bytes(bytes(256))) is not None:
            assert topic._send_bytes(wire)
            assert type(topic.recv()) is type(message)
        assert topic._send_bytes(b"") is None
    stage.dicts.send(stage.small)
    assert stage.dicts._recv_bytes(bytes([1]) * 256) is None


@call(
    "TopicBase._latest", "TopicBase._peek", "TopicBase._last", "TopicBase._settle", "TopicBase._sent",
    "TopicBase._skip",
)  # fmt: skip
def topics_are_looked_at(stage):
    for topic in stage.topics.values():
        assert topic._latest() is not None
        assert topic._peek(topic._ring.front - 1) is not None
        assert topic._peek(1) is None
        topic._last(), topic._settle(), topic._sent(), topic._skip(1)


@call(
    "TopicBase.dropped", "TopicBase.pending", "TopicBase.missed", "TopicBase.skipped", "TopicBase._attached",
    "TopicBase._publishing", "TopicBase._receiving", "TopicBase._ring", "TopicBase._message_type",
    "TopicBase._closed",
)  # fmt: skip
def what_a_handle_says(stage):
    for one in (stage.dicts, stage.fixed_topic, _native.TopicBase()):
        one.dropped, one.pending, one.missed, one.skipped, one._attached, one._publishing, one._receiving
        one._ring, one._message_type
        one._closed = one._closed


@call(
    "TopicBase._enter", "TopicBase._bind", "TopicBase._publish", "TopicBase._announce", "TopicBase._checked",
    "TopicBase._unbind", times=100,
)  # fmt: skip
def a_handle_is_bound_twice_and_let_go(stage):
    for topic, message in (
        (stage.dicts, stage.small), (stage.bounded_topic, stage.bounded), (stage.pixels, stage.image),
    ):  # fmt: skip
        handle = _native.TopicBase()
        for _ in range(2):
            handle._enter(stage.member, *stage.codec)
            handle._bind(topic._ring, topic._message_type, stage.pool, 0)
            handle._publish("leaks")
            handle._announce("leaks")
            handle._checked(stage.member.epoch)
            assert handle.recv() is None
            assert handle.send(message)
        handle._unbind()


@call("TopicBase._bind", times=150)
def topics_are_opened_and_closed(stage):
    with horus.Topic("opened", dict) as topic:
        topic.send(stage.small)
        topic.recv()
    with horus.Topic("dicts") as late:
        late.recv()
        late.cycle = late


# ---- NodeBase, Alarm ----


@call(
    "NodeBase()", "NodeBase.send", "NodeBase.recv", "NodeBase.get", "NodeBase.has_msg",
    "NodeBase._horus_bind_send", "NodeBase._horus_bind_receive", "NodeBase._horus_unbind",
    "NodeBase._horus_run", "NodeBase._horus_forgive",
)  # fmt: skip
def a_node_ticks(stage):
    node = leak_stage.Node()
    node._horus_bind_send("t", stage.dicts)
    node._horus_bind_receive("t", stage.dicts, 0)
    node._horus_bind_receive(leak_stage.Fixed, stage.dicts, -1)
    for _ in range(2):
        assert node.send("t", stage.small)
    assert node.has_msg("t")
    assert node.recv("t") == stage.small
    assert node.get(leak_stage.Fixed) == stage.small
    node._horus_run(lambda *arguments: arguments, 1, "two")
    node._horus_forgive()
    node._horus_unbind()


@call(
    "NodeBase.log_debug", "NodeBase.log_info", "NodeBase.log_warning", "NodeBase.log_error",
    "NodeBase._horus_bind_log",
)  # fmt: skip
def a_node_logs(stage):
    node, levels = leak_stage.Node(), {10: False, 20: True}
    node.log_info("said to nobody")
    said = []
    for known in (levels, None):
        node._horus_bind_log(known, lambda *values: said.append(values))
        node.log_debug("below")
        node.log_info("shown", every=1.0)
        node.log_warning(message="unasked")
        node.log_error("four", 2.0)
    assert said[:3] == [(20, "shown", 1.0), (30, "unasked"), (40, "four", 2.0)]
    assert len(said) == 7


@call(
    "LogFile()",
    "LogFile.use",
    "LogFile.write",
    "LogFile.lose",
    "LogFile.error",
    "LogFile.aim",
    "LogFile.unaim",
    "LogFile.line",
    "offer",
    times=50,
)
def lines_are_stored_and_offered(stage):
    fd = os.memfd_create("log")
    assert _native.offer(fd, b"more\n") == 5
    log = _native.LogFile(200, 2)
    assert log.write("nowhere}\n") == -1
    log.lose()
    with tempfile.TemporaryDirectory() as folder:
        log.use(f"{folder}/logs/1", b'{"horus_log":1')
        for is_file in (False, True):
            log.aim(sys.stderr, fd, is_file, "now", 0, 1 << 62, (b"1", b"2", b"3", b"4"))
            assert not log.line(20, "text \n", b"", b"arm: ")
            assert [log.line(20, "text", b"", b"arm: ") for _ in range(6)] == [True] * 6
        log.unaim()
        assert not log.line(20, "text", b"", b"arm: ")
        assert [log.write('"text":"in a new file"}\n') for _ in range(6)] == [1] * 6
        assert len([*Path(folder, "logs").iterdir()]) == 2
        log.use("/proc/none/1", b"{")
        assert log.write("nowhere}\n") == -1
        assert log.error
        log.aim(sys.stderr, fd, False, "now", 0, 1 << 62, (b"1", b"2", b"3", b"4"))
        assert not log.line(20, "text", b"", b"arm: ")
        log.use(None, b"")
    os.close(fd)


@call(
    "Alarm()", "Alarm.ring", "Alarm.reset", "Alarm.rung", "Alarm.wait_until", "Alarm.watch_signals",
    "Alarm.unwatch_signals", "Alarm.signals", "Alarm.nudge",
)  # fmt: skip
def an_alarm_rings(stage):
    former = signal.signal(signal.SIGUSR2, lambda *_: None)
    alarm = _native.Alarm()
    alarm.watch_signals(signal.SIGUSR2)
    signal.raise_signal(signal.SIGUSR2)
    assert alarm.rung
    assert alarm.signals == 1
    alarm.reset()
    alarm.nudge()
    assert not alarm.wait_until(0)
    alarm.ring()
    assert alarm.wait_until(1 << 62)
    alarm.unwatch_signals()
    signal.signal(signal.SIGUSR2, former)


# ---- Pool, PooledBase ----


@call("Pool()", "Pool.usage", "Pool.refusal", "Pool.unmap_dead", "Pool.member")
def a_pool(stage):
    pool = _native.Pool(_native.Member(stage.index_fd, stage.namespace), MiB)
    assert pool.usage()["blocks"] == 0
    pool.refusal()
    pool.unmap_dead()
    stage.pool.usage()
    pool.member.ident


@call("PooledBase()", "PooledBase._allocate", "PooledBase._fill", "PooledBase._crop", "PooledBase.copy")
def images_are_made(stage):
    image = horus.Image.__new__(horus.Image)
    image._allocate((48, 64, 3), 0, 3, True)
    horus.Image(48, 64)
    image._fill(stage.pixel_array)
    image._crop(1, 1, 8, 8).copy()._crop(0, 0, 2, 2)


@call("PooledBase.to_numpy", "PooledBase.tobytes", "PooledBase.__buffer__")
def pixels_are_read(stage):
    for one in (stage.image, stage.image._crop(0, 0, 4, 4), stage.pixels._latest()):
        array = one.to_numpy()
        array[1:].T.sum()
        one.tobytes()
        view = memoryview(one)
        view.nbytes, view.shape
        np.asarray(one)
        half = memoryview(one)
        del one, array, view  # the memory outlives the object
        half.release()


@call("PooledBase.__dlpack__", "PooledBase.__dlpack_device__")
def arrays_travel_by_dlpack(stage):
    for one in (horus.Image(4, 4), stage.image):
        one.__dlpack_device__()
        one.__dlpack__(max_version=(1, 0))  # a capsule that nobody takes
        one.__dlpack__(max_version=(1, 0), copy=True)
    np.from_dlpack(horus.Image(4, 4)).sum()


@call(
    "PooledBase.shape", "PooledBase.strides", "PooledBase.dtype", "PooledBase.nbytes", "PooledBase.step",
    "PooledBase.readonly", "PooledBase.in_pool", "PooledBase._encoding", "PooledBase.timestamp_ns",
    "PooledBase.frame_id",
)  # fmt: skip
def what_an_image_says(stage):
    one = horus.Image(4, 4)
    one.shape, one.strides, one.dtype, one.nbytes, one.step, one.readonly, one.in_pool, one._encoding
    one.timestamp_ns = 1 << 60
    one.frame_id = "camera"
    one.timestamp_ns, one.frame_id


# ---- messages ----


@call(
    "MessageMeta()", "define_message", "MessageMeta.__descriptors__", "MessageMeta.__size__",
    "MessageMeta.__type_hash__", "MessageMeta.__wire_max__", times=400,
)  # fmt: skip
def classes_are_defined(stage):
    class Grip(horus.Message):
        width: horus.f64 = 0.5
        at: leak_stage.Point = horus.field(kw_only=True)
        name: str = horus.text(8, default="grip")
        mode: leak_stage.Mode = leak_stage.Mode.OFF
        ranges: object = horus.array(horus.f32, 8, bounded=True)
        x: float = horus.alias("at.x")

    Grip(at=leak_stage.Point()).ranges
    Grip.__descriptors__, Grip.__size__, Grip.__type_hash__, Grip.__wire_max__


@call(
    "FieldDescriptor()", "FieldDescriptor.__repr__", "FieldDescriptor.__name__", "FieldDescriptor.__objclass__",
    "FieldDescriptor.alias", "FieldDescriptor.capacity", "FieldDescriptor.count_offset", "FieldDescriptor.doc",
    "FieldDescriptor.kind", "FieldDescriptor.kw_only", "FieldDescriptor.name", "FieldDescriptor.offset",
    "FieldDescriptor.required", "FieldDescriptor.shape", "FieldDescriptor.size",
    "FieldDescriptor.type", "FieldDescriptor.unit",
)  # fmt: skip
def descriptors(stage):
    _native.FieldDescriptor(
        "mode",
        "i32",
        0,
        type=leak_stage.Mode,
        members={0: leak_stage.Mode.OFF},
        unit="m",
        doc="of the gripper",
    )
    for one in (stage.field, vars(leak_stage.Fixed)["mode"]):
        repr(one)
        (
            one.__name__,
            one.__objclass__,
            one.alias,
            one.capacity,
            one.count_offset,
            one.doc,
            one.kind,
            one.kw_only,
        )
        one.name, one.offset, one.required, one.shape, one.size, one.type, one.unit


@call("FieldDescriptor.__get__", "FieldDescriptor.__set__")
def fields_are_read_and_written(stage):
    leak_stage.Fixed.number
    stage.field.__get__(stage.message)
    stage.field.__set__(stage.message, 2.5)
    for message in (stage.message, stage.bounded):
        for name in type(message).__match_args__:
            value = getattr(message, name)
            setattr(message, name, value)
            if hasattr(value, "__len__"):
                list(value)
    stage.message.samples[1:].sum()
    stage.message.points[0].x = stage.message.x
    stage.message.mode = 1
    stage.bounded.names = ["a", "b"]
    stage.bounded.ranges = [1.0, 2.0]


@call(
    "MessageBase()", "MessageBase.__init__", "MessageBase.__repr__", "MessageBase.to_dict", "MessageBase.copy"
)
def messages_are_made(stage):
    for one in (
        leak_stage.Fixed(leak_stage.Point(1.0, y=2.0), 1.0, 2, flag=False, name="é", x=3.0, samples=range(4)),
        leak_stage.Bounded(ranges=np.ones(3), names=["a"], points=[leak_stage.Point()]),
    ):
        repr(one)
        one.to_dict()
        one.copy()
        one.__init__(**{name: getattr(one, name) for name in type(one).__match_args__})


@call("MessageBase.to_wire", "MessageBase.from_wire", "MessageBase.__buffer__")
def messages_become_bytes_and_back(stage):
    for one in (stage.message, stage.bounded):
        assert type(one).from_wire(one.to_wire()) == one
        view = memoryview(one)
        bytes(view)


@call("MessageBase.__copy__", "MessageBase.__deepcopy__", "MessageBase.__reduce__")
def messages_are_copied_and_pickled(stage):
    for one in (stage.message, stage.bounded):
        one.__copy__()
        one.__deepcopy__({})
        one.__reduce__()
        assert copy.deepcopy([one]) == [one]
        assert pickle.loads(pickle.dumps(one)) == one


@call(
    "MessageBase.__eq__", "MessageBase.__ne__", "MessageBase.__lt__", "MessageBase.__le__", "MessageBase.__gt__",
    "MessageBase.__ge__", "MessageBase.__hash__",
)  # fmt: skip
def messages_are_compared(stage):
    other = stage.message.copy()
    assert stage.message == other
    assert not stage.message != other  # noqa: SIM202 - another slot
    assert stage.message != stage.bounded
    assert stage.message != 1
    other.number += 1
    assert stage.message != other
    for name in ("__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(stage.message, name)(other) is NotImplemented
    assert type(stage.message).__hash__ is None


@call("FieldDescriptor.__delete__")
def fields_stay(stage):
    for delete in (lambda: stage.field.__delete__(stage.message), lambda: delattr(stage.message, "number")):
        try:
            delete()
        except (AttributeError, TypeError):
            continue
        raise AssertionError
