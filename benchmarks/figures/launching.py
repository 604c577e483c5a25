"""What `horus launch` costs with 50 nodes: until all are ready, while nothing happens, and to the end of all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from benchmarks import machine, venvs
from benchmarks.program import ProgramError
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.lab import Lab

NODES = 50
ROUNDS = 5
IDLE_S = 10.0
LIMIT_S = 120.0
HORUS = ("-c", "import re, sys; from horus_cli.main import main; main()")
"""What the console script does."""
NODE = """\
import horus

horus.run(horus.Node(tick=lambda node: None, rate=1))
"""
BARE = "import horus"
ASLEEP = "import horus, os, time; os.write(1, b'.'); time.sleep(600)"
FINALIZED = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); {ASLEEP}"
"""The same, but that its interpreter ends as one does whose program ends."""
AT_ONCE = 2 * (os.cpu_count() or 1)
"""As many processes work at their start at the same time as the launcher has."""


class Launched(NamedTuple):
    """A session whose nodes are all ready."""

    process: subprocess.Popen[bytes]
    ready_ns: int
    """How long that took from the start of the command."""
    manifest: Path


def ready(lab: Lab) -> list[Row]:
    """From the start of the command until it says that all nodes are ready; and 50 times `import horus`."""
    count = _nodes(lab)

    def ours() -> Summary:
        with _launched(lab, count) as session:
            return Summary.single(session.ready_ns)

    contestants = {"HORUS": ours, "bare": lambda: _bare(count)}
    series = lab.interleave(contestants, min(ROUNDS, lab.rounds))
    title = f"{count} nodes launched, all ready"
    return [Row(title, "1.5 x bare", "ns", series["HORUS"], lambda ns: 1.5 * ns, reference=series["bare"])]


def idle(lab: Lab) -> list[Row]:
    """What the launcher and its helpers take of a core while its nodes run and nothing happens."""
    count, seconds = _nodes(lab), IDLE_S * max(0.1, lab.scale)
    mine = Series("HORUS")
    for _ in range(min(2, lab.rounds)):
        with _launched(lab, count) as session:
            time.sleep(min(2.0, seconds))  # what happens after readiness has happened
            mine.rounds.append(_used(session, seconds))
    row = Row(f"supervising {count} nodes, of a core", "1 %", "%", mine, 1.0)
    row.notes.append(f"processes besides the nodes: {mine.rounds[-1].facts['processes']}; {seconds:g} s each")
    return [row]


def stop(lab: Lab) -> list[Row]:
    """From SIGINT until the launcher and all of its nodes are gone; and SIGTERM to as many bare processes."""
    count = _nodes(lab)

    def ours() -> Summary:
        with _launched(lab, count) as session:
            return Summary.single(_stop(session.process))

    contestants = {"HORUS": ours, "bare": lambda: _bare_stop(count, ASLEEP)}
    contestants["bare, each by sys.exit()"] = lambda: _bare_stop(count, FINALIZED)
    series = lab.interleave(contestants, min(ROUNDS, lab.rounds))
    title = f"{count} launched nodes stopped"
    peers = [series["bare, each by sys.exit()"]]
    return [
        Row(
            title, "2 x bare", "ns", series["HORUS"], lambda ns: 2 * ns, reference=series["bare"], peers=peers
        )
    ]


def _nodes(lab: Lab) -> int:
    return NODES if lab.scale >= 1 else 6


@contextmanager
def _launched(lab: Lab, count: int) -> Iterator[Launched]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "many.yaml")
        Path(folder, "node.py").write_text(NODE, encoding="utf-8")
        rows = [f"  - {{name: node{number}, command: python3 node.py}}\n" for number in range(count)]
        file.write_text("nodes:\n" + "".join(rows), encoding="utf-8")
        command = [venvs.python_of("horus"), *HORUS, "launch", str(file), "--namespace", lab.namespace]
        begin = time.perf_counter_ns()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0)
        try:
            assert process.stderr is not None
            _await_ready(process.stderr)
            took = time.perf_counter_ns() - begin
            yield Launched(process, took, machine.SHM / f"horus_{lab.namespace}" / "launch" / "many.json")
        finally:
            _stop(process)


def _await_ready(said: IO[bytes]) -> None:
    """Read what the launcher says until it says that all are ready."""
    lines = []
    for line in said:
        lines.append(line.decode(errors="replace").strip())
        if "all nodes are ready" in lines[-1]:
            return
    raise ProgramError(f"horus launch ended before its nodes were ready: {' | '.join(lines[-3:])}")


def _stop(process: subprocess.Popen[bytes]) -> int:
    """SIGINT, and the nanoseconds until it has ended, which it does as the last."""
    if process.poll() is not None:
        return 0
    begin = time.perf_counter_ns()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT_S)
    return time.perf_counter_ns() - begin


def _used(session: Launched, seconds: float) -> Summary:
    nodes = {row["pid"] for row in json.loads(session.manifest.read_bytes())["nodes"]}
    tasks = Path("/proc", str(session.process.pid), "task")
    children = {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()}
    pids = [session.process.pid, *(children - nodes)]
    before, begin = {pid: _ran_ns(pid) for pid in pids}, time.perf_counter_ns()
    time.sleep(seconds)
    used, took = sum(max(0, _ran_ns(pid) - before[pid]) for pid in pids), time.perf_counter_ns() - begin
    return Summary.single(100 * used / took, processes=len(pids))


def _ran_ns(pid: int) -> int:
    """How long a process of one thread has run; 0 when it is gone, as the warm one soon is."""
    try:
        return int(Path("/proc", str(pid), "schedstat").read_text().split()[0])
    except FileNotFoundError:
        return 0


def _bare(count: int) -> Summary:
    """Interpreters that import HORUS and end: as many at once as the launcher has."""
    command = [venvs.python_of("horus"), "-c", BARE]
    begin = time.perf_counter_ns()
    running: set[int] = set()
    for _ in range(count):
        if len(running) == AT_ONCE:
            running.discard(_wait_any())
        running.add(os.posix_spawn(command[0], command, os.environ))
    while running:
        running.discard(_wait_any())
    return Summary.single(time.perf_counter_ns() - begin)


def _wait_any() -> int:
    pid, status = os.wait()
    if status:
        raise ProgramError(f"import horus failed with {os.waitstatus_to_exitcode(status)}")
    return pid


def _bare_stop(count: int, code: str) -> Summary:
    """SIGTERM to as many that have imported HORUS and sleep: without a handler they die of it at once."""
    command = [venvs.python_of("horus"), "-c", code]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) for _ in range(count)]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.read(1)
        begin = time.perf_counter_ns()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        return Summary.single(time.perf_counter_ns() - begin)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
