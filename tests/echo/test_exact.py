"""What `topic echo` prints as JSON or MessagePack comes back exactly, whatever it is."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from horus_cli import shapes
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from samples import STANDARD, dicts, payloads, same, standard

import horus
from horus_core.messages import codec
from horus_plugins.echo import json_text, packed, record
from horus_plugins.echo.record import BadValueError, Record

EXAMPLES = settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
SCHEMA = Draft202012Validator(json.loads(shapes.file("topic echo").read_text()))


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def through_json(message):
    """Encoded as a line of strict, printable JSON of our schema, and decoded again."""
    line = json_text.encode(record.of(message))
    assert line.isascii()
    assert line.isprintable()
    if len(line) < 10_000:
        SCHEMA.validate(json.loads(line, parse_constant=_refuse))
    return json_text.decode(line.encode())


def through_msgpack(message):
    """Encoded between two others, and decoded from chunks that end anywhere."""
    stream = b"".join(packed.encode(record.of(one)) for one in (7, message, {"$type": 1}))
    chunks = [stream[at : at + 997] for at in range(0, len(stream), 997)]
    before, found, after = map(packed.decode, packed.split(chunks))
    assert before == Record("", 7)
    assert after == Record("", {"$type": 1})
    return found


WAYS = pytest.mark.parametrize("way", [through_json, through_msgpack])


# spec: A20 A21
@pytest.mark.parametrize("cls", STANDARD, ids=lambda cls: cls.__name__)
def test_every_standard_message_comes_back(cls):
    """All fields of all standard types, with extremes, NaN, infinities, full and empty arrays, any text."""

    @EXAMPLES
    @given(message=standard(cls))
    def check(message):
        for way in (through_json, through_msgpack):
            again = record.build(way(message), cls)
            assert again == message
            assert again.to_wire() == message.to_wire()  # -0.0 is not 0.0

    check()


# spec: A23
def test_every_payload_comes_back():
    """Images of all encodings, depth images, point clouds and tensors: pixels, frame and time."""
    for message in payloads():
        for way in (through_json, through_msgpack):
            again = record.build(way(message), type(message))
            assert again == message, message
            assert again.tobytes() == message.tobytes()


# spec: F26
@WAYS
@settings(EXAMPLES, max_examples=40)
@given(value=dicts())
@example(value={"$type": "CmdVel"})
@example(value={"a": {"$dict": [[1, 2]]}, "$message": {"$type": 3}})
@example(value={1: {"1": 2}, (1, (2, b"x")): [], np.float32(2.5): 1})
@example(value=codec.decode(codec.encode({"x": [b"", "\ud7ff\U0010ffff\x00\x1b", np.zeros(3, "V0")]})))
def test_every_value_of_a_dict_topic_comes_back(way, value):
    """Types of numbers, NaNs with payload, bytes, keys of any kind, keys that look like tags, arrays of any type."""
    found = way(value)
    assert found.type == ""
    assert same(found.value, value)
    assert not codec.apart


@settings(EXAMPLES, max_examples=40)
@given(bits=st.integers(0, 2**64 - 1))
@example(bits=0x7FF0000000000001)
@example(bits=0xFFF8000000000000)
@example(bits=0x8000000000000000)
def test_every_float_comes_back(bits):
    """All 64 bits, whatever they mean."""
    (value,) = struct.unpack(">d", struct.pack(">Q", bits))
    (again,) = [json_text.decode(json_text.value(value)).value]
    assert struct.pack(">d", again) == struct.pack(">d", value)


def test_what_other_programs_send_is_shown():
    """An extension of MessagePack that is none of ours comes back; a timestamp becomes text."""
    import msgspec

    wire = msgspec.msgpack.encode({"e": msgspec.msgpack.Ext(5, b"abc")})
    value = codec.decode(wire)
    assert codec.encode(json_text.decode(json_text.value(value)).value) == wire
    stamp = codec.decode(b"\xd6\xff\x65\x00\x00\x00")
    assert json_text.value(stamp) == '"2023-09-12T06:06:56+00:00"'


def test_about_stands_beside_the_message():
    """What --meta adds is taken off again, of typed messages and of dicts."""
    for message in (horus.CmdVel(linear=0.5), {"topic": 1, "$x": 2}):
        said = record.of(message)
        assert json_text.decode(json_text.encode(said, {"sequence": 4})) == said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"a": NaN}', "expected JSON"),
        ("[1,", "expected JSON"),
        ('{"a": 1e999}', "expected JSON"),
        ('{"a": [{"$flaot": "nan"}]}', r"\$\.a\[0\]: expected one of \$float"),
        ('{"a": {"$float": "nan", "b": 1}}', r"\$\.a: expected one of"),
        ('{"a": {"$float": "nan:7ff0000000000000"}}', r"\$\.a\.\$float: expected nan"),
        ('{"$bytes": "a b="}', r"\$\.\$bytes: expected base64, got 'a b='"),
        ('{"$array": {"dtype": "<f4", "shape": [2], "data": ""}}', r"\$\.\$array: .*reshape"),
        ('{"$array": {"dtype": "O", "shape": [1], "data": "AAAAAAAAAAA="}}', "Python objects"),
        ('{"$array": {"dtype": "<f4", "shape": [1e99], "data": ""}}', r"shape: expected a list of numbers"),
        ('{"$array": 3}', r"\$\.\$array: expected an object with 'dtype', got 3"),
        ('{"$dict": [[{"a": 1}, 2]]}', r"\$\.\$dict: .*unhashable"),
        ('{"$dict": [1]}', r"expected a list of \[key, value\]"),
        ('{"$list": 1}', "expected a list, got 1"),
        ('{"$ext": {"code": "x"}}', r"\$ext: expected an object with 'code'"),
        ('{"$type": 3}', "expected the name of a message class, got 3"),
    ],
)
def test_what_is_no_message_is_told_with_its_place(line, says):
    """Strict JSON, and the path to what is wrong."""
    with pytest.raises(BadValueError, match=says):
        json_text.decode(line)


def test_a_stream_that_breaks_off_is_told():
    """Bytes that are no MessagePack, and half a message."""
    with pytest.raises(BadValueError, match="ends too early"):
        list(packed.split([packed.encode(Record("", "text"))[:-1]]))
    with pytest.raises(BadValueError, match="expected MessagePack"):
        list(packed.split([b"\xc1"]))
    with pytest.raises(BadValueError, match="expected MessagePack"):
        packed.decode(b"\xa2\xff\xff")


@pytest.mark.parametrize(
    ("cls", "value", "says"),
    [
        (horus.CmdVel, {"linaer": 1}, "CmdVel: expected one of linear, .* Did you mean 'linear'"),
        (horus.CmdVel, {"linear": "fast"}, "CmdVel.linear: expected float, got str"),
        (horus.CmdVel, [1, 2], "expected the fields of a CmdVel, got list"),
        (horus.NavGoal, {"target": {"x": None}}, "NavGoal.target.x: expected float, got NoneType"),
        (horus.NavGoal, {"target": 3}, "NavGoal.target: expected the fields of a Pose2D, got 3"),
        (
            horus.NavPath,
            {"waypoints": [{}, {"pose": {"x": "a"}}]},
            r"NavPath.waypoints\[1\].pose.x: expected float",
        ),
        (horus.NavPath, {"waypoints": 3}, "NavPath.waypoints: expected a list of Waypoint, got 3"),
        (
            horus.NavPath,
            {"waypoints": [3]},
            r"NavPath.waypoints\[0\]: expected the fields of a Waypoint, got 3",
        ),
        (
            horus.LaserScan,
            {"ranges": [1.0] * 5000},
            "LaserScan.ranges: expected at most 4096 elements, got 5000",
        ),
        (
            horus.Image,
            {"height": 2, "width": 2, "encoding": "rgb8", "data": b"123"},
            "as many bytes .* got 3",
        ),
        (horus.Image, {"height": 2, "width": 2, "encoding": "rgb9", "data": b""}, "rgb9"),
        (horus.Image, {"height": 2, "width": 2, "encoding": "rgb8"}, "Image.data: expected bytes"),
        (horus.Image, {"hight": 2}, "Image: expected one of data, encoding"),
        (
            horus.DepthImage,
            {"height": 1, "width": 1, "encoding": "rgb8", "data": b"123"},
            "mono32f or depth16",
        ),
        (horus.Tensor, {"shape": [-1], "dtype": "f4", "data": b""}, "Tensor.shape: expected numbers from 0"),
        (horus.Tensor, {"shape": [10**15], "dtype": "float32", "data": b""}, "as many bytes"),
    ],
)
def test_what_does_not_fit_a_class_is_told_with_its_field(cls, value, says):
    """Field, what was expected and what came."""
    with pytest.raises(BadValueError, match=says):
        record.build(Record("", value), cls)


def test_a_record_of_another_class_is_refused():
    """The name in a record must be that of the topic's type."""
    with pytest.raises(BadValueError, match="expected a CmdVel, got a Imu"):
        record.build(Record("Imu", {}), horus.CmdVel)
    with pytest.raises(BadValueError, match="topic of dicts, got a Imu"):
        record.build(Record("Imu", {}), dict)


def test_enums_go_by_number_or_by_name():
    """A member's name is taken, too, and a name that is none is told with those that are."""
    import enum

    class Mode(enum.IntEnum):
        OFF = 0
        ON = 4

    class Switch(horus.Message):
        mode: Mode = horus.field(default=Mode.OFF)
        name: str = horus.text(16, default="a")

    assert record.of(Switch(mode=Mode.ON)).value == {"mode": 4, "name": "a"}
    assert record.build(Record("", {"mode": "ON"}), Switch).mode is Mode.ON
    assert record.build(Record("Switch", {"mode": 4}), Switch).mode is Mode.ON
    with pytest.raises(BadValueError, match="Switch.mode: expected one of OFF, ON, got 'AN'"):
        record.build(Record("", {"mode": "AN"}), Switch)
    assert math.isinf(json_text.decode('{"$float": "-inf"}').value)
