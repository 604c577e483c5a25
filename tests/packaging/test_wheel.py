"""The wheel: what is in it, and that it works where nothing can be compiled."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT, run

TEMPLATES = "horus_plugins/templates/files/"

CHECK = """
import importlib.metadata, pathlib, horus, horus_core, horus_cli, horus_plugins
import sys
for package in (horus, horus_core, horus_cli, horus_plugins):
    assert pathlib.Path(package.__file__).is_relative_to(sys.prefix)
entries = importlib.metadata.distribution("horus-core").entry_points
assert {"console_scripts", "horus.messages"} <= {entry.group for entry in entries}
for entry in entries:
    if entry.group != "pytest11":  # for those who have pytest
        assert entry.load() is not None, entry
topic = horus.Topic("camera.rgb", horus.Image)
assert topic.send(horus.Image(480, 640)) and topic.recv().shape == (480, 640, 3)
print(horus.__version__)
"""


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_what_users_need(names):
    """Types, stub and the headers for native nodes are in it, and the command's and the plugins' entry points."""
    wanted = [f"{package}/py.typed" for package in ("horus", "horus_core", "horus_plugins", "horus_cli")]
    wanted += ["horus_core/_native.pyi"]
    wanted += [f"horus_core/native/include/horus/{name}.h" for name in ("base", "member", "pool", "ring")]
    assert set(wanted) <= set(names)
    assert any(Path(name).match("horus_core/_native.*.so") for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)


def test_the_wheel_holds_nothing_else(names):
    """No C sources, no tests, no caches: only the four packages and their metadata."""
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"horus", "horus_core", "horus_plugins", "horus_cli"}
    assert not [name for name in names if name.endswith((".c", ".pyc", ".o"))]
    ours = [name for name in names if not name.startswith(TEMPLATES)]
    assert not [name for name in ours if "/tests/" in name or "/src/" in name or "/python/" in name]


def test_the_wheel_holds_the_templates(names):
    """All that `horus new` fills in, hidden files and empty ones too."""
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / TEMPLATES).rglob("*.in")}
    assert there
    assert {name for name in names if name.startswith(TEMPLATES)} == there


def test_it_works_on_a_machine_without_a_compiler(installed, pair, horus_namespace, tmp_path):
    """Installed with no compiler in reach, in a fresh venv: everything imports, entry points load, images travel."""
    bin_folder, environment = installed
    there = {**environment, "HORUS_NAMESPACE": horus_namespace}
    assert run(bin_folder / "python", "-c", CHECK, cwd=tmp_path, env=there).strip()
    assert run(bin_folder / "horus", "--version", cwd=tmp_path, env=there).startswith("horus ")
    pair(bin_folder)


def test_types_are_seen_by_who_installs_it(mypy, tmp_path):
    """A user's mypy finds the package's own types, through the stub and py.typed."""
    code = tmp_path / "user.py"
    code.write_text(
        "import horus\n"
        "def tick(node: horus.Node) -> None:\n"
        "    reveal_type(node.send('cmd_vel', horus.CmdVel(linear=1.0)))\n"
    )
    said = mypy(code, cwd=tmp_path)
    assert 'Revealed type is "builtins.bool"' in said or 'Revealed type is "bool"' in said
