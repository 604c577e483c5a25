"""Endurance: `python tests/soak --minutes 30 --out out/soak`.

20 processes and 50 topics: joining, leaving, lapping, holding images, ending by themselves, by SIGTERM and by
SIGKILL. The verdict is in report.txt and report.json beside the samples; report.png shows them over time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from endurance import workload
from endurance.supervisor import Soak


def main() -> int:
    """Run the soak; 0 when the verdict is good, 1 when not, 130 after Ctrl+C."""
    parser = argparse.ArgumentParser(prog="tests/soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, from when all processes run")
    parser.add_argument(
        "--out", type=Path, default=Path("out/soak"), help="where the report and the records go"
    )
    parser.add_argument("--seed", type=int, default=1, help="of lives, ends and pauses")
    parser.add_argument("--small", action="store_true", help="5 processes, 8 topics")
    chosen = parser.parse_args()
    load = workload.small() if chosen.small else workload.full()
    soak = Soak(load, chosen.minutes * 60, chosen.out, seed=chosen.seed)
    found = soak.run()
    print(found.text())
    print(f"\nThe report, its samples and its plot are in {soak.folder}.")
    if soak.interrupted:
        return 130
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
