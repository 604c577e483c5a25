"""The distributions in packages/: each builds into a wheel that works in a fresh environment, beside HORUS's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import pytest

from .conftest import ROOT, pip, run

PACKAGE = ROOT / "packages" / "horus-wander"
ROBOT = """
import numpy as np
import horus

def tick(node):
    ranges = np.full(91, 9.0, np.float32)
    node.send("front.scan", horus.LaserScan(ranges=ranges, angle_min=-0.785, angle_increment=0.01745))
    command = node.latest("left/cmd_vel")
    if command is not None and command.linear > 0:
        print(f"{command.linear:.2f}", flush=True)
        node.request_stop()

horus.run(horus.Node("robot", tick=tick, rate=50), duration=30)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of horus-wander, built without a network."""
    folder = tmp_path_factory.mktemp("wander")
    pip("wheel", "--no-index", "--no-build-isolation", "--no-deps", "-w", folder, PACKAGE)
    (found,) = folder.glob("horus_wander-*.whl")
    return found


@pytest.fixture(scope="module")
def bin_folder(installed, wheel):
    """A fresh environment with HORUS's wheel and that of the package."""
    pip("--python", installed[0] / "python", "install", "--no-index", wheel)
    return installed[0]


def test_the_wheel_holds_the_package_and_its_types(wheel):
    """No tests, no caches; the marker for type checkers and the entry point are in it."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        assert b"[horus.nodes]\nwander = horus_wander:wander" in archive.read(entry_points)
    assert "horus_wander/py.typed" in names
    assert not [name for name in names if "test" in name or name.endswith(".pyc")]


# spec: F18 F33
def test_an_installed_package_runs(bin_folder, horus_namespace, tmp_path):
    """After pip install, horus run: it drives by the scans of another process, on the topics that it was given."""
    environment = {"HORUS_NAMESPACE": horus_namespace, "PATH": str(bin_folder), "HOME": str(tmp_path)}
    options = ["--param", "max_speed=0.5", "--topic", "scan=front.scan", "--topic", "cmd_vel=left/cmd_vel"]
    node = subprocess.Popen(
        [bin_folder / "horus", "run", "horus-wander", *options, "--name", "left"],
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = run(bin_folder / "python", "-c", ROBOT, env=environment, cwd=tmp_path)
        listed = run(bin_folder / "horus", "topic", "list", "-v", env=environment, cwd=tmp_path)
    finally:
        node.terminate()
        _, err = node.communicate(timeout=60)
    assert said == "0.50\n", err
    assert "publisher   left (as cmd_vel)" in listed
    assert node.returncode == 0, err


# spec: F33
def test_an_installed_package_is_as_it_declares(bin_folder, horus_namespace, tmp_path):
    """`horus package` finds it, and its check finds nothing against it."""
    environment = {"HORUS_NAMESPACE": horus_namespace, "PATH": str(bin_folder), "HOME": str(tmp_path)}
    assert "horus-wander" in run(bin_folder / "horus", "package", "list", env=environment)
    told = json.loads(run(bin_folder / "horus", "package", "check", "wander", "--json", env=environment))
    (function,) = told["nodes"]
    assert function["check"]["problems"] == []
    assert function["nodes"][0]["publishes"] == [{"topic": "cmd_vel", "type": "CmdVel"}]
    shown = run(bin_folder / "horus", "package", "info", "horus-wander", env=environment)
    assert f"```text\n{shown}```" in (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    for one in function["parameters"]:
        assert f"| `{one['name']}` | {one['default']} {one['unit']} |" in readme


def test_its_types_are_whole(mypy):
    """What mypy --strict says of it beside HORUS's wheel: nothing."""
    assert "Success" in mypy("src/horus_wander", cwd=PACKAGE)


def test_its_own_tests_pass(horus_namespace, only_pytest):
    """As its author runs them, with its own configuration."""
    # The warning is of an editable install's own loader.
    command = [sys.executable, "-m", "pytest", "-v", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    environment = {**os.environ, **only_pytest, "PYTHONPATH": str(PACKAGE / "src")}
    assert " passed" in run(*command, cwd=PACKAGE, env=environment)
