"""Which lines of the C core the inputs reach: clang's source-based coverage of the same targets, replayed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "fuzz-coverage"
SOURCES = ROOT / "horus_core" / "native"
JUDGED = (
    *(
        f"src/{name}.c"
        for name in (
            "index",
            "member",
            "ring",
            "rows",
            "recv",
            "observe",
            "pool_chunk",
            "pool_newcomer",
            "pool_reader",
        )
    ),
    "python/message_wire.c",
    "python/pooled_table.c",
)
"""All that opens shared memory, checks it, reads from it and unpacks that; every function in these files counts."""
BESIDE = ("src/send.c",)
"""Shown, not judged: what writes."""


def _tool(name: str) -> str:
    """LLVM's tools have its version in their names on some systems."""
    for suffix in ("", "-14", "-15", "-16", "-17", "-18", "-19"):
        if found := shutil.which(name + suffix):
            return found
    raise SystemExit(
        f"{name} was not found: it measures what fuzzing covers. Install llvm (apt-get install llvm)."
    )


def _replay(inputs: dict[str, list[Path]]) -> tuple[Path, bool]:
    """Replay all inputs; the profile of all together, and whether all went well."""
    well = True
    for old in BUILD.glob("*.profraw"):
        old.unlink()
    for target, folders in inputs.items():
        environment = {**os.environ, "LLVM_PROFILE_FILE": str(BUILD / f"{target}.profraw")}
        command = [str(BUILD / target), *map(str, folders)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            well = False
            print(f"{target}: a replayed input FAILED\n{done.stderr}")
    profile = BUILD / "all.profdata"
    raw = [str(path) for path in BUILD.glob("*.profraw")]
    subprocess.run([_tool("llvm-profdata"), "merge", "-o", str(profile), *raw], check=True)
    return profile, well


def _lines_of(profile: Path, targets: list[str]) -> dict[str, dict[int, int]]:
    """How often each line of code ran, by file."""
    objects = [part for target in targets[1:] for part in ("-object", str(BUILD / target))]
    command = [
        _tool("llvm-cov"),
        "export",
        "-format=lcov",
        f"-instr-profile={profile}",
        str(BUILD / targets[0]),
    ]
    done = subprocess.run([*command, *objects, str(SOURCES)], capture_output=True, text=True, check=True)
    files: dict[str, dict[int, int]] = {}
    for record in done.stdout.split("end_of_record\n"):
        if name := re.search(r"^SF:(.*)$", record, re.MULTILINE):
            path = Path(name[1]).resolve().relative_to(SOURCES).as_posix()
            counts = files.setdefault(path, {})
            for line, count in re.findall(r"^DA:(\d+),(\d+)", record, re.MULTILINE):
                counts[int(line)] = max(counts.get(int(line), 0), int(count))
    return files


def _ranges(lines: list[int]) -> str:
    """As 3-5, 9."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)


def show(inputs: dict[str, list[Path]], least: float) -> bool:
    """Print the table; whether every input went well and enough lines of each judged file are covered."""
    profile, well = _replay(inputs)
    files = _lines_of(profile, list(inputs))
    enough, all_lines, all_covered = True, 0, 0
    print(f"\n{'file':<24}{'lines':>6}{'covered':>9}{'':>9}  not covered")
    for name in (*JUDGED, *BESIDE):
        counts = files[name]
        missed = sorted(line for line, count in counts.items() if count == 0)
        covered = len(counts) - len(missed)
        share = 100.0 * covered / len(counts)
        low = name in JUDGED and share < least
        enough = enough and not low
        if name in JUDGED:
            all_lines, all_covered = all_lines + len(counts), all_covered + covered
        print(f"{name:<24}{len(counts):>6}{covered:>9}{share:>8.1f}%  {_ranges(missed)}{' TOO LOW' * low}")
    share = 100.0 * all_covered / all_lines
    print(
        f"{'judged files':<24}{all_lines:>6}{all_covered:>9}{share:>8.1f}%  (at least {least:.0f} % of each)"
    )
    return enough and well
