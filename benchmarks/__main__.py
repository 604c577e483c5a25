"""``python -m benchmarks``: measures every figure beside its floor and its peers; a table and a JSON file."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cfloor, figures, machine, report, venvs
from benchmarks.lab import STEM, Lab
from benchmarks.program import ProgramError

if TYPE_CHECKING:
    from benchmarks.row import Row

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
ROUNDS = 9


def main() -> int:
    """Exit code 0 when every figure could be measured, kept or not; 1 when something did not run."""
    options = parse()
    if options.list:
        print("\n".join(figures.FIGURES))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through the finally clauses, as Ctrl+C
    machine.remove_dead_runs(STEM)
    try:
        venvs.ensure()
    except venvs.PeerMissingError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    lab = Lab(rounds=2, scale=0.02) if options.quick else Lab(rounds=ROUNDS, scale=1.0)
    try:
        return run(lab, options.figure or list(figures.FIGURES), as_json=options.json, quick=options.quick)
    except KeyboardInterrupt:
        return 130
    finally:
        machine.remove_leftovers(lab.prefix)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figure", nargs="*", help="these figures alone (see --list)")
    parser.add_argument("--list", action="store_true", help="print the names of the figures")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--quick", action="store_true", help="tiny counts: shows that everything runs, no more"
    )
    options = parser.parse_args()
    unknown = [name for name in options.figure if name not in figures.FIGURES]
    if unknown:
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(figures.FIGURES)}")
    return options


def run(lab: Lab, names: list[str], *, as_json: bool, quick: bool) -> int:
    """Measures, prints and saves the named figures."""
    began = time.monotonic()
    about: dict[str, object] = {**machine.describe(), "rounds": lab.rounds, "quick": quick}
    measured: dict[str, list[Row]] = {}
    failed: dict[str, str] = {}
    if not as_json:
        print("  ".join(f"{key}: {value}" for key, value in about.items()))
        print("\n".join(report.head()), flush=True)
    for name in names:
        try:
            with lab.figure():
                measured[name] = figures.FIGURES[name](lab)
        except (ProgramError, cfloor.CompileError, subprocess.SubprocessError) as error:
            failed[name] = str(error)
            print(f"{name}: could not be measured: {error}", file=sys.stderr)
            continue
        if not as_json:
            shown = [one for row in measured[name] for one in report.lines(row)]
            print("\n".join(shown), flush=True)
    about |= {"load_after": machine.load(), "seconds": round(time.monotonic() - began, 1), "failed": failed}
    report.save(RESULTS, about, measured)
    if as_json:
        print(json.dumps(json.loads(RESULTS.read_text(encoding="utf-8"))))
    else:
        print(report.LEGEND)
        print(
            f"took {about['seconds']} s; load before {about['load']}, after {about['load_after']}; {RESULTS}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
