"""What a launcher's death leaves nobody of: the kernel's SIGTERM, and the guard's SIGKILL."""

import os
import signal
import subprocess
import sys

from launching import alive, until

from horus_plugins.launch import guard, system

DYING = """
import os, signal, sys, time
from horus_plugins.launch import system
signal.signal(signal.SIGTERM, lambda *_: None)  # as a launcher has it
launcher = os.getpid()
if os.fork() == 0:
    system.die_with(launcher)
    print(os.getpid(), flush=True)
    while True:  # an exec that takes its time
        time.sleep(1000)
time.sleep(1000)
"""


def test_who_is_about_to_be_a_program_dies_with_the_launcher():
    """Between fork and exec the launcher's handler would take the kernel's SIGTERM, and nobody would hear of it."""
    with subprocess.Popen([sys.executable, "-c", DYING], stdout=subprocess.PIPE) as launcher:
        child = int(launcher.stdout.readline())
        try:
            launcher.kill()
            launcher.wait()
            until(lambda: not alive(child), "the child's end")
        finally:
            if alive(child):
                os.kill(child, signal.SIGKILL)


MULTIPLIES = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
for _ in range(2000):
    if os.fork() == 0:
        while True:
            time.sleep(1000)
    time.sleep(0.0005)
"""


def test_who_was_forked_while_the_guard_looked_is_killed_too(monkeypatch):
    """Whoever is killed may have forked since: nobody of the run is left when the guard has done its work."""
    name, value = "HORUS_RUN_ID", f"guarded{os.getpid()}"
    mark = f"{name}={value}".encode()
    monkeypatch.setattr(guard, "GRACE_S", 0.05)
    command, environment = [sys.executable, "-c", MULTIPLIES], {**os.environ, name: value}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        parent.stdout.readline()
        guard._stop(set(), mark)
        left = system.family(set(), mark)
        system.signal_all(left, signal.SIGKILL)
        assert left == set()
        assert parent.wait() == -signal.SIGKILL
