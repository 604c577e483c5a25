"""`horus topic pub`: what is typed or piped becomes messages of the topic's type, exactly."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import click
import numpy as np
import pytest
from horus_cli.topic_pub import pub as command

import horus as api
from horus_core.errors import ConfigError, HorusTimeoutError, InvalidNameError, TopicTypeError
from horus_plugins.echo import packed, record
from horus_plugins.echo.publishing import Pace

DEEPER = 300_000
"""Levels that no CPython goes down: since 3.14 it is the stack that ends, of 8 MB, and no number that is counted."""


def drain(topic):
    """All that is there now: a handle that has not received yet does not know how much that is."""
    return list(iter(topic.recv, None))


@pytest.fixture(autouse=True)
def _same_depth():
    """The command lets its process go deeper; the next test shall not."""
    before = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(before)


@pytest.fixture
def pub(ns, monkeypatch):
    """The command in this process, with bytes for its stdin."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        return command.main([*map(str, arguments)], standalone_mode=False)

    return run


# spec: F23
def test_values_become_messages_of_the_topics_type(pub, capsys):
    """Of the topic that is there; of --type; else dicts, with a notice. It says what it sent."""
    velocity = api.Topic(api.CmdVel)
    pub("cmd_vel", "linear=0.5", "angular=nan")
    got = velocity.recv()
    assert got.linear == 0.5
    assert math.isnan(got.angular)
    assert capsys.readouterr().err == "horus: sent 1 on 'cmd_vel' (CmdVel), no subscribers\n"

    goal = api.Topic("goal", api.NavGoal)
    goal.recv()
    assert pub("goal", "target.x=2", "--type", "NavGoal", "--json") == 0
    assert goal.recv().target.x == 2.0
    assert json.loads(capsys.readouterr().out) == {
        "namespace": api.Topic("goal")._member.namespace, "topic": "goal", "type": "NavGoal", "sent": 1, "dropped": 0,
        "subscribers": 1,
    }  # fmt: skip

    heard = api.Topic("imu")
    pub("imu", '{"a": [1, {"$bytes": "YWI="}]}')
    assert heard.recv() == {"a": [1, b"ab"]}
    assert (
        "'imu' is new, and carries dicts: --type Imu for what this name is used for"
        in capsys.readouterr().err
    )
    pub("imu", "-3")
    assert heard.recv() == -3
    copied = api.Topic("copied")
    pub("copied", "linear=2", "--type", "topic:cmd_vel", "--latched", "-n", "3")
    assert [message.linear for message in drain(copied)] == [2.0]  # the last
    assert copied._ring.latched
    pub("cmd_vel", "--latched")
    assert velocity.recv() == api.CmdVel()
    assert "--latched has no effect" in capsys.readouterr().err


