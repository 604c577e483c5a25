"""Every promise has a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = [
    item
    for line in Path(__file__).with_name("spec_items.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for item in line.split()
]
_CITATION = re.compile(r"(?:#|//|/\*)\s*spec:(.*)")
_ITEM = re.compile(r"\b[A-F]\d{1,2}\b")


def _tests():
    yield from (path for path in ROOT.glob("tests/**/*.py") if path != Path(__file__))
    yield from ROOT.glob("horus_core/native/tests/*.[ch]")


def _cited():
    """{item: the files that cite it}."""
    found = {}
    for path in _tests():
        for said in _CITATION.findall(path.read_text(encoding="utf-8")):
            for item in _ITEM.findall(said):
                found.setdefault(item, set()).add(path.relative_to(ROOT).as_posix())
    return found


CITED = _cited()


@pytest.mark.parametrize("item", PROMISED)
def test_a_promise_is_cited_by_a_test(item):
    """Each item of spec_items.txt stands above a test that holds it."""
    assert item in CITED
