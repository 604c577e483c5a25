"""What all tests share: a namespace of their own, programs in processes of their own, and waiting for a state."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from horus_core.testing.namespaces import new_namespace, remove_namespace

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cut_off  # noqa: E402 - found by the line above

SHM = Path("/dev/shm")
LIMIT_S = 20.0
"""What only a failure reaches."""


def pytest_configure(config) -> None:
    """Have the signals that a background job of a shell ignores, which every process started here would inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.add_cleanup(cut_off.watch())
    if hasattr(config, "workerinput"):  # one of several that pytest-xdist runs side by side
        have_own_shm()


LONG = (
    "packaging/test_wheel.py",
    "templates",
    "soak/test_miniature.py",
    "crash",
    "cli",
    "packaging/test_sdist.py",
    "packaging/test_packages.py",
    "plugins",
    "execution",
    "examples",
    "fuzz",
    "leaks",
    "native",
    "scheduler",
    "model",
    "messages/test_typing.py",
    "packages",
)
"""Files or folders in the order in which several workers take them, all others last: what takes a minute must not
begin when nothing else is left, and what waits for another's build begins when that is done.
"""


def pytest_collection_modifyitems(items) -> None:
    """Begin with the longest files: `make test` has xdist keep this order."""
    places = [HERE / name for name in LONG]

    def place(item) -> int:
        around = {item.path, *item.path.parents}
        return next((number for number, path in enumerate(places) if path in around), len(places))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Have no test's garbage collection look through what was collected: thousands of tests, 0.15 s each time.

    Not since CPython 3.14: what is frozen refers to nothing for gc.get_referrers(), by which Hypothesis then warns.
    """
    gc.collect()
    if sys.version_info < (3, 14):
        gc.freeze()


def have_own_shm() -> None:
    """Mount an empty /dev/shm that this process and what it starts see: cleaning tests meet nobody else's files."""
    new_mounts, recursive, private = 0x20000, 0x4000, 1 << 18  # CLONE_NEWNS, MS_REC, MS_PRIVATE
    libc = ctypes.CDLL(None, use_errno=True)
    calls = (
        (libc.unshare, new_mounts),
        (libc.mount, b"none", b"/", None, ctypes.c_ulong(recursive | private), None),
        (libc.mount, b"tmpfs", b"/dev/shm", b"tmpfs", ctypes.c_ulong(0), b"mode=1777,size=4g"),
    )
    for call, *arguments in calls:
        if call(*arguments) != 0:
            raise OSError(ctypes.get_errno(), f"{call.__name__}: {os.strerror(ctypes.get_errno())}")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """What takes long to make is made by one worker for all: `made_once("wheels", fill)`; fill(folder) fills it."""
    base = tmp_path_factory.getbasetemp()
    together = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name, fill) -> Path:
        folder, done = together / f"once-{name}", together / f"once-{name}.done"
        with (together / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def only_pytest():
    """The environment of a pytest without plugins that users need not have: theirs take a second to import."""
    return {"PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:anyio -p no:xdist"}


@pytest.fixture
def horus_namespace(monkeypatch):
    """A namespace of this test's own; nothing of it is left afterwards."""
    name = new_namespace()
    monkeypatch.setenv("HORUS_NAMESPACE", name)
    yield name
    remove_namespace(name)


@pytest.fixture
def other_namespace():
    """A second namespace, for other processes."""
    name = new_namespace()
    yield name
    remove_namespace(name)


def _pending(status: str) -> list[int]:
    """The masks of signals that wait for a process or its first thread, of /proc/<pid>/status."""
    rows = dict(line.split(":", 1) for line in status.splitlines())
    return [int(rows[name], 16) for name in ("SigPnd", "ShdPnd")]


class Program:
    """A Python program in a process of its own, whose lines are read as they come."""

    def __init__(self, path: Path, source: str, **environment: str) -> None:
        path.write_text(source, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )

    def line(self) -> str:
        """The next line of its output."""
        got = self.process.stdout.readline()
        assert got, f"the program ended: {self.process.stderr.read()}"
        return got.strip()

    def wait_for(self, wanted: str) -> None:
        while self.line() != wanted:
            pass

    def tell(self, line: str = "") -> None:
        """Give it a line on its standard input."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal and return when it was taken: one that comes before that would be the same as this one."""
        self.process.send_signal(number)
        status = Path(f"/proc/{self.process.pid}/status")
        deadline = time.monotonic() + LIMIT_S
        while any(pending >> (number - 1) & 1 for pending in _pending(status.read_text(encoding="utf-8"))):
            assert time.monotonic() < deadline, f"signal {number} was never taken"
            time.sleep(0.001)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def finish(self) -> tuple[str, str]:
        """(rest of stdout, stderr) of a program that ends well."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        assert self.process.returncode == 0, err
        return out, err


@pytest.fixture
def program(tmp_path):
    """Starts Python programs; those that still run at the end are killed."""
    started: list[Program] = []

    def start(source: str, **environment: str) -> Program:
        started.append(Program(tmp_path / f"program{len(started)}.py", source, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
        for pipe in (one.process.stdin, one.process.stdout, one.process.stderr):
            pipe.close()


@pytest.fixture
def until():
    """Wait for a condition, with a limit that only a failure reaches; its value."""

    def wait(condition):
        deadline = time.monotonic() + LIMIT_S
        while not (value := condition()):
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.001)
        return value

    return wait
