"""How a process ended, as far as the kernel tells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from horus_plugins.launch.session.ends import OutOfMemory

NOBODY = 1 << 30  # no process has that number

EATER = """
import os, signal, sys
from pathlib import Path
Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
from horus_plugins.launch.session.ends import OutOfMemory
memory = OutOfMemory()
def killed(eat):
    pid = os.fork()
    if pid == 0:
        eaten = [bytearray(1 << 20) for _ in range(eat)]
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    return memory.killed(pid)
print(killed(0), killed(1000))
memory.look()
memory.look()
print(killed(0))
"""


@pytest.fixture
def group():
    """A control group for memory, of either version, with little of it."""
    root = Path("/sys/fs/cgroup")
    first = (root / "memory").is_dir()
    folder = (root / "memory" if first else root) / f"horus-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(64 << 20))
    except OSError:
        pytest.skip("this machine lets nobody make a control group for memory")
    yield folder
    folder.rmdir()


# spec: C14
def test_what_the_kernel_killed_for_want_of_memory_is_told_from_what_others_killed(group):
    """For real: a process that eats too much, and one that was killed before and after it."""
    done = subprocess.run(
        [sys.executable, "-c", EATER, group], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "False True\nFalse\n", done.stdout + done.stderr


def test_a_kill_is_not_blamed_on_what_the_kernel_did_long_before(tmp_path):
    """Only what rose since the last look but one counts; where there are no counters nobody knows."""
    machine, own = tmp_path / "vmstat", tmp_path / "memory.events"

    def counted(count):
        machine.write_text(f"pgfault 7\noom_kill {count}\n")
        own.write_text(f"oom 3\noom_kill {count}\noom_group_kill 0\n")

    counted(1)
    memory = OutOfMemory((machine, own))
    assert memory.killed(NOBODY) is False
    counted(3)
    assert [memory.killed(NOBODY) for _ in range(3)] == [True, True, False]  # it killed two, and no third
    counted(4)
    memory.look()
    assert memory.killed(NOBODY) is True  # it may have been just before
    counted(5)
    memory.look()
    memory.look()
    assert memory.killed(NOBODY) is False
    machine.write_text("oom_kill 6\n")
    assert memory.killed(NOBODY) is None  # somebody's on this machine, and not of our group
    machine.unlink()
    own.unlink()
    assert OutOfMemory((machine, None)).killed(NOBODY) is None
