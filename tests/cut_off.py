"""Who is left when pytest is killed in the middle, by `timeout` for one, is ended: no fixture does it then.

Whatever a test starts inherits a mark in its environment. A process beside pytest waits for pytest's end and kills
who has the mark, also those that a test had stopped; a guard of a launcher that stands still ends nobody.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "_OF_PYTESTS"


def watch():
    """Mark what this process starts from now on, and have it killed if this process is; returns who ends that."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    # An orphan: some tests look at who our children are. It has no mark of ours.
    command = [sys.executable, "-I", "-S", __file__, mark, str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as starts:
        pid = int(starts.stdout.readline())
    os.environ[VARIABLE] = f"{os.environ.get(VARIABLE, '')} {mark}"

    def end():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    return end


def _marked(mark):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                for variable in (entry / "environ").read_bytes().split(b"\0"):
                    name, _, value = variable.partition(b"=")
                    if name == VARIABLE.encode() and mark in value.split():
                        found.append(int(entry.name))
    return found


def main(mark, pid):
    pytest_ends = os.pidfd_open(pid)
    if os.fork():
        os._exit(0)
    os.setsid()
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    select.select([pytest_ends], [], [])
    while found := _marked(mark):
        for one in found:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1].encode(), int(sys.argv[2]))
