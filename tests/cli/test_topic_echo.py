"""`horus topic echo`: everything that comes, in every format, and nobody is disturbed by it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import numpy as np
import pytest
from horus_cli.topic_echo import echo as command

import horus as api
from horus_core.errors import ConfigError, HorusTimeoutError
from horus_core.shm import namespace
from horus_plugins.echo import packed, waiting
from horus_plugins.echo.following import Output, follow
from horus_plugins.echo.formats import AsJson
from horus_plugins.echo.listening import Limits, Listener, Looked

FUTEX = 192
"""Where a region's futex word lies (docs/protocol.md); its lowest bit says that somebody sleeps."""


@pytest.fixture(autouse=True)
def _same_depth():
    """The command lets its process go deeper; the next test shall not."""
    before = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(before)


def nested(depth, value: object = 1):
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def echo(*arguments):
    """The command in this process; what it prints goes to capfd."""
    try:
        return command.main([*map(str, arguments)], standalone_mode=False)
    finally:
        sys.stdout.flush()


@contextlib.contextmanager
def feeding(*pairs, pause_s=0.005):
    """Publish on topics, again and again, on a thread: (topic, number -> message)."""
    over = threading.Event()

    def feed():
        number = 0
        while not over.wait(pause_s):
            for topic, make in pairs:
                topic.send(make(number))
            number += 1

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def sleepers(ns, topic):
    with Path(f"/dev/shm/{namespace.topic_region(ns, topic)}").open("rb") as region:
        region.seek(FUTEX)
        return struct.unpack("<I", region.read(4))[0] & 1


# spec: A50 C17 F22
def test_another_process_sees_what_is_published(horus, ns):
    """From any process: fields with units, of a class that it lacks; Ctrl+C is quiet; it never sleeps on it."""

    class Grip(api.Message, topic="grip"):
        width: api.f32 = api.field(default=0.0, unit="mm")
        names: tuple = api.array(api.text(8), 2)

    grip = api.Topic(Grip, _node="gripper")
    shown = horus("topic", "echo", "grip", "--meta")
    with feeding((grip, lambda number: Grip(width=number + 0.1, names=["a", "b\x1b[31m"]))):
        shown.shows("---", times=30)
        assert not sleepers(ns, "grip")
        assert "horus-echo" in grip.subscribers
        shown.signal(signal.SIGINT)
        assert shown.wait() == 130
    lines = shown.stdout.split("---\n")[0].splitlines()
    assert re.fullmatch(r"# \d+  20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z  gripper", lines[0])
    assert re.fullmatch(r"width: [\d.]+\.1 mm", lines[1])
    assert lines[2] == 'names: ["a", "b\\x1b[31m"]'
    assert shown.stderr.strip() == ""


# spec: F24
def test_formats(ns, capfdbinary, monkeypatch, tmp_path):
    """Text, JSON, CSV and files of the newest message that is there, of fields of it, and at a rate."""
    monkeypatch.chdir(tmp_path)
    odom = api.Topic(api.Odometry, latched=True, _node="base")
    odom.send(api.Odometry(x=1.5, theta=math.nan))
    status = api.Topic("status", dict)
    for number in range(3):
        status.send({"number": number, "a": {"b": [number, 5]}, "t": 'x,"y"\n'})
    camera = api.Topic("camera", api.Image)
    camera.send(api.Image.from_numpy(np.full((4, 6, 3), 7, np.uint8)))

    def out(*arguments):
        assert echo(*arguments) in (0, None)
        return capfdbinary.readouterr().out.decode()

    assert out("odom", "--once").splitlines()[:2] == ["pose:", "  x: 1.5 m"]
    found = json.loads(out("odom", "--once", "--json", "--meta"))
    assert found["topic"] == "odom"
    assert found["publisher"] == "base"
    assert found["$message"]["$type"] == "Odometry"
    assert found["$message"]["pose"]["theta"] == {"$float": "nan"}
    assert out("odom", "--once", "-f", "pose.x") == "1.5\n"
    assert out("odom", "--once", "-f", "pose.x", "-f", "frame_id") == 'pose.x: 1.5\nframe_id: ""\n'
    rows = list(csv.DictReader(io.StringIO(out("odom", "--once", "--csv"))))
    assert rows[0]["pose.theta"] == "nan"
    assert rows[0]["pose_cov[35]"] == "0.0"
    assert json.loads(out("status", "--latest", "--once", "--json", "-f", "a.b[0]")) == 2
    assert json.loads(out("status", "--latest", "--once", "--format", "json", "-f", "number", "-f", "a.b")) == {
        "number": 2, "a.b": [2, 5],
    }  # fmt: skip
    assert out("status", "--latest", "--once", "--csv", "--meta").startswith(
        "topic,sequence,time,publish_ns,publ"
    )
    assert out("camera", "--latest", "--once").splitlines()[-2] == "data: 72 bytes, min 7, max 7, mean 7"
    echo("camera", "--latest", "--save", "frame.png")
    assert Path("frame.png").read_bytes()[:4] == b"\x89PNG"
    echo("status", "--latest", "--save", "a{n}.npy", "-n", "1", "-f", "a.b")
    assert np.load("a000000.npy").tolist() == [2, 5]
    with feeding((status, lambda number: {"number": number})):
        start = time.monotonic()
        numbers = [int(line) for line in out("status", "--rate", "50", "-n", "4", "-f", "number").split()]
        assert time.monotonic() - start >= 3 / 50
        assert numbers == sorted(set(numbers))
        assert out("status", "--duration", "0.5", "--csv", "-f", "number").startswith("number\n")


