"""Plugins as users get them: real wheels, installed, upgraded and uninstalled by pip in a virtual environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest

GREET = """
import click

@click.command()
def greet():
    click.echo("hello from {version}")
"""


@pytest.fixture
def environment(tmp_path):
    """An environment of its own that sees this one's HORUS."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = sysconfig.get_path("purelib")
    pth = folder / "lib" / version / "site-packages" / "horus.pth"
    pth.write_text(f"import site; site.addsitedir({ours!r})\n")
    return folder / "bin" / "python"


@pytest.fixture
def pip(environment):
    """Run pip on that environment, without any index."""

    def run(*arguments):
        command = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            environment,
            "--disable-pip-version-check",
            *arguments,
        ]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    return run


def wheel(folder, version):
    """A wheel of acme-tools with one command."""
    path = folder / f"acme_tools-{version}-py3-none-any.whl"
    info = f"acme_tools-{version}.dist-info"
    files = {
        "acme_tools.py": GREET.format(version=version),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: acme-tools\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[horus.commands]\ngreet = acme_tools:greet\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def test_from_installing_to_uninstalling(site, environment, pip, tmp_path):
    """What pip installs is there at once, an upgrade replaces it, and what it uninstalls leaves nothing behind."""

    def horus(*arguments):
        return site._run([str(environment), "-m", "horus_cli", *arguments], {"PYTHONPATH": ""})

    assert horus("greet").code == 2
    pip("install", "--no-index", "--no-deps", wheel(tmp_path, "1.0"))
    assert horus("greet").out == "hello from 1.0\n"
    pip("install", "--no-index", "--no-deps", wheel(tmp_path, "1.1"))
    assert horus("greet").out == "hello from 1.1\n"
    listed = [line.split() for line in horus("plugin", "list").out.splitlines() if "acme" in line]
    assert listed == [["greet", "horus.commands", "acme-tools", "1.1", "enabled"]]
    pip("uninstall", "--yes", "acme-tools")
    assert horus("greet").code == 2
    assert "acme" not in horus("plugin", "list").out
