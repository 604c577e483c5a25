"""Log lines on stderr: for terminals, pipes and systemd's journal, and when nobody reads."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys

import pytest

from horus_plugins.monitor import logs

SAYS = """
import horus

node = horus.Node("arm", tick=lambda: None)
for level in ("debug", "info", "warning", "error"):
    getattr(node, f"log_{level}")(f"says {level}")
node.log_info("first\\n2026-01-01 00:00:00.000 ERROR arm: forged\\r\\x1b[2J\\u2028<3>forged\\n<0>forged")
"""


def start(source, stderr, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "HORUS_LOG": "debug", **environment},
    )


def shown_on(reading, writing, **environment):
    with start(SAYS, writing, **environment) as process:
        os.close(writing)
        data = b""
        while True:
            try:
                more = os.read(reading, 65536)
            except OSError:  # what a terminal's end says
                break
            if not more:
                break
            data += more
        assert process.wait(20) == 0
    os.close(reading)
    return data.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal(horus_namespace, settings):
    """Levels have colours on a terminal that wants them; no text clears the screen or forges a line."""
    text = shown_on(*pty.openpty(), **{"TERM": "xterm", **settings})
    coloured = text.count("\x1b[")
    assert coloured == (0 if settings else 10)
    assert "\r" not in text
    assert "\u2028" not in text
    starts = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(starts) == 5
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (\x1b\[\d+m)?[A-Z]+", line) for line in starts
    )
    assert "    2026-01-01 00:00:00.000 ERROR arm: forged\\x0d\\x1b[2J\\x2028<3>forged" in text


# spec: D14
def test_the_journal(horus_namespace):
    """Where stderr is the journal each line has its priority, and no date; elsewhere JOURNAL_STREAM means nothing."""
    reading, writing = os.pipe()
    status = os.fstat(writing)
    text = shown_on(reading, writing, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
    assert text.splitlines() == [
        "<7>arm: says debug",
        "<6>arm: says info",
        "<4>arm: says warning",
        "<3>arm: says error",
        "<6>arm: first",
        "<6>    2026-01-01 00:00:00.000 ERROR arm: forged\\x0d\\x1b[2J\\x2028<3>forged",
        "<6>    <0>forged",
    ]
    text = shown_on(*os.pipe(), JOURNAL_STREAM=f"{status.st_dev}:1")
    assert " INFO arm: says info" in text
    assert "<6>" not in text


FLOODS = """
import horus

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)
for _ in range(40_000):
    node.log_info("x" * 100)
print("flooded", flush=True)
input()
node.log_info("read again")
"""


def drain(reading):
    os.set_blocking(reading, False)
    data = b""
    try:
        while more := os.read(reading, 65536):
            data += more
    except (BlockingIOError, OSError):
        pass
    return data


def connected():
    return [end.detach() for end in socket.socketpair()]


@pytest.mark.parametrize("kind", [os.pipe, pty.openpty, connected], ids=["pipe", "terminal", "socket"])
def test_a_stderr_that_nobody_reads(horus_namespace, kind, until):
    """It blocks nobody: lines that do not fit are counted, the next one that fits says how many, and the files have
    the newest of them all; what made room for these is counted as well. The stream's flags stay as they are.
    """
    reading, writing = kind()
    with start(FLOODS, writing, TERM="dumb") as process:
        assert process.stdout.readline() == "flooded\n"
        assert os.get_blocking(writing)
        before = drain(reading).decode().replace("\r\n", "\n")
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(20) == 0
    rest = b""

    def has_all():
        nonlocal rest
        rest += drain(reading)  # the kernel hands a terminal's text over in its own time
        return b"read again" in rest

    until(has_all)
    after = rest.decode().replace("\r\n", "\n")
    os.close(reading)
    os.close(writing)
    shown = before + after
    whole = shown.count("x" * 100 + "\n")
    after = after.splitlines()
    assert after[-1].endswith("INFO arm: read again")
    notices = re.findall(r"WARNING logs: (\d+) lines are missing here", shown)
    assert "missing here" in after[-2]
    assert sum(map(int, notices)) == 40_000 - whole  # a terminal's kernel may find room in between
    reader = logs.Reader(horus_namespace)
    lines = reader.read()
    (missing,) = reader.missing()
    assert lines[-1].text == "read again"
    assert len(lines) + missing.removed == lines[-1].number
    assert missing.removed > 0
    assert missing.lost == 0


def test_the_users_own_streams_and_set_up(horus_namespace):
    """A replaced sys.stderr gets the lines, even one that logs; basicConfig() works after a node was made; stdlib
    warnings without any handler look as ours; a closed stderr raises nothing.
    """
    program = """
import io, logging, sys, os
import horus

node = horus.Node("arm", tick=lambda: None)
logging.getLogger("mine").warning("last resort")

class Log(io.StringIO):
    def write(self, text):
        logging.getLogger("again").error("written")
        return super().write(text)

real, sys.stderr = sys.stderr, Log()
node.log_info("elsewhere")
assert " INFO arm: elsewhere\\n" in sys.stderr.getvalue()
sys.stderr = real
logging.basicConfig(format="theirs %(message)s", level=logging.INFO)
logging.getLogger("mine").info("by their handler")
node.log_info("once")
logging.getLogger().handlers.clear()
os.close(2)
node.log_info("closed")
sys.stderr.close()
node.log_info("closed as well")
sys.stderr = None
node.log_info("none")
"""
    process = start(program, subprocess.PIPE)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    lines = err.splitlines()
    assert lines[0].endswith(" WARNING mine: last resort")
    assert lines[1:] == ["theirs by their handler", "theirs once"]