def test_what_does_not_fit_is_told_with_its_place(pub, capsys):
    """Field, expected and got, and the line of stdin; what came before it was sent."""
    velocity = api.Topic(api.CmdVel)
    for arguments, stdin, says in (
        (["cmd_vel", "linear=fast"], b"", r"on topic 'cmd_vel' failed: CmdVel.linear: expected float, got str"),
        (["cmd_vel", "linaer=1"], b"", r"got 'linaer'\. Did you mean 'linear'\?$"),
        (["cmd_vel", "-"], b'{"linear":1}\n\n{"linear":"x"}\n', r"\(line 3 of stdin\): CmdVel.linear: expected"),
        (["cmd_vel", "-"], b'{"linear":2}\nlinear=3\n', r"Reading line 2 of stdin failed: expected JSON"),
        (["cmd_vel", "-"], b'{"$type":"Imu"}', r"line 1 of stdin\): expected a CmdVel, got a Imu"),
        (["new", "-"], b'{"$type":"Nope"}', r"No message type 'Nope'.*--type topic:NAME"),
        (["dicts", "-"], b'{"a":18446744073709551616}', r"line 1 of stdin\): .*more than 64 bits at \$\.a"),
        (["dicts", "-"], b'{"a":' * DEEPER + b"1" + b"}" * DEEPER, r"line 1 of stdin.* failed"),
        (["dicts", "hello"], b"", r"expected KEY=VALUE, or one value as JSON, got 'hello'"),
        (["dicts", "-", "--format", "msgpack"], b"\x01\xc1", "message 2 of stdin .* none: FormatError"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=says):
            pub(*arguments, stdin=stdin)
        told = capsys.readouterr().err
        assert ("sent" in told) == (arguments[1] == "-"), "of stdin how many; else the error says all"
    assert [message.linear for message in drain(velocity)] == [1.0, 2.0]
    with pytest.raises(InvalidNameError, match="reserved"):
        pub("_horus.secret", "a=1")
    with pytest.raises(TopicTypeError):
        pub("cmd_vel", "--type", "NavGoal")
    with pytest.raises(HorusTimeoutError, match="Nobody subscribed to topic 'lonely'"):
        pub("lonely", "a=1", "--wait", "0.05")
    for arguments in (
        ("t", "-", "a=1"),
        ("t", "a=1", "--format", "json"),
        ("t", "--nope"),
        ("t", "a=1", "--rate", "nan"),
        ("t", "a=1", "--rate", "1e-300"),
    ):
        with pytest.raises(click.UsageError):
            pub(*arguments)


def test_streams_of_json_and_of_msgpack(pub, capsys):
    """All that comes on stdin, at most -n, after a subscriber is there, at a rate."""
    heard = api.Topic("t")
    lines = b"".join(b'{"n":%d}\n' % number for number in range(5))
    pub("t", "-", "--json", stdin=lines)
    assert [message["n"] for message in drain(heard)] == [0, 1, 2, 3, 4]
    pub("t", "-", "-n", "2", "--wait", "5", "--rate", "500", stdin=lines)
    assert [message["n"] for message in drain(heard)] == [0, 1]
    arrays = [{"a": np.arange(number)} for number in range(3)]
    stream = b"".join(packed.encode(record.of(one)) for one in arrays)
    pub("t", "-", "--format", "msgpack", stdin=stream)
    assert [message["a"].tolist() for message in drain(heard)] == [[], [0], [0, 1]]
    image = api.Image.from_numpy(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    seen = api.Topic("pictures")
    pub("pictures", "-", "--format", "msgpack", stdin=packed.encode(record.of(image)))
    assert seen.recv() == image
    start = time.monotonic()
    pub("t", "a=1", "--rate", "100", "-n", "6")
    assert time.monotonic() - start >= 5 / 100
    assert len(drain(heard)) == 6


def test_releases_stay_on_their_grid(monkeypatch):
    """What one tick is late does not move the next; who is late by more than a period begins anew, with no burst."""
    now = [1_000_000_000]
    released = []
    monkeypatch.setattr("horus_plugins.echo.publishing._native.now_ns", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + round(seconds * 1e9)))
    pace = Pace(100.0)
    for late_ms in (0, 4, 0, 25, 0, 0):
        pace.wait()
        released.append((now[0] - 1_000_000_000) // 1_000_000)
        now[0] += late_ms * 1_000_000
    assert released == [0, 10, 20, 30, 55, 65]


PIPE = "{horus} topic echo {source} {as_} {limits} | {horus} topic pub {target} {type} {from_} -"


# spec: A20 A21 A23 A24
@pytest.mark.parametrize(
    ("way", "names"),
    [("--json", ("dicts", "grid", "camera", "odd")), ("--format msgpack", ("dicts", "camera"))],
)
def test_echo_piped_into_pub_is_the_same_topic_again(ns, wait_for, way, names):
    """Real processes: dicts with anything in them, messages, maps, images, a class that nobody has installed."""

    class Odd(api.Message):
        number: api.u64 = 0
        ratio: api.f32 = 0.0
        parts: tuple = api.array(api.Point3, 4, bounded=True)
        name: str = api.text(16)

    cases = {
        "dicts": [{"f": [math.inf, -0.0, 1e300, 2**64 - 1], 7: b"\x00\xff", "$type": "x", "a": np.eye(2, dtype="f2"),
                   "é": "機\x1b[31m\u202e"}],
        "grid": [api.OccupancyGrid.from_numpy(np.arange(-60, 60, dtype=np.int8).reshape(10, 12), resolution=0.5)],
        "camera": [api.Image.from_numpy(np.arange(60000, dtype="u2").reshape(200, 300)) for _ in range(3)],
        "odd": [Odd(number=2**64 - 1, ratio=0.1, parts=[api.Point3(x=math.nan)], name="é")],
    }  # fmt: skip
    types = {"dicts": dict, "grid": api.OccupancyGrid, "camera": api.Image, "odd": Odd}
    sources = {name: api.Topic(name, types[name]) for name in names}
    heard = {name: api.Topic(f"{name}.copy") for name in names}
    lines = {
        name: PIPE.format(
            horus=f"{sys.executable} -m horus_cli", source=name, target=f"{name}.copy", as_=way, from_=way,
            limits=f"-n {len(cases[name])}", type="--type topic:odd" if name == "odd" else "",
        )
        for name in names
    }  # fmt: skip
    with shells(lines) as pipes:
        for name in names:
            wait_for(lambda: "horus-echo" in sources[name].subscribers, f"echo {name}")  # noqa: B023
        for (
            name
        ) in names:  # each is heard at once: who has sent all ends, and nothing is kept for who comes later
            for message in cases[name]:
                sources[name].send(message)
            for message in cases[name]:
                if not heard[name].wait(30):
                    pytest.fail(f"{name}: missed {heard[name].missed}, {pipes[name].communicate(timeout=30)}")
                again = heard[name].recv()
                if name == "dicts":
                    assert repr(again) == repr(message)
                    assert again["a"].dtype == message["a"].dtype
                elif name == "odd":
                    assert again.to_wire() == message.to_wire()
                else:
                    assert again == message
        for name in names:
            out, err = pipes[name].communicate(timeout=30)
            assert pipes[name].returncode == 0, err
            assert f"sent {len(cases[name])} on" in err or json.loads(out)["sent"] == len(cases[name])


@contextlib.contextmanager
def shells(lines):
    """Lines of a shell that run, by name; with all that they have started they are gone at the end."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    started = {name: subprocess.Popen(["sh", "-c", line], **options) for name, line in lines.items()}
    try:
        yield started
    finally:
        for process in started.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def test_ctrl_c_ends_it_and_it_says_what_it_sent(horus, ns):
    """130, also while it holds a latched topic for those who come later."""
    holder = horus("topic", "pub", "mode", "mode=auto", "--latched", "--hold")
    mode = api.Topic("mode")
    assert mode.wait(30)
    assert mode.recv() == {"mode": "auto"}
    assert api.Topic("mode").recv() == {"mode": "auto"}
    holder.signal(signal.SIGINT)
    assert holder.wait() == 130
    assert re.search(r"sent 1 on 'mode' \(dict\), 1 subscriber\n", holder.stderr)


def test_the_examples_of_the_help_work(pub, capsys):
    """Each line of `horus topic pub --help`. The pipe is tested above."""
    examples = re.findall(r"^\s*(horus topic pub .*?)(?:\s{2,}#.*)?$", command.help, re.MULTILINE)
    assert len(examples) >= 4
    import shlex

    api.Topic(api.NavGoal)
    for example in examples:
        words = shlex.split(example)[3:]
        assert pub(*[word if word != "50" else "2" for word in words]) == 0, example
    assert "dropped" not in capsys.readouterr().err