def test_what_is_nested_deeply_is_shown_or_told(ns, capfdbinary, tmp_path):
    """As deep as Python sends; what cannot be shown is told, does not count, and the next message is shown."""
    topic = api.Topic("deep", dict, latched=True)
    topic.send(nested(900, math.nan))  # JSON has no NaN: what is to say it instead is written step by step
    told = []
    listener = Listener("deep", told.append)
    if sys.version_info >= (3, 12):  # where the levels that C goes down, which reads it, are not counted
        sys.setrecursionlimit(500)
    with (tmp_path / "out").open("w+b") as out:
        topic.send({"b": 2})
        follow(listener, Limits(count=1), AsJson("deep", ()), Output(out))
        out.seek(0)
        assert out.read() == b'{"b":2}\n'
    assert told[0].startswith("a message cannot be read: RecursionError")
    assert told[1] == "1 messages, 0 missed, 1 could not be read"
    topic.send(nested(900))
    for form in ("text", "json", "csv", "msgpack"):
        assert echo("deep", "--once", "--format", form) is None
        out = capfdbinary.readouterr().out
        assert b"a" in out
    assert len(packed.decode(out).value[0]["a"]) == 1


def test_options_that_make_no_sense_are_usage_errors(ns, capfd):
    """Said before anything is waited for; and fields that a message can never have."""
    for arguments in (
        ("t", "--json", "--csv"),
        ("t", "--plot", "x"),
        ("t", "--plot", "x", "--json"),
        ("t", "--format", "msgpack", "--meta"),
        ("t", "--save", "a.png", "-n", "3"),
        ("t", "--rate", "nan"),
        ("t", "--rate", "1e-300"),
        ("t", "-n", "0"),
        ("t", "--save", "a.npy", "-f", "a", "-f", "b"),
    ):
        with pytest.raises(click.UsageError):
            echo(*arguments)
    with pytest.raises(ConfigError, match="expected names and indexes"):
        echo("t", "-f", "a..b")
    velocity = api.Topic(api.CmdVel, latched=True)
    velocity.send(api.CmdVel())
    with pytest.raises(ConfigError, match="no 'linaer'. Did you mean 'linear'"):
        echo("cmd_vel", "-f", "linaer")
    assert not namespace.regions(ns)[1:] or namespace.topic_region(ns, "t") not in namespace.regions(ns)
    values = api.Topic("values", dict, latched=True)
    with feeding((values, lambda number: {"a": number} if number % 2 else {"b": 1})):
        echo("values", "-f", "a", "-n", "3")
    shown = capfd.readouterr()
    assert len(shown.out.split()) == 3
    assert shown.err.count("passing over messages without the field: the message has b, and no 'a'") <= 1


def test_nothing_comes(horus, ns, monkeypatch):
    """It waits, and says once what for; --timeout ends that with 124, and no topic is made by looking at it."""
    other = api.Topic("cmd_vel", dict)
    other.send({})
    waits = horus("topic", "echo", "cmd_ve", "--timeout", "3")
    looked = Looked("cmd_veI")
    assert waiting.reason(looked).endswith("yet. Did you mean 'cmd_vel'?")
    assert "it is published by" in waiting.reason(Looked("cmd_vel"))
    quiet = api.Topic("cmd_vel")
    assert waits.wait() == 124
    other.close()
    assert f"nobody publishes 'cmd_vel' in namespace {ns!r} now" in waiting.reason(Looked("cmd_vel"))
    monkeypatch.setenv("HORUS_NAMESPACE", f"{ns}-other")
    elsewhere = api.Topic("far", dict)
    monkeypatch.setenv("HORUS_NAMESPACE", ns)
    assert waiting.reason(Looked("far")).endswith(f"it is in namespace '{ns}-other': --namespace {ns}-other")
    elsewhere.close()
    with pytest.raises(HorusTimeoutError, match=r"within 0.05 s, got none\. "):
        echo("nothing", "--timeout", "0.05")
    quiet.close()
    assert waits.stdout == ""
    assert waits.stderr.count("Did you mean 'cmd_vel'?") == 1
    assert {"cmd_ve", "nothing", "far"}.isdisjoint(map(namespace.topic_of, namespace.regions(ns)))


def test_a_reader_that_leaves_ends_it_quietly(ns, wait_for):
    """`| head -1`, also while nothing comes any more."""
    topic = api.Topic("t", dict)
    shell = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -m horus_cli topic echo t --json | head -1; echo left"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: "horus-echo" in topic.subscribers, "the command subscribes")
    topic.send({"n": 1})  # and nothing more
    out, err = shell.communicate(timeout=30)
    assert out == '{"n":1}\nleft\n'
    assert err == ""
    wait_for(lambda: "horus-echo" not in topic.subscribers, "the command has ended")


