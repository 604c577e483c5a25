"""`python tests/crash --kills N`: so many kills and stops, and what became of those who were left.

The last line of the output is JSON; the exit code is 1 when a claim did not hold. `make soak` runs it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import kill_native
import kill_python
from bystanders import Bystanders
from kill_report import ClaimError, Report

NATIVE_SHARE = 0.7


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="kills and stops in all")
    parser.add_argument("--seed", type=int, default=None, help="of the choice of faults")
    parser.add_argument("--only", choices=["native", "python"], help="one half of it")
    asked = parser.parse_args()
    seed = time.time_ns() % 2**32 if asked.seed is None else asked.seed
    started = time.monotonic()
    program = kill_native.build()
    report = Report(Bystanders(program))
    failure, more = None, {}
    native = round(asked.kills * {"native": 1.0, "python": 0.0}.get(asked.only, NATIVE_SHARE))
    try:
        if native:
            kill_native.run(report, native, random.Random(seed))
        if asked.kills > native:
            more = kill_python.run(report, asked.kills - native, random.Random(seed))
        report.judge()
    except ClaimError as error:
        failure = str(error)
    finally:
        report.bystanders.close()
    print(report.table())
    print(report.summary(**more, seed=seed, seconds=round(time.monotonic() - started, 1), failure=failure))
    return 0 if failure is None else 1


if __name__ == "__main__":
    sys.exit(main())
