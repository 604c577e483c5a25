"""Every input that fuzzing has kept, in a build with gcc's sanitizers: needs neither clang nor libFuzzer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = (*sorted(path.name for path in CORPUS.iterdir()), "race_ring", "race_pool")
MOST_BYTES = 500_000


@pytest.fixture(scope="module")
def built():
    """The folder of the programs, which make builds."""
    programs = [f"build/fuzz-replay/{target}" for target in TARGETS]
    subprocess.run(["make", "--silent", *programs], cwd=ROOT, check=True, timeout=300)
    return ROOT / "build" / "fuzz-replay"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_was_found_fails_again(built, target):
    """No input makes a call overrun memory, take more steps than it may, or break what it promises."""
    inputs = sorted((CORPUS / target.replace("race", "read")).iterdir())
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [built / target, *inputs], env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(inputs)} inputs replayed\n"


def test_the_corpus_stays_small():
    """What is kept is minimized (`make fuzz-keep`), so that a clone stays small."""
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MOST_BYTES
