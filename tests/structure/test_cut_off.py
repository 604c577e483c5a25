"""A run of the tests that is killed in the middle leaves no process behind."""

import signal
import subprocess
import sys
from pathlib import Path

import cut_off

RUN = """
import os, signal, subprocess, time
import cut_off
cut_off.watch()
left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
left.send_signal(signal.SIGSTOP)
print(left.pid, flush=True)
time.sleep(1000)
"""


def test_a_killed_run_leaves_nobody_not_even_who_stands_still(until):
    """Kill -9 of pytest, as at the end of a time limit: whoever it started ends, in any session and state."""
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, cwd=Path(cut_off.__file__).parent, stdout=subprocess.PIPE) as run:
        left = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
        run.wait()
        until(
            lambda: (
                not Path(f"/proc/{left}/cmdline").exists() or not Path(f"/proc/{left}/cmdline").read_bytes()
            )
        )
