"""A launcher for tests, which has no threads: starts Python programs warm and cold, and says what became of them.

python tests/launch/warm_and_cold.py compare < [[arguments, environment added, signal], ...]   as JSON
python tests/launch/warm_and_cold.py warm < [[arguments, environment added, signal], ...]      and warm alone
python tests/launch/warm_and_cold.py harm SCRIPT                                the warm process killed and stopped
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from horus_plugins.launch import system
from horus_plugins.launch.child import _spawn
from horus_plugins.launch.warm.starter import Starter

ENVIRONMENT = {"PYTHONUNBUFFERED": "1", **os.environ}
HERE = str(Path.cwd())
UP = b"up\n"


def ready(patience_s=30.0):
    """A warm process that takes requests."""
    warm = Starter(ENVIRONMENT, patience_s=patience_s)
    select.select([warm.fd], [], [])
    warm.heard()
    assert warm.ready, warm.last_words
    return warm


def end_of(process, number):
    """What the program printed, and how it ended; it gets the signal when it has said that it is up."""
    out = b""
    if number:
        while UP not in out:
            out += os.read(process.stdout.fileno(), 1 << 16)
        os.kill(process.pid, number)
    out += process.stdout.read()
    err = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    return {"out": out.decode(), "err": err.decode(), "code": process.wait(), "kept": kept()}


def kept():
    """What the program has left in files."""
    files = sorted(Path(HERE).glob("kept*"))
    return {file.name: file.read_text() if file.suffix == ".txt" else "" for file in files}


def keep_nothing():
    """No file of the last program is left for the next one."""
    for name in kept():
        Path(HERE, name).unlink()


def compare(cases, *, cold=True):
    """The ends of each case, warm and cold, or warm alone."""
    warm = ready()
    found = []
    for arguments, added, number in cases:
        command, environment = [sys.executable, *arguments], {**ENVIRONMENT, **added}
        assert warm.fits(environment)
        keep_nothing()
        started = warm.start(command, environment, HERE)
        ends = [end_of(started, number) if started else None]
        if cold:
            keep_nothing()
            ends.append(end_of(_spawn("cold", command, environment, HERE), number))
        found.append(ends)
    warm.close()
    return found


def harm(script):
    """Kill the warm process at one moment after the other of a start, and let one stand still."""
    codes, command = [], [sys.executable, script]
    for wait_s in (0.0, 0.001, 0.003, 0.006, None):
        warm = ready(30.0 if wait_s is not None else 0.2)
        if wait_s is None:
            os.kill(warm.pid, signal.SIGSTOP)
        elif not wait_s:
            os.kill(warm.pid, signal.SIGKILL)
        else:
            killer = os.fork()
            if killer == 0:
                time.sleep(wait_s)
                os.kill(warm.pid, signal.SIGKILL)
                os._exit(0)
        process = warm.start(command, ENVIRONMENT, HERE)
        codes.append(end_of(process, 0)["code"] if process else None)
        if not process and not warm.gone:
            select.select([warm.fd], [], [])
            warm.heard()
        assert process or warm.gone
        warm.close()
        until = time.monotonic() + 20
        while time.monotonic() < until:  # all that is left are our own children, which end by themselves
            try:
                os.wait()
            except ChildProcessError:
                break
    return codes


if __name__ == "__main__":
    system.adopt_orphans()
    if sys.argv[1] == "harm":
        answer = harm(sys.argv[2])
    else:
        answer = compare(json.load(sys.stdin), cold=sys.argv[1] == "compare")
    print(json.dumps(answer))
