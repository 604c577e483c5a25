"""The floors in C: compiled by the harness with gcc, run once a round."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks import machine
from benchmarks.stats import Summary
from benchmarks.venvs import ROOT

SOURCES = Path(__file__).resolve().parent / "c"
BINARIES = ROOT / "build" / "benchmarks"
NATIVE = ROOT / "horus_core" / "native"
FLAGS = ["-std=gnu11", "-O3", "-Wall", "-Wextra", "-pthread"]
RUN_TIMEOUT_S = 60


class CompileError(RuntimeError):
    """A floor does not compile."""


def compile_floor(name: str) -> Path:
    """Compiles c/NAME.c unless that was done; those that measure our core are built of its sources."""
    source = SOURCES / f"{name}.c"
    inputs = [source, *SOURCES.glob("*.h")]
    command = ["gcc", *FLAGS, str(source)]
    if name.startswith("core_"):
        core = sorted((NATIVE / "src").glob("*.c"))
        inputs += [*core, *(NATIVE / "include" / "horus").glob("*.h")]
        command += ["-I", str(NATIVE / "include"), *map(str, core)]
    binary = BINARIES / name
    if not binary.exists() or binary.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
        BINARIES.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*command, "-o", str(binary)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CompileError(f"{source.name} does not compile:\n{done.stderr}")
    return binary


def run_floor(name: str, *arguments: int | str) -> Summary:
    """Runs a compiled floor; it prints one JSON object with its p50 and p99."""
    done = subprocess.run(
        [str(compile_floor(name)), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=RUN_TIMEOUT_S,
        preexec_fn=lambda: machine.prepare_child(None),
    )
    return Summary.of(json.loads(done.stdout))
