"""A reader of stdout that goes away must not stop a robot."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def tick(node):
    if node.info.tick_count() < 200:
        print("x" * 1000)
        {extra}
    else:
        node.request_stop()

def shutdown(node):
    with open(sys.argv[1], "w") as file:
        file.write(str(node.info.get_metrics()["failed_ticks"]))

run(Node("n", tick=tick, rate=2000, shutdown=shutdown, rt={rt}))
"""


def run(tmp_path, extra, rt=False, **streams):
    script, result = tmp_path / "script.py", tmp_path / "result"
    script.write_text(PROGRAM.format(extra=extra, rt=rt))
    return subprocess.Popen([sys.executable, str(script), str(result)], text=True, **streams), result


@pytest.mark.parametrize("rt", [False, True], ids=["best_effort", "rt"])
def test_closed_pipe(tmp_path, rt):
    """`script | head -1`: one tick is lost to the broken pipe, the run goes on, says so once, and exits 0."""
    process, result = run(tmp_path, "pass", rt, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(20) == 0
    process.stderr.close()
    assert result.read_text() == "1"
    assert err.count("stdout or stderr was closed by its reader") == 1
    assert "Traceback" not in err


def test_closed_stderr(tmp_path):
    """With stderr gone, log lines are lost and nothing else."""
    process, result = run(
        tmp_path, "node.log_info('text')", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(20) == 0
    assert result.read_text() == "0"


def test_other_broken_pipes_are_the_users(tmp_path):
    """A BrokenPipeError of the user's own sockets is no matter of stdout: it ends the run as any other."""
    process, result = run(
        tmp_path, "raise BrokenPipeError('my socket')", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "BrokenPipeError: my socket" in err
    assert result.read_text() == "1"
