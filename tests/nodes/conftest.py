"""What the scheduler's tests share: a namespace of their own, and a clock that they move."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from horus_core.abc import Clock

SHM = Path("/dev/shm")


@pytest.fixture(autouse=True)
def namespace(monkeypatch, request):
    """A namespace of this test's own; nothing of it is left afterwards."""
    name = f"t{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**8}"
    monkeypatch.setenv("HORUS_NAMESPACE", name)
    yield name
    shutil.rmtree(SHM / f"horus_{name}", ignore_errors=True)
    for region in SHM.glob(f"horus_{name}.*"):
        region.unlink()


class SimulatedClock(Clock):
    """Time that passes when the scheduler sleeps, and when a tick says that it took some."""

    def __init__(self) -> None:
        self.t = 1_000_000_000
        self.start = self.t

    def now_ns(self):
        return self.t

    def sleep_until(self, deadline_ns, alarm):
        self.t = max(self.t, deadline_ns)
        return alarm.rung

    def spend(self, seconds):
        self.t += round(seconds * 1e9)

    @property
    def ms(self):
        return (self.t - self.start) / 1e6


@pytest.fixture
def clock():
    return SimulatedClock()


class Script:
    """A Python program in a process of its own, whose output is read as it comes."""

    def __init__(self, path, source, *args):
        path.write_text(source)
        self.process = subprocess.Popen(
            [sys.executable, str(path), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def wait_for(self, line):
        """Read stdout up to and including that line."""
        for got in self.process.stdout:
            if got.strip() == line:
                return
        raise AssertionError(f"the script ended without {line!r}: {self.process.stderr.read()}")

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self, timeout=20):
        """(exit code, rest of stdout, stderr)."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def script(tmp_path):
    started = []

    def start(source, *args):
        started.append(Script(tmp_path / f"script{len(started)}.py", source, *args))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def until():
    """Wait for a condition, with a limit that only a failure reaches."""

    def wait(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    return wait
