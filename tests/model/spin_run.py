"""Runs Spin on one setting, and reads what pan says without believing more than it says."""

import re
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model_settings import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
DEPTH = 100_000
BITSTATE = 33  # 2^33 bits: 1 GiB

SEARCH = {
    "exhaustive": (["-DSAFETY", "-DCOLLAPSE"], ["-w24"]),
    "cycles": (["-DNP", "-DCOLLAPSE"], ["-w24", "-l"]),
    "bitstate": (["-DSAFETY", "-DBITSTATE"], [f"-w{BITSTATE}", "-k3"]),
}


class Result(NamedTuple):
    """What came of one run. `partial`: why not all states were seen, or nothing."""

    states: float
    depth: int
    seconds: float
    megabytes: float
    partial: str
    found: str

    def verdict(self, setting: Setting) -> str:
        """`as expected`, or what is wrong with it."""
        if setting.caught:
            return "as expected" if self.found else "NOT CAUGHT"
        if self.found:
            return f"ERROR: {self.found}"
        if self.partial and setting.search != "bitstate":
            return f"NOT FINISHED: {self.partial}"
        return "as expected"


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output, re.MULTILINE)
    return float(found[1]) if found else 0.0


def read_pan(output: str, search: str) -> Result:
    """What pan printed. A run is complete only if nothing says otherwise, and pan came to its end."""
    complaints = {
        "max search depth too small": "depth",
        "out of memory": "memory",
        "reached -DMEMLIM": "memory",
        "Search not completed": "stopped",
        "aborting": "stopped",
    }
    found = re.search(r"^pan:\d+: (.*?) \(at depth", output, re.MULTILINE)
    partial = [why for text, why in complaints.items() if text in output]
    if "State-vector" not in output:
        partial.append("pan did not finish")
    if search == "bitstate":
        factor = _number(r"hash factor: ([\d.e+]+)", output)
        partial.append(f"bitstate, hash factor {factor:g}")
    errors = re.search(r"errors: (\d+)", output)
    wrong = found[1] if found else ("an error" if errors and errors[1] != "0" else "")
    return Result(
        states=_number(r"^\s*([\d.e+]+) states, stored", output),
        depth=int(_number(r"depth reached (\d+)", output)),
        seconds=_number(r"elapsed time ([\d.e+]+)", output),
        megabytes=_number(r"^\s*([\d.]+)\s+total actual memory usage", output),
        partial="" if wrong else ", ".join(dict.fromkeys(partial)),
        found=wrong,
    )


def explore(setting: Setting, seconds: float) -> Result:
    """Translates, compiles and runs one setting; ends pan after that many seconds."""
    compile_flags, run_flags = SEARCH[setting.search]
    with tempfile.TemporaryDirectory(prefix="horus-model-") as folder:

        def call(*command: str) -> str:
            done = subprocess.run(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            if done.returncode != 0:
                raise SystemExit(f"{shlex.join(command)}\n{done.stdout}")
            return done.stdout

        defines = [f"-D{define}" for define in setting.defines.split()]
        call("spin", "-a", *defines, str(HERE / f"{setting.model}.pml"))
        limit = f"-DMEMLIM={setting.megabytes}"
        call("gcc", "-O2", "-w", limit, *compile_flags, "-o", "pan", "pan.c")
        command = [*(["nice", "-n", "10"] if setting.full else []), "./pan", f"-m{DEPTH}", *run_flags]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            output = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # pan prints what it has so far
            output = process.communicate()[0] + "\nSearch not completed\n"
    return read_pan(output, setting.search)


def describe(setting: Setting, result: Result) -> str:
    """One line of the table."""
    extent = "error found" if result.found else result.partial or "exhaustive"
    return (
        f"{setting.model:4}  {setting.says:62}  {result.states:>12,.0f}  {result.depth:>6}  {result.seconds:>7.1f}"
        f"  {result.megabytes:>6.0f}  {extent:12}  {result.verdict(setting)}"
    )


MARKDOWN_HEADER = "| model | setting | defines | states | extent | result |\n|---|---|---|---|---|---|"


def markdown_setting(setting: Setting) -> str:
    """The columns of docs/protocol.md that say what was run."""
    defines = f"`{setting.defines.strip()}`" if setting.defines else ""
    return f"| {setting.model} | {setting.says} | {defines} |"


def markdown(settings: "Iterable[Setting]", results: "Iterable[Result]") -> str:
    """The table of docs/protocol.md, section 9."""
    rows = [MARKDOWN_HEADER]
    for setting, result in zip(settings, results, strict=True):
        verdict = result.verdict(setting)
        if verdict == "as expected":
            verdict = "error, as it must" if setting.caught else "no error"
        extent = "–" if result.found else f"**partial**, {result.partial}" if result.partial else "exhaustive"
        rows.append(f"{markdown_setting(setting)} {result.states:,.0f} | {extent} | {verdict} |")
    return "\n".join(rows)


HEADER = f"{'':4}  {'setting':62}  {'states':>12}  {'depth':>6}  {'s':>7}  {'MiB':>6}  {'extent':12}  verdict"
