"""A node's line of plain text is written in C: nobody can tell it from one that went the long way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from horus_core import _native
from horus_plugins.monitor import logs

SAYS = r"""
import io, os, sys
import horus
from horus_core.control.log_file import files

TEXTS = ["plain", "", " ", 'a "quote", a \\ and a \'', "{} %s", "tab\t", "two\nlines", "\x7f\x00", "\u00e9\u202e",
         "x" * 1024, "x" * 1025, "x" * 5000]
topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)
for level in ("info", "warning", "error"):
    for text in TEXTS:
        files.file.unaim()
        for _ in range(2):
            getattr(node, f"log_{level}")(text)

head = b'"level":"info","node":"arm","logger":"horus.node.arm","text":'
while files.file.line(20, "short", head, b"arm: ") is not True:
    node.log_info("aims")
while files.file.line(20, "\u00e9", head, b"arm: ") or files.file.line(20, "short", head, b""):
    raise SystemExit("not for the short way")

child = os.fork()
if child == 0:
    node.log_info("of the child")
    os._exit(0)
os.waitpid(child, 0)

real, sys.stderr = sys.stderr, io.StringIO()
node.log_info("elsewhere")
elsewhere = sys.stderr.getvalue()
sys.stderr = real
node.log_info("back")
real.close()
node.log_info("to nobody")
print(child, elsewhere, end="")
"""


def _stamp(time_ns):
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_ns // 10**9))
    return f"{begun}.{time_ns // 10**6 % 1000:03d}"


def test_the_short_way_and_the_long_way_write_the_same(horus_namespace):
    """Texts of all kinds, said twice, once each way: in the file, on stderr, with times that are one; a fork, another
    sys.stderr and a closed one are noticed at once.
    """
    done = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    child, elsewhere = done.stdout.split(maxsplit=1)
    assert elsewhere.endswith(" INFO arm: elsewhere\n")

    stored = [line for line in logs.Reader(horus_namespace).read() if line.pid != int(child)]
    assert [line.number for line in stored] == [*range(1, len(stored) + 1)]
    pairs = stored[:72]
    assert [(one.level, one.text) for one in pairs[::2]] == [(one.level, one.text) for one in pairs[1::2]]
    assert {(one.node, one.logger) for one in stored} == {("arm", "horus.node.arm")}
    assert [one.text for one in stored[-4:]] == ["short", "elsewhere", "back", "to nobody"]

    shown = [line for line in done.stderr.splitlines() if not line.startswith("    ")]
    assert [line[24:] for line in shown[:72:2]] == [line[24:] for line in shown[1:72:2]]
    assert [line[24:] for line in shown[-3:]] == [
        "INFO arm: short",
        "INFO arm: of the child",
        "INFO arm: back",
    ]
    said = [one for one in stored if one.text not in {"elsewhere", "to nobody"}]
    stamps = [_stamp(one.time_ns) for one in said]
    assert [line[:23] for line in shown if not line.endswith("of the child")] == stamps


@pytest.fixture
def opened():
    """Descriptors that are closed in the end."""
    descriptors = []
    yield lambda *more: descriptors.extend(more) or more
    for fd in descriptors:
        os.close(fd)


def _said_to(reading, writing, line):
    """What comes of a line. A terminal without settings of its own adds a carriage return."""
    assert _native.offer(writing, line) == len(line)
    return os.read(reading, 100).replace(b"\r", b"")


def _opened_as(name):
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # of this very look
            found |= {int(fd.name)} if str(fd.readlink()) == name else set()
    return found


def test_a_terminal_is_opened_once_and_looked_at_before_each_line(opened, tmp_path):
    """A line never goes to what has the place of the terminal's own descriptor, nor to the terminal of before."""
    reading, writing = opened(*os.openpty())
    assert _said_to(reading, writing, b"one\n") == b"one\n"
    (own,) = _opened_as(os.ttyname(writing)) - {writing}
    assert os.get_blocking(writing)
    assert not os.get_blocking(own)
    assert _said_to(reading, writing, b"two\n") == b"two\n"

    (file,) = opened(os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR))
    os.dup2(file, own)
    opened(own)
    assert _said_to(reading, writing, b"three\n") == b"three\n"
    assert os.fstat(file).st_size == 0

    other, to_other = opened(*os.openpty())
    assert _said_to(other, to_other, b"four\n") == b"four\n"
    gone, to_gone = os.openpty()
    opened(to_gone)
    assert _said_to(gone, to_gone, b"five\n") == b"five\n"
    os.close(gone)
    with pytest.raises(OSError, match="Input/output error"):
        _native.offer(to_gone, b"six\n")
    assert _said_to(other, to_other, b"seven\n") == b"seven\n"
