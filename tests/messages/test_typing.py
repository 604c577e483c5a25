"""Type checkers understand message classes."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def mypy(path: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        str(cache),
        str(path),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def pyright(path: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("pyright")
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("pyright and node are not installed")
    copy = tmp_path / path.name
    copy.write_text("# pyright: strict\n" + path.read_text())
    said = {"env": {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}, "cwd": tmp_path, "timeout": 110}
    command = [str(program), "--pythonpath", sys.executable, str(copy)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **said)


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
def test_mypy_strict_accepts_what_users_write(tmp_path: Path) -> None:
    """A guide-style message class and its uses pass mypy --strict."""
    found = mypy(HERE / "typed_user_code.py", tmp_path)
    assert found.stdout + found.stderr == ""


# spec: E3
def test_mypy_finds_mistakes(tmp_path: Path) -> None:
    """Misspelt keywords and attributes and wrong types are errors for mypy."""
    path = HERE / "wrong_user_code.py"
    assert error_lines(mypy(path, tmp_path).stdout, path) == marked_lines(path)


# spec: E3 F32
def test_pyright_strict_accepts_what_users_write(tmp_path: Path) -> None:
    """A guide-style message class and its uses pass pyright in strict mode."""
    found = pyright(HERE / "typed_user_code.py", tmp_path)
    assert found.returncode == 0, found.stdout


# spec: E3
def test_pyright_finds_mistakes(tmp_path: Path) -> None:
    """Misspelt keywords and attributes and wrong types are errors for pyright."""
    path = HERE / "wrong_user_code.py"
    assert error_lines(pyright(path, tmp_path).stdout, path, shift=1) == marked_lines(path)
