"""Real `horus` processes for tests, each in a namespace of its own, and none of them left behind."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from horus_core.shm import namespace

sys.path.insert(0, str(Path(__file__).parent))
import json_shapes
import warm

TIMEOUT_S = 30.0
_numbers = itertools.count()


def _wait_for(condition, what, timeout_s=TIMEOUT_S):
    """Wait until the condition holds and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s"
        time.sleep(0.01)
    return result


def _alive(pid):
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Command:
    """A running `horus` command whose output is collected while it runs.

    Forked from a warm process where that makes no difference, else started; with `anew=True` it is always started.
    """

    def __init__(self, *arguments, anew=False, **options):
        command = [sys.executable, "-m", "horus_cli", *map(str, arguments)]
        options = {"stdin": subprocess.DEVNULL, "start_new_session": True, **options}
        self.arguments = arguments
        if not anew and warm.fits(arguments, options):
            self.process = warm.Forked(arguments, **options)
        else:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options
            )
        self.pid = self.process.pid
        self.out = bytearray()
        self.err = bytearray()
        self._threads = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _collect(stream, into):
        while data := stream.read(65536):
            into += data

    def shows(self, text, times=1, timeout_s=TIMEOUT_S):
        """Wait until stdout or stderr holds the text so many times."""
        data = text.encode()
        deadline = time.monotonic() + timeout_s
        while max(bytes(self.out).count(data), bytes(self.err).count(data)) < times:
            ended = self.process.poll() is not None and not any(t.is_alive() for t in self._threads)
            if ended or time.monotonic() > deadline:
                shown = f"stdout: {self.stdout}\nstderr: {self.stderr}"
                pytest.fail(f"{text!r} not shown {times} times (ended: {ended}).\n{shown}")
            time.sleep(0.01)

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout_s=TIMEOUT_S):
        """The exit code; all output is there then."""
        code = self.process.wait(timeout_s)
        for thread in self._threads:
            thread.join(timeout_s)
            assert not thread.is_alive(), "the command ended, but somebody still holds its output open"
        json_shapes.check(self.arguments, self.stdout, code)
        return code

    @property
    def stdout(self):
        return self.out.decode(errors="replace")

    @property
    def stderr(self):
        return self.err.decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for thread in self._threads:
            thread.join(10)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture(scope="session", autouse=True)
def _warm_ends():
    yield
    warm.end()


@pytest.fixture
def wait_for():
    """Wait until a condition holds: `wait_for(condition, what)`."""
    return _wait_for


@pytest.fixture
def alive():
    """Whether a pid is a living process: `alive(pid)`."""
    return _alive


@pytest.fixture
def ns(monkeypatch):
    """A namespace of this test alone, removed at its end."""
    name = f"test-cli-{os.getpid()}-{next(_numbers)}"
    monkeypatch.setenv("HORUS_NAMESPACE", name)
    yield name
    for left in namespace.SHM.glob(f"horus_{name}[.-]*"):  # with "-" come its relatives, like {name}-other
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    shutil.rmtree(namespace.path(name), ignore_errors=True)


@pytest.fixture(scope="session")
def command():
    """The class of running commands, for what is made once for several tests."""
    return Command


@pytest.fixture
def horus(ns, tmp_path, monkeypatch):
    """Start `horus` with arguments, in tmp_path; whatever still runs at the end is stopped."""
    monkeypatch.chdir(tmp_path)
    started = []

    def start(*arguments, **options):
        started.append(Command(*arguments, **options))
        return started[-1]

    yield start
    for command in started:
        command.close()


@pytest.fixture
def script(tmp_path):
    """Write a file into tmp_path: `script("a.py", code)`."""

    def write(name, code, mode=0o644):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def pid_in(tmp_path):
    """Wait for a process to write its pid into a file of tmp_path; kill it at the end if it still lives."""
    seen = []

    def read(name):
        path = tmp_path / name
        pid = int(_wait_for(lambda: path.exists() and path.read_text().strip(), f"pid in {name}"))
        seen.append(pid)
        return pid

    yield read
    for pid in seen:
        if _alive(pid):
            os.kill(pid, signal.SIGKILL)
