"""`horus logs`: all processes in one list, living or dead, followed and filtered."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner
from horus_cli.logs import logs

from horus_core.shm import namespace
from horus_plugins.monitor import logs as monitor

LEVELS = ("debug", "info", "warning", "error", "critical")
SECOND = 10**9


@pytest.fixture
def written(ns):
    """Writes files as any language could: `written(pid, (number, seconds ago, level, node, text), ...)`."""
    folder = namespace.directory(ns) / "logs"
    folder.mkdir()
    now = time.time_ns()

    def write(pid, *lines, segment=1, tail=b""):
        made = [
            {"time_ns": now - ago * SECOND, "number": number, "pid": pid, "level": level, "node": node,
             "logger": f"horus.node.{node}" if node else "horus.scheduler", "text": text}
            for number, ago, level, node, text in lines
        ]  # fmt: skip
        data = b"".join(json.dumps(line).encode() + b"\n" for line in made)
        (folder / f"{pid}-1-{segment}.jsonl").write_bytes(b'{"horus_log": 1}\n' + data + tail)

    return write


def shown(*arguments, code=0):
    """Run the command here: (texts of its lines, stderr)."""
    done = CliRunner().invoke(logs, arguments)
    assert done.exit_code == code, done.output
    return re.findall(r"\]: (.*)", done.stdout), done.stderr


# spec: D13, F20
def test_lines_are_merged_and_chosen(written):
    """By time over all processes; by node, level, time, count, process and text; a torn line is passed over."""
    written(7, (1, 7200, "info", "arm", "one"), (2, 60, "warning", "arm", "three"), tail=b'{"time_ns": 1')
    written(8, (1, 100, "debug", "leg", "two"), (2, 2, "error", "", "five"), (3, 1, "critical", "leg", "six"))
    written(7, (3, 50, "info", "arm2", "four"), segment=2)
    every = ["one", "two", "three", "four", "five", "six"]
    assert shown() == (every, "")
    for level, count in zip(LEVELS, (6, 5, 3, 2, 1), strict=True):
        assert len(shown("--level", level)[0]) == count
    assert shown("--level", "WARN")[0] == ["three", "five", "six"]
    assert shown("--node", "arm")[0] == ["one", "three"]
    assert shown("--node", "arm*", "--node", "scheduler")[0] == ["one", "three", "four", "five"]
    assert shown("--since", "5m")[0] == every[1:]
    assert shown("--since", "1h30m", "--until", "30s")[0] == ["two", "three", "four"]
    assert shown("--since", "2020-01-31 14:05", "--until", "2021-01-01T00:00:00+02:00")[0] == []
    assert shown("-n", "2")[0] == ["five", "six"]
    assert shown("--lines", "0")[0] == []
    assert shown("--pid", "8")[0] == ["two", "five", "six"]
    assert shown("--grep", "^t")[0] == ["two", "three"]
    found, err = shown("--grep", "nothing like it")
    assert found == []
    assert "None of the lines" in err
    assert (
        "None of the lines" in shown("--since", "2999-01-01")[1]
    )  # there are some, in files that are not read


# spec: F22
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--since", "yesterday"], "expected a time ago (90s, 5m"),
        (["--until", "25:99"], "a date (2026-01-31 14:05), got '25:99'"),
        (["--since", "99999999999999999999d"], ""),
        (["--grep", "("], "expected a regular expression, got '('"),
        (["--level", "loud"], "'loud' is not one of 'debug'"),
        (["-n", "-1"], "-1 is not in the range"),
        (["--pid", "x"], "'x' is not a valid integer"),
    ],
)
def test_what_cannot_be_asked_for(written, arguments, expected):
    """Bad values are usage errors that say what was expected."""
    written(7, (1, 1, "info", "arm", "hello"))
    assert expected in shown(*arguments, code=2 if expected else 0)[1]


def test_hostile_files(written, ns):
    """What others wrote into the folder forges no line and stops nothing: controls are shown, nonsense is not."""
    written(
        7, (1, 1, "info", "arm", "text\n2026-01-01 00:00:00.000 INFO arm[7]: forged\r\x1b[2J\u202e\u2028")
    )
    written(8, (1, 10**9, "info", "a\nb", "long ago"), (2, -(10**12), "info", "c", "far future"))
    folder = namespace.path(ns) / "logs"
    (folder / "9-1-1.jsonl").write_bytes(b'\n[]\n{}\n"x"\n{"text": 1}\n\xff\xfe\n' + b"[" * 100_000 + b"\n")
    (folder / "10-1-1.jsonl").symlink_to("/etc/passwd")
    (folder / "no-1-1.jsonl").write_bytes(b"x\n")
    (folder / "11-1-1.jsonl").mkdir()
    done = CliRunner().invoke(logs, [])
    assert done.exit_code == 0
    assert not set("\r\x1b\u202e\u2028") & set(done.stdout)
    starts = [line for line in done.stdout.splitlines() if not line.startswith("    ")]
    assert len(starts) == 3
    assert "a\\x0ab[8]" in done.stdout
    assert CliRunner().invoke(logs, ["--json"]).stdout.count("\n") == 3


def test_what_is_missing_is_said(written):
    """What made room and what was lost is told apart and counted; with everything there nothing is said."""
    written(7, (11, 9, "info", "arm", "a"), (12, 8, "info", "arm", "b"), (15, 7, "info", "arm", "c"))
    _, err = shown()
    assert "10 lines of process 7 are gone: newer ones took the room" in err
    assert "2 lines of process 7 are lost" in err
    written(7, (1, 9, "info", "arm", "a"), (3, 7, "info", "arm", "c"), (2, 8, "info", "arm", "b"))
    assert shown()[1] == ""


def test_a_follower_tells_what_it_missed(ns):
    """What was removed and what found no room between two looks is counted, by what the files say of themselves; what
    was before is not; another user's file is told of.
    """
    folder = namespace.directory(ns) / "logs"
    folder.mkdir()

    def write(segment, *numbers, head=""):
        made = (
            {"time_ns": number, "number": number, "pid": 7, "level": "info", "text": ""} for number in numbers
        )
        data = "".join(json.dumps(line) + "\n" for line in made)
        (folder / f"7-1-{segment}.jsonl").write_text(head + data)

    write(1, 11, 12, 14, head='{"horus_log": 1, "number": 10, "lost": 3}\n')
    along, late = monitor.Reader(ns), monitor.Reader(ns)
    assert [line.number for line in along.read()] == [11, 12, 14]
    assert along.say_missing() == [monitor.Missing(7, 7, 4)]
    (folder / "7-1-1.jsonl").unlink()
    write(3, 41, 43, head='{"horus_log": 1, "number": 40, "lost": 5}\n')
    assert [line.number for line in along.read()] == [41, 43]
    assert along.say_missing() == [
        monitor.Missing(7, 25, 2)
    ]  # 26 are not there, of which one was lost; and 42
    assert along.missing() == []
    late.read(since_ns=1)
    assert late.missing() == [monitor.Missing(7, 0, 1)]
    write(2, 38)  # that was on its way
    assert [line.number for line in along.read()] == [38]
    assert along.missing() == []


def test_nothing_there(horus, ns, other_namespace):
    """Where nothing is logged it says so, creates nothing, and names namespaces that have logs."""
    (namespace.directory(other_namespace) / "logs").mkdir()
    (namespace.path(other_namespace) / "logs" / "7-1-1.jsonl").write_bytes(b"{}\n")
    command = horus("log")
    assert command.wait() == 0
    assert command.stdout == ""
    assert f"Nothing is logged in namespace {ns!r}." in command.stderr
    assert f"has logs of 1 process: horus logs --namespace {other_namespace}" in command.stderr
    assert not namespace.path(ns).exists()


TALKS = """
import sys, threading
import horus

