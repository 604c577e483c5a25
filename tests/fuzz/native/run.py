"""Fuzzes the C core for a given time, replays the corpus, and measures what both together cover.

    python tests/fuzz/native/run.py --seconds 60                       # as `make fuzz` does
    python tests/fuzz/native/run.py --seconds 600 --only read_ring
    python tests/fuzz/native/run.py --keep                             # what was found becomes part of the corpus

The programs are built by `make` (fuzz.mk). What is found on the way stays in build/fuzz/found, and inputs that fail
in build/fuzz/failed: copy those that were mended to tests/fuzz/corpus/<target>, where test_corpus.py replays them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import coverage

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = (
    "open_index",
    "open_ring",
    "open_chunk",
    "read_ring",
    "race_ring",
    "read_pool",
    "race_pool",
    "unpack",
)
SAME_INPUTS = {"race_ring": "read_ring", "race_pool": "read_pool"}
"""What differs in these is when the bytes change."""
MAX_LENGTH = 256
HANG_S = 20
"""A single input takes a millisecond; the budget of steps in stage.h finds an endless loop before this does."""
LEAST_COVERAGE = 95.0


class Outcome(NamedTuple):
    """What one target did."""

    target: str
    executions: int
    seconds: float
    new: int
    failed: str
    """The end of what it said; empty when all was well."""


def folders(target: str) -> list[Path]:
    """Where its inputs are: found on the way, and kept."""
    found, kept = BUILD / "found" / target, CORPUS / SAME_INPUTS.get(target, target)
    found.mkdir(parents=True, exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    return [found, kept]


def fuzz(target: str, seconds: float) -> Outcome:
    """Run one target's fuzzer on all that is known, for so long."""
    failed = BUILD / "failed"
    failed.mkdir(parents=True, exist_ok=True)
    command = [
        str(BUILD / target),
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={MAX_LENGTH}",
        f"-timeout={HANG_S}",
        "-rss_limit_mb=3000",
        "-print_final_stats=1",
        "-verbosity=1",
        f"-artifact_prefix={failed}/{target}-",
        *map(str, folders(target)),
    ]
    begin = time.monotonic()
    done = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, errors="replace", check=False)
    taken = time.monotonic() - begin

    def stat(name: str) -> int:
        found = re.search(rf"stat::{name}:\s+(\d+)", done.stderr)
        return int(found[1]) if found else 0

    said = "" if done.returncode == 0 else "\n".join(done.stderr.splitlines()[-60:])
    return Outcome(target, stat("number_of_executed_units"), taken, stat("new_units_added"), said)


def fuzz_all(targets: list[str], seconds: float) -> bool:
    """Fuzz the targets, as many at once as there are processors, in `seconds` in all; whether all was well."""
    jobs = min(os.cpu_count() or 1, len(targets))
    each = seconds * jobs / len(targets)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda target: fuzz(target, each), targets))
    print(f"{'target':<12}{'executions':>12}{'exec/s':>10}{'seconds':>9}{'new inputs':>12}")
    for one in outcomes:
        rate = one.executions / one.seconds
        print(f"{one.target:<12}{one.executions:>12}{rate:>10.0f}{one.seconds:>9.0f}{one.new:>12}")
    print(f"{'all':<12}{sum(one.executions for one in outcomes):>12}")
    for one in outcomes:
        if one.failed:
            print(f"\n{one.target} FAILED; the input is in {BUILD / 'failed'}\n{one.failed}")
    return not any(one.failed for one in outcomes)


def keep(targets: list[str]) -> None:
    """Make the smallest set of inputs that covers what is covered the corpus that is kept."""
    for target in (target for target in targets if target not in SAME_INPUTS):
        found, kept = folders(target)
        fresh = BUILD / "merged" / target
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        command = [
            str(BUILD / target),
            "-merge=1",
            f"-max_len={MAX_LENGTH}",
            str(fresh),
            str(kept),
            str(found),
        ]
        subprocess.run(command, cwd=BUILD, capture_output=True, check=True)
        for old in kept.iterdir():
            if re.fullmatch(r"[0-9a-f]{40}", old.name):  # the others have names: they are regressions
                old.unlink()
        for new in fresh.iterdir():
            shutil.copy(new, kept)
        files = list(kept.iterdir())
        print(f"{target:<12}{len(files):>6} inputs {sum(file.stat().st_size for file in files):>8} bytes")


def main() -> int:
    """Return 0 when nothing failed and enough is covered."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--only", nargs="*", choices=TARGETS, default=list(TARGETS), help="not all targets")
    parser.add_argument("--keep", action="store_true", help="do not fuzz: keep what was found")
    chosen = parser.parse_args()
    if chosen.keep:
        keep(chosen.only)
        return 0
    well = fuzz_all(chosen.only, chosen.seconds)
    enough = coverage.show({target: folders(target) for target in TARGETS}, LEAST_COVERAGE)
    return 0 if well and enough else 1


if __name__ == "__main__":
    sys.exit(main())
