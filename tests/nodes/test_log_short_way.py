"""A node's line of plain text is written in C: nobody can tell it from one that went the long way."""

from __future__ import annotations

import subprocess
import sys
import time

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
