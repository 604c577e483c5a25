"""Type checkers understand message classes."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


FILES = [HERE / name for name in ("typed_user_code.py", "wrong_user_code.py")]


def run(*command: "str | Path", **more: Any) -> str:
    """What a checker writes; both files in one run, as most of it goes into reading what they import."""
    options = {"cwd": ROOT, "timeout": 110, "stdin": subprocess.DEVNULL, "text": True, "check": False, **more}
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options).stdout


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy --strict says."""
    options = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path_factory.mktemp("mypy"))]
    options += ["--python-version", "{}.{}".format(*sys.version_info)]  # for which numpy is installed
    return run(sys.executable, "-m", "mypy", *options, *FILES)


@pytest.fixture(scope="module")
def pyright(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pyright says in its strict mode; its lines are shifted by one."""
    program = Path(sys.executable).with_name("pyright")
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("pyright and node are not installed")
    folder = tmp_path_factory.mktemp("pyright")
    for path in FILES:
        (folder / path.name).write_text("# pyright: strict\n" + path.read_text())
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [program, "--pythonpath", sys.executable, *(folder / path.name for path in FILES)]
    return run(*command, env=environment, cwd=folder)


def marked_lines(path: Path) -> set[int]:
    return {number for number, line in enumerate(path.read_text().splitlines(), 1) if "# WRONG" in line}


def error_lines(output: str, path: Path, shift: int = 0) -> set[int]:
    lines = [line for line in output.splitlines() if path.name + ":" in line and "error" in line]
    return {int(line.split(path.name + ":")[1].split(":")[0]) - shift for line in lines}


# spec: F32
def test_what_users_write_runs() -> None:
    """The example that the checkers read is a working program."""
    made = runpy.run_path(str(HERE / "typed_user_code.py"))
    assert made["again"] == made["state"]
    assert made["state"].pressures.tolist() == [0.0, 0.0, 0.0]


# spec: E3 F32
def test_mypy_strict_accepts_what_users_write(mypy: str) -> None:
    """A guide-style message class and its uses pass mypy --strict."""
    assert [line for line in mypy.splitlines() if "wrong_user_code.py:" not in line] == []


# spec: E3
def test_mypy_finds_mistakes(mypy: str) -> None:
    """Misspelt keywords and attributes and wrong types are errors for mypy."""
    path = HERE / "wrong_user_code.py"
    assert error_lines(mypy, path) == marked_lines(path)


# spec: E3 F32
def test_pyright_strict_accepts_what_users_write(pyright: str) -> None:
    """A guide-style message class and its uses pass pyright in strict mode."""
    said = [line for line in pyright.splitlines() if "wrong_user_code.py" not in line]
    assert [line for line in said[:-1] if ": error:" in line or ": warning:" in line or ".py" in line] == []
    assert re.fullmatch(r"\d+ errors, 0 warnings, 0 informations ?", said[-1]), pyright


# spec: E3
def test_pyright_finds_mistakes(pyright: str) -> None:
    """Misspelt keywords and attributes and wrong types are errors for pyright."""
    path = HERE / "wrong_user_code.py"
    assert error_lines(pyright, path, shift=1) == marked_lines(path)
