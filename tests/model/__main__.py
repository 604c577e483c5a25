"""`python tests/model`: runs the models in all their settings; the exit code is 1 at an unexpected verdict."""

import argparse
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

from model_settings import MUTATIONS, RUNS, Setting
from spin_run import HEADER, Result, describe, explore, markdown


def main() -> int:
    """Runs what the arguments ask for, and prints a line for each run and at the end a table."""
    parser = argparse.ArgumentParser(prog="python tests/model", description=__doc__)
    parser.add_argument("words", nargs="*", help="only settings whose line has one of these words")
    parser.add_argument(
        "--full", action="store_true", help="the large ones, too: tens of minutes, up to 8 GiB"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1200, help="for one run")
    parser.add_argument("--markdown", action="store_true", help="the table as docs/protocol.md has it")
    options = parser.parse_args()
    candidates = [setting for setting in [*RUNS, *MUTATIONS] if options.full or not setting.full]
    lines = [f"{setting.model} {setting.says}" for setting in candidates]
    if unknown := [word for word in options.words if not any(word in line for line in lines)]:
        parser.error(
            f"expected words of settings, got {', '.join(map(repr, unknown))}. "
            f"There are{'' if options.full else ' (more with --full)'}:\n  " + "\n  ".join(lines)
        )
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            parser.error(f"expected {tool} to be installed, found none. Install it: apt-get install {tool}")
    wanted = [
        setting
        for setting, line in zip(candidates, lines, strict=True)
        if not options.words or any(word in line for word in options.words)
    ]

    def run(setting: Setting) -> Result:
        result = explore(setting, options.seconds)
        print(describe(setting, result), flush=True)
        return result

    print(HEADER, flush=True)  # a line as each run ends; the table, in order, comes last
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(run, wanted))
    unexpected = [
        (setting, result)
        for setting, result in zip(wanted, results, strict=True)
        if result.verdict(setting) != "as expected"
    ]
    print("" if options.markdown else f"\n{HEADER}")
    if options.markdown:
        print(markdown(wanted, results))
    else:
        for setting, result in zip(wanted, results, strict=True):
            print(describe(setting, result))
    print(
        f"\n{len(wanted)} runs, {sum(result.states for result in results):,.0f} states, "
        f"{sum(setting.caught for setting in wanted)} errors expected, {len(unexpected)} verdicts unexpected"
    )
    return 1 if unexpected else 0


sys.exit(main())
