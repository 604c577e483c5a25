"""Puts faults into the C, one at a time, and sees that a test fails for each: `make mutations`.

    make mutations                                     # all of them
    make mutations MUTATIONS="commit_acq_rel wake_one" # these

horus_core/native/tests/mutations.yaml lists those of the protocol, mutations_orders.yaml those of its memory
orders. The sources are copied; the unmutated copy must pass every test that a fault must fail.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
NATIVE = Path("horus_core/native")
LISTS = (NATIVE / "tests/mutations.yaml", NATIVE / "tests/mutations_orders.yaml")
COPIED = (
    "Makefile",
    "docs/protocol.md",
    "tests/fuzz/native/fuzz.mk",  # the Makefile includes it
    "tests/native/orders.py",
    "tests/native/orders_arm.py",
    *(str(NATIVE / folder) for folder in ("src", "include", "tests")),
)
HANG_S = 60


@dataclass(frozen=True)
class Mutation:
    """One fault, and what must fail by it."""

    name: str
    says: str
    file: str
    text: str
    instead: str
    run: str
    shows: str
    stress: float = 1.0

    def apply(self, root: Path) -> None:
        """Replace the text, which must occur once."""
        path = root / NATIVE / "src" / self.file
        source = path.read_text()
        if source.count(self.text) != 1:
            raise SystemExit(f"{self.name}: expected its text once in {path}, got {source.count(self.text)}")
        path.write_text(source.replace(self.text, self.instead))


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    failed: bool
    output: str
    seconds: float


def mutations() -> list[Mutation]:
    """All that are listed."""
    return [Mutation(**entry) for file in LISTS for entry in yaml.safe_load((ROOT / file).read_text())]


def copy_to(where: Path) -> None:
    """What is needed to build and to judge."""
    for name in COPIED:
        target = where / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, target)


def build(root: Path, programs: set[str]) -> None:
    """Make the programs among what is to run."""
    targets = sorted(program for program in programs if program.startswith("build/"))
    if targets:
        subprocess.run(["make", "-s", *targets], cwd=root, check=True)


def run(root: Path, program: str, stress: float, *files: str) -> Outcome:
    """Run one judge to its end, or until it hangs. One that reads the code looks at the files named."""
    command = [sys.executable, program, *files] if program.endswith(".py") else [f"./{program}"]
    environ = {**os.environ, "STRESS": str(stress)}
    started = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=root,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as judge:
        try:
            output, _ = judge.communicate(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            os.killpg(judge.pid, signal.SIGKILL)
            output = judge.communicate()[0] + f"\nhangs: ended after {HANG_S} s"
        return Outcome(judge.returncode != 0, output, time.monotonic() - started)


def first_complaint(output: str) -> str:
    """The line of a failed run that says what was not true."""
    for pattern in (
        r"hangs: .*",
        r"\S+:\d+: (.*)",
        r"WARNING: (ThreadSanitizer: .*)",
        r"not (?:found|in .*): .*",
        r".* expected .*, got .*",
        r"FAILED (.*)",
    ):
        found = re.search(pattern, output)
        if found:
            return found.group(found.lastindex or 0).split(" (pid")[0]
    return output.strip().splitlines()[-1] if output.strip() else "no word"


def judge(base: Path, mutation: Mutation, times: int) -> tuple[int, int, str, float]:
    """How many of how many runs caught the fault, how, and how long the slowest took."""
    caught, how, seconds = 0, "survived", 0.0
    times = times if mutation.run.startswith("build/") else 1  # what reads the code says the same each time
    with tempfile.TemporaryDirectory(dir=base.parent) as folder:
        root = Path(folder) / "copy"
        shutil.copytree(base, root)  # with its objects: only what changed is compiled anew
        mutation.apply(root)
        build(root, {mutation.run})
        for _ in range(times):
            outcome = run(root, mutation.run, mutation.stress, mutation.file)
            seconds = max(seconds, outcome.seconds)
            if outcome.failed and mutation.shows in outcome.output:
                caught, how = caught + 1, first_complaint(outcome.output)
            elif outcome.failed:
                how = f"failed otherwise: {first_complaint(outcome.output)}"
    return caught, times, how, seconds


def check_base(base: Path, chosen: list[Mutation]) -> bool:
    """Whether everything that must fail passes without a fault."""
    build(base, {mutation.run for mutation in chosen})
    fine = True
    for program, stress in sorted({(mutation.run, mutation.stress) for mutation in chosen}):
        outcome = run(base, program, stress)
        fine = fine and not outcome.failed
        print(f"unmutated  {program}: {'FAILED' if outcome.failed else 'passes'} in {outcome.seconds:.1f} s")
        if outcome.failed:
            print(outcome.output)
    return fine


def remove_leftovers() -> None:
    """Remove the pools of tests that were ended."""
    for path in Path("/dev/shm").glob("horus_ctest~*"):
        pid = re.match(r"horus_ctest~[a-z]+~(\d+)", path.name)
        if pid and not Path("/proc", pid.group(1)).exists():
            path.unlink(missing_ok=True)


def main() -> int:
    """Print a table; 1 when a fault survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of mutations; all when none is given")
    parser.add_argument("--jobs", type=int, default=1, help="at the same time, at most 2")
    parser.add_argument("--times", type=int, default=1, help="runs, each of which must catch the fault")
    given = parser.parse_args()
    known = [mutation.name for mutation in mutations()]
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"expected names of mutations, got {', '.join(unknown)}. There are: {', '.join(known)}")
    chosen = [mutation for mutation in mutations() if not given.names or mutation.name in given.names]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        copy_to(base)
        if not check_base(base, chosen):
            return 1
        with ThreadPoolExecutor(min(2, given.jobs)) as pool:
            verdicts = pool.map(lambda mutation: judge(base, mutation, given.times), chosen)
            print(f"{'mutation':38}{'caught':>8}{'s':>7}  how ({'; '.join(sorted({m.run for m in chosen}))})")
            for mutation, (caught, times, how, seconds) in zip(chosen, verdicts, strict=True):
                survived += caught < times
                print(f"{mutation.name:38}{caught:>5}/{times}{seconds:>8.1f}  {how}", flush=True)
    remove_leftovers()
    print(f"{len(chosen) - survived} caught, {survived} survived")
    return survived > 0


if __name__ == "__main__":
    sys.exit(main())
