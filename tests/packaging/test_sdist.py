"""The sdist installs; a clone that was not built says so."""

from __future__ import annotations

import subprocess
import sys
import tarfile


def test_the_sdist_holds_the_sources(sdist):
    """C sources, tests, docs and examples are in it, and nothing that was built."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "CMakeLists.txt",
        "LICENSE",
        "README.md",
        "horus_core/native/src/ring.c",
    } <= names
    assert {"tests/conftest.py", "docs/architecture.md", "examples/talker.py"} <= names
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc"))]


def test_what_pip_makes_of_the_sdist_works(installed, pair):
    """Compiled by pip of the sdist and installed in a fresh venv: talker and listener hear each other."""
    bin_folder, _ = installed
    pair(bin_folder)


def test_a_clone_that_was_not_built_says_what_to_do(clone):
    """`import horus` in a fresh clone names the two ways to build it, not a module that nobody knows."""
    code = "import sys; sys.path.insert(0, '.'); import horus"
    # Without site-packages, where the developers' editable build would be found.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=clone, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Importing horus failed")
    assert "make setup" in last
    assert "pip install ." in last
