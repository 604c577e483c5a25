"""Messages in lines for people: every field with its unit, long things short, and nobody steers the terminal."""

from __future__ import annotations

import enum

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from samples import STANDARD, dicts, payloads

import horus
from horus_core.text import plain_name
from horus_plugins.echo.text import Text, f32

HOSTILE = "\x1b[2J\x1b]0;x\x07\n---\nlinear: 9\u202e\u2028\x9b31m\r\x00é機"


def lines(message, **options):
    return list(Text(**options).lines(message))


def test_fields_have_their_units_and_shortest_numbers():
    """A line a field; 0.1 as f32 is 0.1; nested messages are indented; an enum has its name."""
    assert lines(horus.CmdVel(linear=0.1, angular=-2.0, timestamp_ns=7)) == [
        "linear: 0.1 m/s", "angular: -2.0 rad/s", "timestamp_ns: 7 ns",
    ]  # fmt: skip
    assert lines(horus.NavGoal(x=2.0))[:3] == ["target:", "  x: 2.0 m", "  y: 0.0 m"]

    class Grip(enum.IntEnum):
        OPEN = 3

    class Gripper(horus.Message):
        grip: Grip = horus.field(default=Grip.OPEN)
        parts: tuple = horus.array(horus.Point3, 2)
        names: tuple = horus.array(horus.text(8), 2)
        ok: horus.bool_ = True

    assert lines(Gripper(names=["a", '"b"'])) == [
        "grip: 3 (OPEN)",
        "parts:", "  - x: 0.0 m", "    y: 0.0 m", "    z: 0.0 m", "  - x: 0.0 m", "    y: 0.0 m", "    z: 0.0 m",
        'names: ["a", "\\"b\\""]',
        "ok: true",
    ]  # fmt: skip


def test_dicts_and_lists_are_nested():
    """Keys that are no plain words are quoted; numbers, text and bytes are told apart."""
    value = {
        "a": {"b": [1, 2.5, None], "c": [{"x": 1, "y": {}}, [[1], []]]},
        "1": "one", 1: b"\x00\xff", "x: 1": True, "": (), "t": 'say "hi"\n',
    }  # fmt: skip
    assert lines(value) == [
        "a:", "  b: [1, 2.5, null]", "  c:", "    - x: 1", "      y: {}", "    -   - [1]", "        - []",
        '"1": "one"', "1: b'\\x00\\xff'", '"x: 1": true', '"": []', 't: "say \\"hi\\"\\n"',
    ]  # fmt: skip
    assert lines(3.5) == ["3.5"]
    assert lines([1, 2]) == ["[1, 2]"]
    assert lines({}) == ["{}"]


def test_what_is_long_is_summarised_unless_all_is_wanted():
    """Arrays, lists, texts and bytes; with `full` everything."""
    scan = horus.LaserScan(ranges=np.arange(100, dtype="f4") / 10)
    (ranges,) = [line for line in lines(scan) if line.startswith("ranges")]
    assert ranges == (
        "ranges: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, …, 9.4, 9.5, 9.6, 9.7, 9.8, 9.9] "
        "(100 float32, min 0.0, max 9.9, mean 4.95) m"
    )
    (full,) = [line for line in lines(scan, full=True) if line.startswith("ranges")]
    assert full.count(",") == 99
    value = {"l": [None] * 40, "t": "x" * 300, "b": b"x" * 300, "m": np.eye(3), "d": [{"a": 1}] * 20}
    shown = "\n".join(lines(value))
    assert "null, …, null" in shown
    assert "(40)" in shown
    assert "(300 characters)" in shown
    assert "(300 bytes)" in shown
    assert "m: (3 x 3 float64, min 0.0, max 1.0, mean 0.333333)" in shown
    assert "  … 20 in all" in shown
    assert "…" not in "\n".join(lines(value, full=True))
    path = horus.NavPath(waypoints=[horus.Waypoint()] * 50)
    assert "  … 50 in all" in lines(path)
    assert sum("time_from_start" in line for line in lines(path, full=True)) == 50


def test_payloads_are_told_by_size_and_range():
    """An image's numbers, without its pixels; what is not finite is left out of them."""
    image = horus.DepthImage.from_numpy(np.array([[1.0, np.nan], [np.inf, 3.0]], "f4"))
    assert lines(image)[0:3] == ["height: 2", "width: 2", 'encoding: "mono32f"']
    assert lines(image)[-1] == "data: 16 bytes, min 1.0, max 3.0, mean 2, 2 not finite"
    large = horus.Image.from_numpy(np.full((600, 600), 7, np.uint8))
    assert lines(large)[-1] == "data: 360000 bytes, min 7, max 7, mean 7 of every 2nd"
    for message in payloads():
        assert lines(message)[-1].startswith(f"data: {message.nbytes} bytes")


@settings(
    max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck]
)
@given(value=dicts())
def test_any_value_is_shown(value):
    """Whatever a dict topic carries, in printable lines, short and in full."""
    for full in (False, True):
        assert all(plain_name(line) == line for line in lines(value, full=full))


def test_hostile_text_forges_no_line_and_steers_no_terminal():
    """Control characters, escape sequences and direction marks are shown, as values and as keys; letters stay."""
    beat = horus.Heartbeat(node_name="a\x1b[31m\n\u202eé")
    assert 'node_name: "a\\x1b[31m\\n\\x202eé"' in lines(beat)
    nested = {HOSTILE: HOSTILE, "a": [{HOSTILE: [HOSTILE]}], "n": np.str_(HOSTILE), "b": [HOSTILE] * 40}
    for full in (False, True):
        shown = lines(nested, full=full)
        assert len(shown) == len(lines({"k": "v", "a": [{"k": ["v"]}], "n": 1, "b": [""] * 40}))
        assert all(line.isprintable() for line in shown)
        assert "é機" in shown[0]


@pytest.mark.parametrize("cls", STANDARD, ids=lambda cls: cls.__name__)
def test_every_standard_message_has_a_line_for_each_field(cls):
    """Nothing is left out."""
    shown = lines(cls())
    for one in cls.__descriptors__:
        if not one.alias:
            assert any(line.startswith(f"{one.name}:") for line in shown)


@pytest.mark.parametrize(
    "value", [0.1, 1e-45, 3.4028235e38, -0.0, float("nan"), float("inf"), 16777217.0, 123456.79]
)
def test_f32_reads_as_the_same_number(value):
    """And short: 0.1 is 0.1."""
    single = float(np.float32(value))
    assert np.float32(float(f32(single))).tobytes() == np.float32(single).tobytes() or single != single  # noqa: PLR0124
    assert len(f32(single)) <= len(str(np.float32(value))) + 5
