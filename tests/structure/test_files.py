"""What holds for every file of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 500
MOST_LINES_OF_TESTS = 700
CODE = {".py", ".pyi", ".c", ".h"}
FOLDERS = (
    "horus",
    "horus_core",
    "horus_plugins",
    "cli",
    "packages",
    "tests",
    "benchmarks",
    "examples",
    "docs",
)
LEFT_OUT = {"__pycache__", "build", "results"}
PLACES = re.compile(r"/(?:home|root|work|tmp/[a-z]+_jobs)/|/opt/pypi|file:///")


def _files():
    tops = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in [*tops, *below] if not LEFT_OUT & set(path.relative_to(ROOT).parts)]


def _text(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def _code_lines(text):
    """How many lines are neither blank nor comment alone."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if (bare := line.strip()) and not bare.startswith(("#", "//")))


@pytest.mark.parametrize(
    "path",
    [path for path in _files() if path.suffix in CODE],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_file_is_too_long_to_read(path):
    """No file has more than 500 lines of code, no file of tests more than 700: one concept a file."""
    most = MOST_LINES_OF_TESTS if "tests" in path.parts else MOST_LINES
    assert _code_lines(_text(path)) <= most


def test_no_file_tells_where_it_was_written():
    """No machine's paths and no registry's address stand in any file."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in _files()
        if path != Path(__file__) and path.suffix != ".so"
        for match in PLACES.finditer(_text(path) or "")
    ]
    assert found == []


def test_every_package_says_that_it_is_typed():
    """py.typed stands in each import package."""
    for package in ("horus", "horus_core", "horus_plugins", "cli/horus_cli"):
        assert (ROOT / package / "py.typed").is_file(), package


def test_the_version_is_said_once():
    """What pyproject.toml says is what the module was compiled with."""
    import horus

    said = re.search(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert horus.__version__ == said[1]


def test_public_headers_compile_as_c_and_as_cpp(tmp_path):
    """What native nodes include compiles by itself, as C11 and as C++17 on POSIX, without a warning."""
    headers = sorted((ROOT / "horus_core" / "native" / "include" / "horus").glob("*.h"))
    assert headers
    compilers = [("cc", "gnu11", "c"), ("c++", "gnu++17", "cpp")]
    for header in headers:
        for compiler, standard, suffix in (one for one in compilers if shutil.which(one[0])):
            source = tmp_path / f"{header.stem}.{suffix}"
            source.write_text(f'#include "horus/{header.name}"\n', encoding="utf-8")
            done = subprocess.run(
                [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                 f"-I{header.parent.parent}", str(source)],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