topic = horus.Topic("t", dict)
node = horus.Node(sys.argv[1], tick=lambda: None)
def talk():
    while True:
        node.log_info("x" * 1000)

for line in sys.stdin:
    if line.strip() == "flood":
        for number in range(30_000):
            node.log_info(f"flood {number}")
    elif line.strip() == "threads":
        threads = [threading.Thread(target=talk, daemon=True) for _ in range(4)]
        [thread.start() for thread in threads]
    else:
        node.log_warning(line.strip())
"""


@pytest.fixture
def talker(script, tmp_path):
    """Starts a process that logs what it is told, under the name of a node."""
    started = []

    def start(name):
        path = script("talks.py", TALKS)
        process = subprocess.Popen(
            [sys.executable, path, name],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.stdin.close()
        process.wait()


# spec: D13, F22
def test_following(horus, talker, ns, wait_for):
    """-f shows the last lines and what comes: of processes that start later, over a change of files, every line
    once and in order; of dead ones too, of which each line is shown or said to be gone, however many threads logged
    when it was killed. Ctrl+C is quiet. A reader that goes away ends it.
    """
    first = talker("arm")
    first.stdin.write("before\n")
    follower = horus("logs", "-f")
    as_json = horus("logs", "--follow", "--json", "--node", "le*")
    follower.shows("before")
    second = talker("leg")
    second.stdin.write("later\n")
    follower.shows(f"WARNING leg[{second.pid}]: later")
    first.stdin.write("flood\nafter\n")
    follower.shows(": after")
    numbers = [int(number) for number in re.findall(r"flood (\d+)", follower.stdout)]
    assert numbers == [*range(30_000)]
    second.stdin.write("last words\n")
    as_json.shows("last words")
    second.kill()
    for command in (follower, as_json):
        command.signal(signal.SIGINT)
        assert command.wait() == 130
        assert command.stderr.strip() == ""
    assert [json.loads(line)["text"] for line in as_json.stdout.splitlines()] == ["later", "last words"]
    assert json.loads(as_json.stdout.splitlines()[0])["pid"] == second.pid
    crowd = talker("crowd")
    along = horus("logs", "-f", "--json", "--pid", str(crowd.pid))
    crowd.stdin.write("begun\nthreads\n")
    along.shows("x" * 1000)
    crowd.kill()
    crowd.wait()
    count = max(line.number for line in monitor.Reader(ns).read() if line.pid == crowd.pid)

    def counted():
        gone = re.findall(rf"(\d+) lines? of process {crowd.pid} (?:is|are) gone", along.stderr)
        return along.stdout.count("\n") + sum(map(int, gone))

    wait_for(lambda: counted() == count, "every line, or that it is gone")
    along.signal(signal.SIGINT)
    assert along.wait() == 130
    assert counted() == count
    again = horus("logs", "--node", "leg")
    assert again.wait() == 0
    assert "last words" in again.stdout
    line = f"{sys.executable} -m horus_cli logs -f | head -1"
    piped = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30)
    assert piped.stdout.count("\n") == 1
    assert piped.stderr == ""


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_in_a_terminal(talker, ns, tmp_path, wait_for):
    """In a real terminal: coloured levels as they come, and after Ctrl+C the prompt, without a traceback."""
    server = ["tmux", "-L", f"horus-logs-{os.getpid()}", "-f", "/dev/null"]

    def tmux(*arguments):
        return subprocess.run([*server, *arguments], capture_output=True, text=True, timeout=30)

    process = talker("arm")
    shell = ["env", f"HORUS_NAMESPACE={ns}", "PS1=prompt> ", "sh"]
    assert tmux("new-session", "-d", "-x", "120", "-y", "20", *shell).returncode == 0
    try:
        tmux("send-keys", f"{sys.executable} -m horus_cli logs -f --level warning", "Enter")
        process.stdin.write("too hot\n")
        wait_for(lambda: "arm[" in tmux("capture-pane", "-p").stdout, "the line")
        assert re.search(
            r"\x1b\[33mWARNING\x1b\[39m arm\[\d+\]: too hot", tmux("capture-pane", "-p", "-e").stdout
        )
        tmux("send-keys", "C-c")
        wait_for(lambda: tmux("capture-pane", "-p").stdout.rstrip().endswith("prompt>"), "the prompt")
        assert "Traceback" not in tmux("capture-pane", "-p").stdout
    finally:
        tmux("kill-server")


def test_levels_are_those_of_the_command():
    """The command offers every level that a line can have."""
    (option,) = [option for option in logs.params if option.name == "level"]
    assert isinstance(option.type, click.Choice)
    assert set(LEVELS) < set(option.type.choices)
