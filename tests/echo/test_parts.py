"""Paths, columns, what a user types, pictures and plots."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from PIL import Image as Pillow
from samples import images

import horus
from horus_core.errors import ConfigError, HorusError
from horus_core.text import plain_name
from horus_plugins.echo import arguments, paths, plot, png, saving
from horus_plugins.echo.columns import Table
from horus_plugins.echo.plotting import Plotter
from horus_plugins.echo.record import BadValueError, build


@pytest.mark.parametrize(
    "text", ["pose.x", "ranges[3]", "a.b[-1].c", '["odd key"].b', "a[0][1]", '["$x"]', "a-b"]
)
def test_a_path_is_written_as_it_is_read(text):
    """Names, indexes, and keys in quotes."""
    assert paths.text(paths.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", ".a", "a b", "a[", "a[x]", "a[1", "a[99999999999999999999]", "a."]
)
def test_what_is_no_path_is_refused(text):
    """With an example of what is one."""
    with pytest.raises(ConfigError, match="expected names and indexes"):
        paths.parse(text)


def test_a_path_leads_into_messages_dicts_lists_and_arrays():
    """And where it leads nowhere, what there is instead."""
    path = horus.NavPath(waypoints=[horus.Waypoint(), horus.Waypoint()])
    path.waypoints[1].pose.x = 4.0
    value = {"a": [{"b": np.arange(6).reshape(2, 3)}], 7: "x", "s": np.zeros(2, [("f", "f4")])}
    assert paths.get(path, paths.parse("waypoints[-1].pose.x")) == 4.0
    assert paths.get(value, paths.parse("a[0].b[1][2]")) == 5
    assert paths.get(value, paths.parse('["7"]')) == "x"
    assert paths.get(value, paths.parse("s.f[0]")) == 0.0
    assert paths.get(horus.Imu(accel_x=2.0), paths.parse("accel_x")) == 2.0
    for where, text, says in (
        (path, "waypoints[2]", r"waypoints has 2 elements, and no \[2\]"),
        (path, "waypoint", "the message has .* Did you mean 'waypoints'"),
        (value, "a[0].c", r"a\[0\] has b, and no 'c'"),
        (value, "a[0].b[5]", "has 2 elements"),
        (value, "a.b", "a is a list, and has no 'b'"),
        ({"x": 1}, "x[0]", r"x is an int, and has no 0"),
        ({"x": "text"}, "x[0]", "x is a str"),
    ):
        with pytest.raises(LookupError, match=says):
            paths.get(where, paths.parse(text))


def _read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_columns_are_values_and_cells_are_quoted():
    """Fixed arrays are columns, lists are JSON; commas, quotes and line ends come back; later columns are told."""
    table = Table(about=("sequence",))
    rows = _read(table.rows(horus.Twist(), {"sequence": 3}) + table.rows(horus.Twist(), {"sequence": 4}))
    assert rows[0] == [
        "sequence", "linear[0]", "linear[1]", "linear[2]", "angular[0]", "angular[1]", "angular[2]", "timestamp_ns",
    ]  # fmt: skip
    assert [row[0] for row in rows[1:]] == ["3", "4"]
    table = Table()
    odd = 'a,"b"\r\n\rc\n'
    first = table.rows({"t": odd, "n": {"x y": math.nan, "l": [1, {"$float": 2}]}, "b": True, "0": None})
    assert _read(first) == [
        ["t", 'n["x y"]', "n.l", "b", '["0"]'],
        [odd, "nan", '[1,{"$dict":[["$float",2]]}]', "true", ""],
    ]
    assert _read(table.rows({"t": 1, "more": 2})) == [["1", "", "", "", ""]]
    assert table.extra == ["more"]
    scan = Table([paths.parse("ranges[1]"), paths.parse("ranges")])
    assert _read(scan.rows(horus.LaserScan(ranges=[1, 2.5]))) == [
        ["ranges[1]", "ranges"],
        ["2.5", "[1.0,2.5]"],
    ]
    assert "\x1b" not in Table(clean=plain_name).rows({"\x1b[31m": "\x1b[31m"})
    assert _read(Table().rows(7)) == [["value"], ["7"]]


@pytest.mark.parametrize(
    ("words", "cls", "value"),
    [
        (["linear=0.5", "angular=-1"], horus.CmdVel, {"linear": 0.5, "angular": -1}),
        (["linear=nan"], horus.CmdVel, {"linear": math.nan}),
        (["node_name=123", "alive=1"], horus.Heartbeat, {"node_name": "123", "alive": 1}),
        (["target.x=1", "target.theta=inf"], horus.NavGoal, {"target": {"x": 1, "theta": math.inf}}),
        (["linear[2]=3"], horus.Twist, {"linear": [0.0, 0.0, 3]}),
        (["linear[0]=3", "linear[1]=4"], horus.Twist, {"linear": [3, 4, 0.0]}),
        (["names[0]=a", "names[1]=b"], horus.JointState, {"names": ["a", "b"]}),
        (['{"linear": 1}'], horus.CmdVel, {"linear": 1}),
        ([], horus.CmdVel, {}),
        (["a=1", "b=text", "c=true", "d=null", "e=[1, 2]", "f.g=2", 'h="7"', "i=nan"], dict,
         {"a": 1, "b": "text", "c": True, "d": None, "e": [1, 2], "f": {"g": 2}, "h": "7", "i": "nan"}),
        (["l[0].x=1", "l[1].x=2", "s=a=b"], dict, {"l": [{"x": 1}, {"x": 2}], "s": "a=b"}),
        (['b={"$bytes": "YQ=="}'], dict, {"b": b"a"}),
        (["3.5"], dict, 3.5),
        (['"text"'], dict, "text"),
    ],
)  # fmt: skip
def test_what_a_user_types_is_a_value(words, cls, value):
    """KEY=VALUE with paths, numbers and words as the field wants them, or JSON."""
    said = arguments.parse(words, cls)
    assert repr(said.value) == repr(value)
    assert build(said, cls) is not None


@pytest.mark.parametrize(
    ("words", "cls", "says"),
    [
        ([], dict, "got none"),
        (["hello"], dict, "expected KEY=VALUE, or one value as JSON, got 'hello'"),
        (["a=1", "b"], dict, "got 'b'"),
        (["{a: 1}"], dict, "expected JSON"),
        (["a..b=1"], dict, "Bad path"),
        (["l[2]=1"], dict, r"l\[2\]: expected the next index 0, got 2"),
        (["a=1", "a.b=2"], dict, "expected a place inside a dict or list, got one inside 1"),
        (['a={"$x": 1}'], dict, "a: expected one of"),
    ],
)
def test_what_is_no_value_is_refused(words, cls, says):
    """Saying what was expected."""
    with pytest.raises(BadValueError, match=says):
        arguments.parse(words, cls)


def test_pictures_are_what_other_readers_see(tmp_path):
    """Of each encoding that PNG has: Pillow reads the same pixels. Of floats the error names .npy."""
    for image in images():
        path = tmp_path / f"{image.encoding}.png"
        if image.encoding in ("mono32f", "rgb32f"):
            with pytest.raises(HorusError, match=r"save it as \.npy"):
                saving.save(image, str(path), 0)
            continue
        saving.save(image, str(path), 0)
        with Pillow.open(path) as opened:
            seen = np.asarray(opened)
        assert seen.shape[:2] == (image.height, image.width)
        pixels = image.to_numpy()
        if image.encoding == "yuv422":
            pixels = png.pixels(image)
        elif image.encoding in ("bgr8", "bgra8"):
            pixels = pixels[..., [2, 1, 0, 3][: image.channels]]
        assert np.array_equal(seen, pixels), image.encoding


def test_grey_of_yuv_is_grey():
    """By BT.601: black, white and pure red, also with an odd width."""
    uyvy = np.full((1, 5, 2), 128, np.uint8)
    uyvy[0, :, 1] = (16, 235, 16, 81, 81)
    uyvy[0, 2:4, 0] = (90, 240)
    uyvy[0, 4, 0] = 90
    seen = png.pixels(horus.Image.from_numpy(uyvy, "yuv422"))
    assert seen[0, 0].tolist() == [0, 0, 0]
    assert (seen[0, 1] >= 254).all()
    assert abs(seen[0, 3].astype(int) - [254, 0, 0]).max() <= 2


def test_depths_are_saved_in_millimetres(tmp_path):
    """Rounded; 0 where there is none, the largest number for what is too far."""
    depth = np.array([[1.2344, np.nan, -1.0], [np.inf, 100.0, 0.0004]], "f4")
    path = saving.save(horus.DepthImage.from_numpy(depth), str(tmp_path / "{n}.png"), 3)
    assert path.name == "000003.png"
    with Pillow.open(path) as opened:
        assert np.asarray(opened).tolist() == [[1234, 0, 0], [0, 65535, 0]]


def test_arrays_are_saved_as_numpy_has_them(tmp_path):
    """Tensors, point clouds, images, arrays and lists of numbers; a compressed image as it is; else an error."""
    array = np.arange(6, dtype="f4").reshape(2, 3)
    for value in (horus.Tensor.from_numpy(array), horus.PointCloud.from_numpy(array), array, array.tolist()):
        path = saving.save(value, str(tmp_path / "a.npy"), 0)
        assert np.array_equal(np.load(path), array)
    jpeg = horus.CompressedImage(format="jpeg", data=np.frombuffer(b"\xff\xd8jpeg", "u1"))
    assert saving.save(jpeg, str(tmp_path / "a.jpg"), 0).read_bytes() == b"\xff\xd8jpeg"
    for value, name, says in (
        (jpeg, "a.png", r"ends in \.jpg"),
        ({"a": 1}, "a.npy", "expected an image, .* got dict"),
        (array, "a.txt", r"ends in \.png or \.npy"),
        (array, "a.png", "of uint8 or uint16"),
        (array, "none/a.npy", "No such file"),
        (horus.Tensor.zeros((1,), "bfloat16"), "a.npy", "bfloat16"),
    ):
        with pytest.raises(HorusError, match=says):
            saving.save(value, str(tmp_path / name), 0)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jpg", "a.npy"]


def _dots(lines):
    return [list(line.partition("┤")[2]) for line in lines[:-1]]


def test_a_plot_has_the_points_where_they_belong():
    """A rising line goes from the lower left to the upper right; labels are the range; gaps stay gaps."""
    points = [(int(second * 1e9), second) for second in range(11)]
    lines = plot.draw(points, int(10e9), 10.0, 60, 12)
    assert len(lines) == 12
    assert lines[0].split("┤")[0].strip() == "10"
    assert lines[-2].split("┤")[0].strip() == "0"
    first = [next((x for x, dot in enumerate(row) if dot != "⠀"), 99) for row in _dots(lines)]
    assert first == sorted(first, reverse=True)
    assert first[-1] == 0
    assert all(len(line) <= 60 for line in lines)
    assert "-10 s" in lines[-1]
    gap = plot.draw([(0, 1.0), (1, math.nan), (int(10e9), 1.0)], int(10e9), 10.0, 60, 6)
    assert sum(dot != "⠀" for row in _dots(gap) for dot in row) == 2
    for odd in ([], [(5, math.inf)], [(5, 1e308), (6, -1e308)], [(5, 7.0)]):
        assert len(plot.draw(odd, int(10e9), 10.0, 3, 1)) == 2


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (10.9995, 11.0005, ["11.0005", "11", "10.9995"]),
        (1e6, 1e6 + 1, ["1000001", "1000000.5", "1000000"]),
        (0.1, 0.2, ["0.2", "0.15", "0.1"]),
        (-1.7e308, 1.7e308, ["1.7e+308", "0", "-1.7e+308"]),
        (5, 5, ["5.5", "5", "4.5"]),
    ],
)
def test_labels_of_a_narrow_range_differ(low, high, labels):
    """A value that hardly changes has labels that can be told apart: never one number at two heights."""
    lines = plot.draw([(0, low), (9 * 10**9, high)], 10**10, 10, 60, 12)
    assert [text for line in lines[:-1] if (text := line.split("┤")[0].strip())] == labels


def test_keys_change_the_plot():
    """Shorter and longer windows, a pause, the end."""
    plotter = Plotter("imu  x")
    assert "waiting" in plotter.lines(60, 10)[0]
    plotter.add([(1, 2.5)])
    assert "2.5" in plotter.lines(60, 10)[0]
    plotter.press("+")
    assert "-5 s" in plotter.lines(60, 10)[-2]
    plotter.press("-")
    plotter.press("-")
    assert "-20 s" in plotter.lines(60, 10)[-2]
    plotter.press(" ")
    assert plotter.lines(60, 10)[0].endswith("paused")
    plotter.press(" ")
    assert not plotter.lines(60, 10)[0].endswith("paused")
    assert plotter.lines(60, 10, "missed 3")[-1] == "missed 3"
    assert not plotter.over
    plotter.press("q")
    assert plotter.over
