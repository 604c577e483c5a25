"""Tests of the native core through Python: each in a namespace of its own."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "horus_core" / "native"

# A finder of an editable installation comes before every folder of sys.path.
PROLOGUE = """
import sys
sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in type(one).__module__]
sys.path.insert(0, {folder!r})
"""


@pytest.fixture(autouse=True)
def _own_namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def region_of(horus_namespace):
    """The file of a topic's region."""

    def path(topic: str) -> Path:
        return Path(f"/dev/shm/horus_{horus_namespace}.topic.{topic}")

    return path


@pytest.fixture(scope="session")
def build_of_horus(tmp_path_factory):
    """Makes another build of these sources, its C with the macros given; not optimised, which takes some seconds.

    Returns how a program begins that imports it.
    """

    def build(**defines: str) -> str:
        folder = tmp_path_factory.mktemp("build")
        for package in ("horus", "horus_core", "horus_plugins"):
            ignored = shutil.ignore_patterns("native", "*.so", "__pycache__")
            shutil.copytree(ROOT / package, folder / package, ignore=ignored)
        command = [
            "cc", "-std=gnu11", "-O0", "-shared", "-fPIC", "-pthread", "-fvisibility=hidden",
            *(f"-D{name}={value}" for name, value in defines.items()),
            f"-I{NATIVE / 'include'}", f"-I{sysconfig.get_path('include')}",
            "-o", folder / "horus_core" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}",
            *NATIVE.glob("src/*.c"), *NATIVE.glob("python/*.c"),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return PROLOGUE.format(folder=str(folder))

    return build
