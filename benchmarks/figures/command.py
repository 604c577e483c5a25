"""What the `horus` command costs before it does anything, with many packages installed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import venvs
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab

DISTRIBUTIONS = 300
PLUGINS = 50
LIMIT_S = 60
HORUS = ("-c", "import re, sys; from horus_cli.main import main; main()")
"""What the console script does."""
STANDARD_LIBRARY = """
from importlib.metadata import distributions
for one in distributions():
    if any(entry.group.startswith("horus.") for entry in one.entry_points):
        print(one.name, one.version)
"""


def helping(lab: Lab) -> list[Row]:
    """From the start of the process to its end, of `horus --help` and of `horus plugin list`."""
    with tempfile.TemporaryDirectory() as folder:
        site, marker = Path(folder) / "site", Path(folder) / "imported"
        _install(site, marker)
        series = lab.interleave(
            {
                "horus --help": _runs(site, *HORUS, "--help"),
                "horus plugin list": _runs(site, *HORUS, "plugin", "list"),
                "python -c pass": _runs(site, "-c", "pass"),
                "python -c 'import click'": _runs(site, "-c", "import click"),
                "the entry points by importlib.metadata": _runs(site, "-c", STANDARD_LIBRARY),
            },
            lab.rounds * 3,
        )
        imported = marker.exists()
    bare, click = series["python -c pass"], series["python -c 'import click'"]
    peers = [click, series["the entry points by importlib.metadata"]]
    rows = [
        _row("horus --help", 150, series["horus --help"], bare, peers),
        _row("horus plugin list", 200, series["horus plugin list"], bare, []),
    ]
    rows[0].notes.append(
        f"{PLUGINS} plugins among {DISTRIBUTIONS} distributions more; plugins imported: {imported}"
    )
    if imported:
        rows[0].broken.append("a plugin is imported for it")
    return rows


def _row(title: str, most_ms: int, mine: Series, bare: Series, peers: list[Series]) -> Row:
    row = Row(title, f"{most_ms} ms", "ns", mine, most_ms * 1e6, reference=bare, peers=peers)
    cpu = [median(one.facts["cpu_ms"] for one in series.rounds) for series in (mine, bare)]
    row.notes.append(f"of it on a processor: {cpu[0]:.0f} ms, python -c pass {cpu[1]:.0f} ms")
    return row


def _install(site: Path, marker: Path) -> None:
    """Metadata as long as that of ordinary packages; every third has entry points for others, the first 50 for us."""
    described = "Classifier: Topic :: Some\n" * 30 + "\n" + "A long description.\n" * 300
    for number in range(DISTRIBUTIONS):
        info = site / f"acme_{number:03}-1.{number}.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: acme-{number:03}\nVersion: 1.{number}\n"
        (info / "METADATA").write_text(head + described, encoding="utf-8")
        if number < PLUGINS:
            module = f"acme_{number:03}"
            code = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
            (site / f"{module}.py").write_text(code, encoding="utf-8")
            lines = f"[horus.commands]\ncommand{number} = {module}:main\n[horus.messages]\nType{number} = {module}\n"
            (info / "entry_points.txt").write_text(lines, encoding="utf-8")
        elif number % 3 == 0:
            (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n", encoding="utf-8")


def _runs(site: Path, *arguments: str) -> Callable[[], Summary]:
    command = [venvs.python_of("horus"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run() -> Summary:
        before, begin = os.times(), time.perf_counter_ns()
        subprocess.run(command, check=True, capture_output=True, env=environment, timeout=LIMIT_S)
        took, after = time.perf_counter_ns() - begin, os.times()
        user_s = after.children_user - before.children_user
        system_s = after.children_system - before.children_system
        return Summary.single(took, cpu_ms=round((user_s + system_s) * 1e3))

    return run
