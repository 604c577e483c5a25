"""`horus install` and `uninstall`: the installer that is chosen, and what is said of the outcome."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig

import pytest

from horus_core.errors import LaunchError
from horus_plugins.installing import changes, installer
from horus_plugins.installing.changes import State
from horus_plugins.templates import kinds
from horus_plugins.templates.making import make

OFFLINE = ["--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """The folder of a fresh environment that sees this interpreter's packages, HORUS and pip among them."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return folder


@pytest.fixture
def in_venv(venv, tmp_path, ns):
    """Run `horus` there: `in_venv("install", …)` ended well or not, as it says."""

    def run(*arguments, **environment):
        return subprocess.run(
            [venv / "bin" / "python", "-m", "horus_cli", *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def test_what_changed_is_told(in_venv, venv, tmp_path):
    """A package comes, has another version and other nodes, and goes: pip's command is shown, then what HORUS has."""
    made = make(kinds.NODE, "arm", tmp_path)
    project = made.folder / "pyproject.toml"
    python = venv / "bin" / "python"

    done = in_venv("install", "-q", *OFFLINE, "-e", "./horus-arm")
    assert done.stdout == "horus-arm 0.1.0: new\n  + node arm\n", done.stderr
    assert done.stderr.startswith(f"$ {python} -m pip install -q {' '.join(OFFLINE)} -e ./horus-arm\n")
    assert done.returncode == 0

    text = project.read_text().replace('"0.1.0"', '"0.2.0"').replace("arm = ", "left-arm = ")
    project.write_text(text)
    done = in_venv("install", "-q", *OFFLINE, "./horus-arm")
    assert done.stdout == "horus-arm 0.1.0 -> 0.2.0\n  - node arm\n  + node left-arm\n", done.stderr

    done = in_venv("uninstall", "-q", "horus-arm")
    assert done.stdout == "horus-arm 0.2.0: gone\n  - node left-arm\n", done.stderr
    assert done.returncode == 0


def test_the_exit_code_is_the_installers(in_venv):
    """What cannot be found: pip's own words on stderr, and nothing that changed."""
    done = in_venv("install", *OFFLINE, "horus-no-such-thing")
    assert done.returncode == 1
    assert "No matching distribution found for horus-no-such-thing" in done.stderr
    said = "Nothing changed for HORUS: no plugin and no node came, went or has another version."
    assert done.stdout.splitlines()[-1] == said


def test_a_dry_run_shows_the_command(in_venv, venv):
    """On stdout, quoted for a shell; nothing runs."""
    done = in_venv("install", "--dry-run", "horus-arm>=0.1", "-e", "./my package")
    python = venv / "bin" / "python"
    assert (done.returncode, done.stderr) == (0, "")
    assert shlex.split(done.stdout) == [
        *(str(python), "-m", "pip", "install"),
        *("horus-arm>=0.1", "-e", "./my package"),
    ]
    done = in_venv("uninstall", "--dry-run", "horus-arm")
    assert shlex.split(done.stdout) == [str(python), "-m", "pip", "uninstall", "--yes", "horus-arm"]


def test_nothing_to_install(in_venv):
    """Usage."""
    assert in_venv("install").returncode == 2


def test_uv_where_it_made_the_environment(in_venv, venv, tmp_path):
    """Its pyvenv.cfg says so; without uv in reach pip does it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    uv = tools / "uv"
    uv.write_text("#!/bin/sh\nexit 9\n")
    uv.chmod(0o755)
    config = venv / "pyvenv.cfg"
    before = config.read_text()
    try:
        assert " -m pip " in in_venv("install", "--dry-run", "x", PATH=str(tools)).stdout
        config.write_text(f"{before}uv = 0.9.5\n")
        python = venv / "bin" / "python"
        for verb in ("install", "uninstall"):
            done = in_venv(verb, "--dry-run", "x", PATH=str(tools))
            assert shlex.split(done.stdout) == [str(uv), "pip", verb, "--python", str(python), "x"]
        assert in_venv("install", "x", PATH=str(tools)).returncode == 9
        assert " -m pip " in in_venv("install", "--dry-run", "x", PATH=str(tmp_path)).stdout
    finally:
        config.write_text(before)


def test_without_pip(monkeypatch, tmp_path):
    """Then uv does it where there is one; else the way out is said."""
    monkeypatch.setattr(installer, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match=r"expected pip or uv, got neither .* -m ensurepip"):
        installer.command("install", ["x"])
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert installer.command("install", ["x"])[:3] == [str(tmp_path / "uv"), "pip", "install"]


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_the_systems_own_python(verb, monkeypatch, tmp_path):
    """It is left alone, and the way to an environment is said."""
    (tmp_path / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(LaunchError, match="belongs to the system .*`python3 -m venv .venv`"):
        installer.command(verb, ["x"])


def test_an_installer_that_is_killed(tmp_path):
    """128 + n, as a shell has it; one that cannot be started is an error."""
    assert installer.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137
    with pytest.raises(LaunchError, match="No such file"):
        installer.run([str(tmp_path / "uv")])


def test_every_kind_has_a_word():
    """What changed is told in the words of the documentation, for every group; several changes in order."""
    from horus_core.plugins.kinds import GROUPS

    gives = frozenset((group, "x") for group in GROUPS)
    lines = list(
        changes.told(changes.between({"b": State("b", "1", frozenset())}, {"a": State("a", "2", gives)}))
    )
    assert lines[0] == "a 2: new"
    assert lines[-1] == "b 1: gone"
    assert len(lines) == len(GROUPS) + 2
    assert not [line for line in lines if "horus." in line]


def test_what_would_be_done_as_json(horus):
    """--json tells programs the installer's command line, and what HORUS has of it."""
    command = horus("install", "--dry-run", "--json", "horus-arm")
    assert command.wait() == 0
    told = json.loads(command.stdout)
    assert told["command"][-1] == "horus-arm"
    assert told["exit_code"] is None
