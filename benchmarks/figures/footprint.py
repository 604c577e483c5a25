"""What HORUS costs before anything is sent: importing, memory, shared memory, opening topics."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks import machine, venvs
from benchmarks.lab import PEERS
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab

MANY_TOPICS = 1000
START_TIMEOUT_S = 30


def imports(lab: Lab) -> list[Row]:
    """What ``import horus`` adds to the start of Python; what a process with one node weighs."""
    rounds = lab.rounds * 3
    series = lab.interleave(
        {
            "HORUS": _starts("horus", "import horus"),
            "python": _starts("horus", "pass"),
            "horus-robotics": _starts("horus-robotics", "import horus"),
            "python of that venv": _starts("horus-robotics", "pass"),
        },
        rounds,
    )
    added = _difference("HORUS", series["HORUS"], series["python"])
    theirs = _difference("horus-robotics", series["horus-robotics"], series["python of that venv"])
    row = Row("import horus adds", "50 ms", "ns", added, 50e6, peers=[theirs, series["python"]])
    loaded = _output(lab, "horus", "-c", "import horus, sys; print('numpy' in sys.modules)").split()[-1]
    row.notes.append(f"numpy in sys.modules after import horus: {loaded}")
    if loaded != "False":
        row.broken.append("import horus loads numpy")
    return [row, _resident(lab)]


def _starts(peer: str, code: str) -> Callable[[], Summary]:
    """The time from the start of an interpreter to its end."""
    command = [venvs.python_of(peer), "-c", code]

    def run() -> Summary:
        begin = time.perf_counter_ns()
        subprocess.run(command, check=True, capture_output=True, cwd=PEERS, timeout=START_TIMEOUT_S)
        took = time.perf_counter_ns() - begin
        return Summary.single(took)

    return run


def _difference(name: str, more: Series, less: Series) -> Series:
    pairs = zip(more.p50s, less.p50s, strict=True)
    return Series(name, [Summary.single(a - b) for a, b in pairs])


def _output(lab: Lab, peer: str, *arguments: str) -> str:
    """What a script prints, in a process of its own and the namespace of the figure."""
    done = subprocess.run(
        [venvs.python_of(peer), *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=PEERS,
        env={**os.environ, "HORUS_NAMESPACE": lab.namespace},
        timeout=START_TIMEOUT_S,
    )
    return done.stdout


def _weight(lab: Lab, peer: str, script: str) -> Summary:
    """Resident megabytes that a script prints, and which heavy modules it had loaded."""
    output = _output(lab, peer, f"{script}.py").splitlines()
    words = next(line for line in output if line.startswith("resident ")).split()
    megabytes = int(words[1]) * 1024 / 1e6
    return Summary.single(megabytes, loaded=words[2:])


def _resident(lab: Lab) -> Row:
    series = lab.interleave(
        {
            "HORUS": lambda: _weight(lab, "horus", "ours_footprint"),
            "python alone": lambda: _weight(lab, "horus", "python_footprint"),
            "horus-robotics": lambda: _weight(lab, "horus-robotics", "robotics_footprint"),
        },
        2,
    )
    mine = series.pop("HORUS")
    row = Row(
        "a process that runs one node, resident", "25 MB", "MB", mine, 25.0, peers=list(series.values())
    )
    loaded = sorted({name for one in mine.rounds for name in one.facts["loaded"]})
    row.notes.append(f"of numpy, asyncio, pluggy, importlib_metadata loaded: {', '.join(loaded) or 'none'}")
    if "numpy" in loaded:
        row.broken.append("a node that does not use numpy loads it")
    return row


def shared_memory(lab: Lab) -> list[Row]:
    """What one dict topic with small messages takes in /dev/shm."""
    program = lab.program("horus", "ours_topics")
    program.ask("attach", out="first", into="first")
    before = machine.shared_memory(lab.namespace)
    program.ask("dict_pair", name="small", count=10, burst=300)
    after = machine.shared_memory(lab.namespace)
    added = sum(after.values()) - sum(before.values())
    mine = Series("HORUS", [Summary.single(added / 1024, files=after)])
    new = ", ".join(sorted(set(after) - set(before)))
    note = f"added: {new}; before, with a typed topic: {sum(before.values()) / 1024:.0f} KiB"
    return [Row("shared memory of a dict topic, small messages", "128 KiB", "KiB", mine, 128.0, notes=[note])]


def opening(lab: Lab) -> list[Row]:
    """Opening 1,000 topics, each by a publisher that creates it, and keeping them open."""
    count = lab.count(MANY_TOPICS)
    series = lab.interleave(
        {
            "HORUS": _opens(lab, "horus", "ours_topics", count),
            "horus-robotics": _opens(lab, "horus-robotics", "robotics", count),
        },
        rounds=3,
    )
    mine = series.pop("HORUS")
    row = Row(
        f"opening a topic ({count:,} of them)", "0.5 ms", "ns", mine, 0.5e6, peers=list(series.values())
    )
    left = [int(one.facts["descriptors"]) for one in mine.rounds]
    row.notes.append(f"descriptors open after {count:,} topics, beyond those before: {max(left)}")
    if max(left) > 0:
        row.broken.append("topics keep descriptors open")
    return [row]


def _opens(lab: Lab, peer: str, script: str, count: int) -> Callable[[], Summary]:
    """A new process each time: what the last one opened would be in the way."""

    def run() -> Summary:
        return Summary.of(lab.program(peer, script, core=lab.cores[0]).ask("open_topics", count=count))

    return run
