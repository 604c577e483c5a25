"""A session while shared memory is full: what is said of it stays true, and it can be stopped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from launching import Launcher, ask, until, write

def fill():
    with open("/dev/shm/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass

folder = Path(sys.argv[1])
write(folder, "full", "nodes: [{name: calm, command: sleep 99}, {name: again, command: sleep 99, restart: always}]")
full = Launcher(folder, "full")
try:
    pid = next(node.pid for node in full.ready().nodes if node.name == "again")
    for restarts in (1, 2):
        fill()
        os.kill(pid, 9)
        until(lambda: full.node("again").restarts == restarts, "the manifest tells it")
        row = until(lambda: (row := full.node("again")).pid not in (0, pid) and row, "the new pid")
        assert row.last_exit.signal == "SIGKILL", row
        pid = row.pid
    os.unlink("/dev/shm/filler")
    os.kill(pid, 9)
    until(lambda: full.node("again").restarts == 3, "the next")
    for event in full.events():  # each line is whole
        print(event["event"], event.get("lost_before", 0))
    fill()
    code, _, said = ask("--stop", "full")
    assert code == 0, said
    assert full.wait() == 0
    fill()
    second = subprocess.run([sys.executable, "-m", "horus_cli", "launch", "full.yaml"],
        capture_output=True, text=True, cwd=folder)
    assert second.returncode == 1
    assert "got 0: no room" in second.stderr.splitlines()[-1], second.stderr
finally:
    full.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small /dev/shm takes root")
def test_the_manifest_is_true_and_stop_works_while_shared_memory_is_full(tmp_path):
    """Room for the manifest is kept back; events that found none are counted in the next; --stop needs no room."""
    command = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, sys.executable, SCRIPT, tmp_path],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "HORUS_NAMESPACE": "full"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    events = [line.split() for line in done.stdout.splitlines()]
    lost = sum(int(count) for _, count in events)
    assert sum(name == "NodeCrashed" for name, _ in events) + lost >= 3
