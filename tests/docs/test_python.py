"""The Python in the pages runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import doc_pages
import pytest

RUNNER = Path(__file__).with_name("run_page.py")
WITH_PYTHON = [page for page in doc_pages.PAGES if doc_pages.blocks(page, "python")]
TIMEOUT_S = 60


@pytest.mark.parametrize("page", WITH_PYTHON, ids=doc_pages.name)
def test_a_page_runs_from_top_to_bottom(page, horus_namespace, tmp_path):
    """Every Python block of a page runs, in order, as one program, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER), str(page)],
        cwd=tmp_path,
        env={**os.environ, "HORUS_NAMESPACE": horus_namespace},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# spec: A2, A3, A4, A5
@pytest.mark.parametrize("example", ["talker.py", "listener.py"])
def test_the_smallest_pair_in_the_readme_is_the_one_in_examples(example):
    """The README shows examples/talker.py and listener.py as they are, so what runs there runs here."""
    shown = [block.text for block in doc_pages.blocks(doc_pages.ROOT / "README.md", "python")]
    assert (doc_pages.ROOT / "examples" / example).read_text(encoding="utf-8") in shown


IMPORT = re.compile(r"^(import horus|from horus\S* import .+)$", re.MULTILINE)
"""A statement, and not the words in a table of figures."""


def test_python_is_marked_as_such():
    """No block of Python hides behind another language, or none, where it would not be run."""
    known = {"", "c", "console", "ini", "json", "promela", "python", "sh", "text", "toml", "yaml"}
    for page in doc_pages.PAGES:
        for block in doc_pages.blocks(page):
            where = f"{doc_pages.name(page)}:{block.line}"
            assert block.language in known, where
            assert block.language == "python" or not IMPORT.search(block.text), where


def test_every_block_is_closed():
    """No fence opens within a block: the rest of the page would be shown as code, and its commands run by nobody."""
    for page in doc_pages.PAGES:
        inside = False
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("```"):
                assert not (inside and line.strip("`").strip()), f"{doc_pages.name(page)}:{number}: {line}"
                inside = not inside
        assert not inside, doc_pages.name(page)
