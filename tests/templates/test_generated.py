"""What `horus new` makes installs, passes its own tests and type checks, is seen by HORUS, and runs: every kind.

One environment for all: it sees this interpreter's packages, HORUS and pytest among them, and has the wheels of what
was made, built without a network.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile

import pytest

LIMIT_S = 110
PLUGINS = {
    "message": "horus.messages",
    "execution": "horus.execution",
    "backend": "horus.backends",
    "command": "horus.commands",
    "runner": "horus.runners",
    "lifecycle": "horus.lifecycle",
}
PACKAGES = ["horus-speed-limit", *(f"horus-my-{kind}" for kind in PLUGINS)]
# Of an editable install's own loader, which pytest finds among the files of a distribution with a plugin.
WARNINGS = [
    "-Werror",
    "-Wignore:Module already imported so cannot be rewritten; _editable:pytest.PytestAssertRewriteWarning",
]


def run(*command, cwd, **more):
    """Run a command; its stdout. What it said is the failure's text."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HORUS_PLUGIN")}
    environment |= more
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder in which one of each kind was made."""
    folder = tmp_path_factory.mktemp("made")
    horus = [sys.executable, "-m", "horus_cli", "new"]
    run(*horus, "node", "speed-limit", cwd=folder)
    run(*horus, "project", "my-robot", cwd=folder)
    for kind in PLUGINS:
        run(*horus, "plugin", f"my-{kind}", "--kind", kind, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheels(made):
    """By distribution: its wheel. hatchling, which builds them, comes with the developers' tools."""
    folder = made / "wheels"
    offline = ["-q", "--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check"]
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        *offline,
        "-w",
        folder,
        *(f"./{name}" for name in PACKAGES),
        cwd=made,
    )
    return {name: folder / f"{name.replace('-', '_')}-0.1.0-py3-none-any.whl" for name in PACKAGES}


@pytest.fixture(scope="module")
def python(made, wheels):
    """The interpreter of a fresh environment in which all of the packages are installed."""
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=made)
    found = made / "venv" / "bin" / "python"
    (site,) = (made / "venv" / "lib").glob("python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    offline = ["-q", "--no-index", "--no-deps", "--disable-pip-version-check"]
    run(found, "-m", "pip", "install", *offline, *wheels.values(), cwd=made)
    return found


@pytest.mark.parametrize("name", PACKAGES)
def test_the_wheel_holds_the_package_and_its_types(wheels, name):
    """The marker for type checkers and the note on the licence are in it; no tests."""
    module = name.replace("-", "_")
    with zipfile.ZipFile(wheels[name]) as archive:
        names = archive.namelist()
    assert {f"{module}/__init__.py", f"{module}/py.typed"} <= set(names)
    assert any(one.endswith("LICENSE") for one in names)
    assert not [one for one in names if "test" in one]


@pytest.mark.parametrize("name", [*PACKAGES, "my-robot"])
def test_its_own_tests_pass(made, python, only_pytest, name):
    """At once, and without a warning."""
    command = [python, *WARNINGS, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    said = run(*command, cwd=made / name, **only_pytest)
    assert " passed" in said


@pytest.mark.parametrize("name", [*PACKAGES, "my-robot"])
def test_its_types_are_whole(made, python, name):
    """`mypy` in its folder, with what its pyproject.toml says: strict, and the tests too."""
    assert "strict = true" in (made / name / "pyproject.toml").read_text()
    assert "Success" in run(python, "-m", "mypy", "--cache-dir", made / "mypy", cwd=made / name)


# spec: A37 F33
def test_horus_sees_all_of_them(made, python, horus_namespace):
    """`horus plugin list` names them with their groups, and `check` finds no fault in any."""
    lines = [line.split() for line in run(python, "-m", "horus_cli", "plugin", "list", cwd=made).splitlines()]
    for kind, group in PLUGINS.items():
        name = "MyMessage" if kind == "message" else f"my-{kind}"
        assert [name, group, f"horus-my-{kind}", "0.1.0", "enabled"] in lines
    assert ["speed-limit", "horus.nodes", "horus-speed-limit", "0.1.0", "enabled"] in lines
    run(python, "-m", "horus_cli", "plugin", "check", "--timeout", "60", cwd=made)


# spec: F33
def test_the_node_does_what_it_declares(made, python, horus_namespace):
    """`horus package check` finds nothing to say against it."""
    said = run(python, "-m", "horus_cli", "package", "check", "speed-limit", cwd=made)
    assert "as declared" in said
    assert "problem" not in said


def test_the_project_runs(made, python, horus_namespace):
    """`horus run` of its script, until its nodes have heard each other; Ctrl+C ends it well."""
    out = made / "out"
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            [python, "-m", "horus_cli", "run", "robot"],
            cwd=made / "my-robot",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + LIMIT_S
        while "[driver] driving:" not in " ".join(out.read_text().split()):
            assert process.poll() is None, out.read_text()
            assert time.monotonic() < deadline, out.read_text()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0, out.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