def test_what_is_missed_is_counted_and_a_stopped_reader_stops_nobody(horus, ns, wait_for):
    """SIGSTOP: publishers go on; afterwards stderr says how many were overwritten, as it happens and at the end."""
    topic = api.Topic("fast", dict, capacity=8)
    reader = horus("topic", "echo", "fast", "--json")
    with feeding((topic, lambda number: {"n": number})):
        reader.shows('"n"')
    wait_for(lambda: next(iter(topic._ring.subscribers()))["cursor"] == topic._ring.front, "all were read")
    reader.signal(signal.SIGSTOP)
    stat = Path(f"/proc/{reader.pid}/stat")
    wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
    for _ in range(108):
        assert topic.send({"n": -1})
    reader.signal(signal.SIGCONT)
    reader.shows("missed 100 messages")
    reader.signal(signal.SIGINT)
    assert reader.wait() == 130
    told = [int(number) for number in re.findall(r"missed (\d+) messages", reader.stderr)]
    assert 100 in told  # before it stood still a loaded machine may have kept it from looking
    assert reader.stderr.strip().endswith(f" messages, {sum(told)} missed")
    assert reader.stdout.count('{"n":-1}') == 8


def test_a_topic_that_is_made_anew_goes_on(horus, ns):
    """Also when it has another type then; and messages that were not to be shown count nowhere."""
    old = api.Topic("t", api.CmdVel)
    shown = horus("topic", "echo", "t", "--json")
    with feeding((old, lambda number: api.CmdVel(linear=number))):
        shown.shows("CmdVel")
    old.close()
    os.unlink(f"/dev/shm/{namespace.topic_region(ns, 't')}")  # noqa: PTH108 - shared memory
    new = api.Topic("t", dict)
    with feeding((new, lambda number: {"new": number})):
        shown.shows('{"new"')
    shown.signal(signal.SIGINT)
    assert shown.wait() == 130
    assert shown.stderr.strip() == ""


def test_a_message_that_cannot_be_read_is_told_once(ns):
    """And the others are shown."""
    topic = api.Topic("t", dict)
    told = []
    listener = Listener("t", told.append)
    listener.topic.recv()
    topic.send({"first": 1})
    topic._send_bytes(b"\xc1")
    topic._send_bytes(b"\xc1")
    topic.send({"good": 1})
    (batch,) = [batch for batch in listener.listen(Limits(count=2)) if batch]
    listener.close()
    assert [seen.message for seen in batch] == [{"first": 1}, {"good": 1}]
    assert len(told) == 2
    assert told[0].startswith("a message cannot be read: ")
    assert told[1] == "2 messages, 0 missed, 2 could not be read"


def test_looks_come_as_often_as_the_ring_needs(ns):
    """A small ring that fills quickly is looked at more often; a quiet topic some 50 times a second."""
    topic = api.Topic("t", dict, capacity=4)
    listener = Listener("t", lambda _line: None)
    pauses = []
    with feeding((topic, lambda number: number), pause_s=0.0005):
        pauses += [listener._pause_s for _ in zip(listener.listen(Limits()), range(40), strict=False)]
    assert min(pauses) < 0.01
    pauses += [listener._pause_s for _ in zip(listener.listen(Limits()), range(40), strict=False)]
    assert pauses[-1] == 0.02
    listener.close()


def test_the_examples_of_the_help_work(ns, tmp_path):
    """Each line of `horus topic echo --help`, as it stands there, in a shell; the plot in test_topic_terminal.py."""
    examples = re.findall(r"^\s*(horus topic echo .*?)(?:\s{2,}#.*)?$", command.help, re.MULTILINE)
    assert len(examples) >= 5
    feeds = (
        (api.Topic(api.CmdVel), lambda number: api.CmdVel(linear=number)),
        (api.Topic(api.LaserScan), lambda number: api.LaserScan(ranges=[number])),
        (api.Topic(api.Odometry), lambda number: api.Odometry(x=number)),
        (api.Topic("camera.rgb", api.Image), lambda _: api.Image.from_numpy(np.zeros((2, 2, 3), np.uint8))),
        (api.Topic("a", dict), lambda number: {"n": number}),
    )
    heard = api.Topic("b")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": environment, "cwd": tmp_path}
    examples = [example for example in examples if "--plot" not in example]
    with feeding(*feeds):
        started = [subprocess.Popen(["sh", "-c", one], start_new_session=True, **options) for one in examples]
        try:
            assert heard.wait(30)
            for process, example in zip(started, examples, strict=True):
                if ">" not in example and "|" not in example:
                    assert process.stdout.readline(), example
            saved = tmp_path / "odom.csv"
            deadline = time.monotonic() + 30
            while not (saved.exists() and saved.read_text().count("\n") > 2) and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            for process in started:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
                process.communicate(timeout=30)
    assert saved.read_text().startswith("pose.x,pose.y")
    assert (tmp_path / "frame.png").read_bytes()[:4] == b"\x89PNG"
