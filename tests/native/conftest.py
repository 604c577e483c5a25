"""Tests of the native core through Python: each in a namespace of its own."""

from __future__ import annotations

import re
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


CC = [
    "cc",
    "-std=gnu11",
    "-O0",
    "-fPIC",
    "-pthread",
    "-fvisibility=hidden",
]  # not optimised: it takes some seconds
INCLUDES = [f"-I{NATIVE / 'include'}", f"-I{sysconfig.get_path('include')}"]


def compile_c(*arguments: str | Path) -> None:
    done = subprocess.run([*CC, *arguments], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def build_of_horus(tmp_path_factory):
    """Makes another build of these sources, its C with the macros given, which no header may use.

    Files that do not name them are compiled once for all builds. Returns how a program begins that imports it.
    """
    objects = tmp_path_factory.mktemp("objects")

    def compiled(source: Path, folder: Path, defines: dict[str, str]) -> Path:
        used = {name for name in defines if re.search(rf"\b{name}\b", source.read_text())}
        made = (folder if used else objects) / f"{source.parent.name}_{source.stem}.o"
        if not made.exists():
            options = [f"-D{name}={value}" for name, value in defines.items() if name in used]
            compile_c("-c", *options, *INCLUDES, "-o", made, source)
        return made

    def build(**defines: str) -> str:
        folder = tmp_path_factory.mktemp("build")
        for package in ("horus", "horus_core", "horus_plugins"):
            ignored = shutil.ignore_patterns("native", "*.so", "__pycache__")
            shutil.copytree(ROOT / package, folder / package, ignore=ignored)
        sources = [*NATIVE.glob("src/*.c"), *NATIVE.glob("python/*.c")]
        parts = [compiled(source, folder, defines) for source in sources]
        module = folder / "horus_core" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
        compile_c("-shared", "-o", module, *parts)
        return PROLOGUE.format(folder=str(folder))

    return build
