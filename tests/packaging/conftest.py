"""What the tests of packaging share: a copy of the sources, a wheel and an sdist built of it, fresh environments."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 300
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "out", "results", "__pycache__", "*.so", ".*_cache"
)


def run(*command, **options):
    """Run a command; its stdout. What it said on either stream is the failure's text."""
    options = {"timeout": TIMEOUT_S, "check": False, **options}
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **options,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments, python=sys.executable, **options):
    """Run pip of that interpreter."""
    return run(python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments, **options)


def pytest_collection_modifyitems(items):
    """Building takes longer than other tests may."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """A copy of the sources as a clone has them: nothing that was built."""
    folder = tmp_path_factory.mktemp("sources") / "horus"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    return folder


@pytest.fixture(scope="session")
def sdist(clone, made_once):
    """The archive that the build backend makes of a clone."""

    def build(folder):
        backend = folder / "backend"
        pip("install", "--no-compile", "--target", backend, "scikit-build-core")
        code = f"import sys; sys.path.insert(0, {str(backend)!r})\n"
        code += f"from scikit_build_core.build import build_sdist; build_sdist({str(folder)!r})"
        run(sys.executable, "-c", code, cwd=clone)

    (found,) = made_once("sdist", build).glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def wheels(sdist, made_once):
    """The folder that `pip wheel` filled: ours, compiled of what is in the sdist, and those of all that it needs."""
    return made_once("wheels", lambda folder: pip("wheel", "-w", folder, sdist))


@pytest.fixture(scope="session")
def wheel(wheels):
    """Our wheel."""
    (found,) = wheels.glob("horus_core-*.whl")
    return found


@pytest.fixture(scope="session")
def bare_tools(tmp_path_factory):
    """A PATH of a machine without a compiler: a shell's few helpers, and no cc, gcc, clang, make or cmake."""
    folder = tmp_path_factory.mktemp("bare")
    for tool in ("uname", "env", "rm", "cat"):
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


@pytest.fixture(scope="session")
def installed(wheels, bare_tools, made_once):
    """(bin folder, environment) of a fresh venv with the wheel, installed as a bare machine would."""
    environment = {"PATH": str(bare_tools), "CC": "false", "CXX": "false"}

    def install(folder):
        run(sys.executable, "-m", "venv", ".venv", cwd=folder)
        command = f". .venv/bin/activate && pip install -q --no-index --find-links '{wheels}' horus-core"
        run("/bin/sh", "-c", command, cwd=folder, env=environment)

    return made_once("bare machine", install) / ".venv" / "bin", environment


@pytest.fixture(scope="session")
def mypy(installed, made_once):
    """Runs a user's mypy, which reads what the wheel installed; its stdout."""
    bin_folder, _ = installed
    cache = made_once("mypy", lambda _: None)
    options = [
        "--config-file=",
        "--strict",
        f"--python-executable={bin_folder / 'python'}",
        f"--cache-dir={cache}",
    ]
    return lambda *paths, **more: run(sys.executable, "-m", "mypy", *options, *paths, **more)


@pytest.fixture
def pair(horus_namespace, tmp_path):
    """Run the smallest publisher and subscriber in a folder of their own: `pair(python's bin folder)`."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for script in ("talker.py", "listener.py"):
        shutil.copy(ROOT / "examples" / script, folder)

    def hear_each_other(bin_folder, **environment):
        out = folder / "out"
        with out.open("wb") as stdout:
            process = subprocess.Popen(
                [bin_folder / "horus", "run", "talker.py", "listener.py"],
                cwd=folder,
                env={
                    "HORUS_NAMESPACE": horus_namespace,
                    "PATH": str(bin_folder),
                    "LANG": "C.UTF-8",
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
            )
        try:
            deadline = time.monotonic() + 60
            while "load" not in out.read_text():
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline, "the listener heard nothing"
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            errors = process.communicate(timeout=60)[1]
            assert process.returncode == 0, errors
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    return hear_each_other
