"""What looking costs: the publisher that is looked at, and the one who waits for the answer."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import IO, TYPE_CHECKING

from benchmarks import machine, stats, venvs
from benchmarks.row import Row
from benchmarks.stats import Series, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.lab import Lab
    from benchmarks.program import Program

STREAMS = {"typed 1 kHz": "slow", "typed 100 kHz": "fast", "6 MB images 30 Hz": "frames"}
VERBS = ("hz", "bw", "echo")
NEIGHBOUR = "a neighbour that only wakes"
MORE_NS = 100
SECONDS = {"6 MB images 30 Hz": 3.0}
ROUNDS_OF_SHORT = 4
"""A topic at 1 kHz is told by many short rounds: its sends find cold caches, and differ by the minute."""
WAKES = "import time; print(flush=True)\nwhile True: time.sleep(0.02)"
START_TIMEOUT_S = 30.0
LIMIT_S = 60
PROCESSES, NODES, TOPICS = 10, 10, 10
HORUS = ("-c", "import re, sys; from horus_cli.main import main; main()")
"""What the console script does."""
LOOKING = (
    ("topic", "list"),
    ("topic", "find", "Image"),
    ("node", "list"),
    ("param", "list"),
    ("blackbox",),
    ("estop", "--status"),
    ("clean",),
)


def publisher(lab: Lab) -> list[Row]:
    """The p50 of a publisher's sends while each command looks on, each between two runs with nobody.

    The same beside a neighbour on the other core that wakes as often and looks at nothing: what is its, too, is
    not for the looks.
    """
    rows = []
    for stream, topic in STREAMS.items():
        program = lab.program("horus", "ours_observed", core=lab.cores[0])
        program.ask("attach", stream=stream)
        seconds = SECONDS.get(stream, 0.25) * max(0.2, lab.scale)
        with ExitStack() as stack:
            looking = {NEIGHBOUR: stack.enter_context(_neighbour(lab))} | {
                verb: stack.enter_context(_observer(lab, verb, topic, program, stream)) for verb in VERBS
            }
            contestants = {name: _sends(program, stream, seconds, pid) for name, pid in looking.items()}
            alone = _sends(program, stream, seconds, None)
            rounds = lab.rounds * (1 if stream in SECONDS else ROUNDS_OF_SHORT)
            found = lab.between(alone, contestants, rounds)
        rows += [_row(stream, *found[verb], found[NEIGHBOUR]) for verb in VERBS]
        program.close()
    return rows


def _row(stream: str, observed: Series, alone: Series, neighbour: tuple[Series, Series]) -> Row:
    title = f"send, {stream}, `topic {observed.name}` looking"
    row = Row(title, f"alone + {MORE_NS} ns", "ns", observed, lambda ns: ns + MORE_NS, alone)
    row.notes.append(f"more than alone: {_more(observed, alone)}; {NEIGHBOUR}: {_more(*neighbour)}")
    return row


def _more(series: Series, alone: Series) -> str:
    middle, low, high = map(round, stats.excess(series, alone))
    return f"{middle} ns ({low} to {high})"


def _sends(program: Program, stream: str, seconds: float, observer: int | None) -> Callable[[], Summary]:
    def run() -> Summary:
        if observer is not None:
            os.kill(observer, signal.SIGCONT)
        try:
            return Summary.of(program.ask("publish", stream=stream, seconds=seconds))
        finally:
            if observer is not None:
                os.kill(observer, signal.SIGSTOP)

    return run


@contextmanager
def _observer(lab: Lab, verb: str, topic: str, program: Program, stream: str) -> Iterator[int]:
    """A command that looks at the topic, on the other core, and is stopped until it is wanted."""
    command = [venvs.python_of("horus"), *HORUS, "topic", verb, topic]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, "HORUS_NAMESPACE": lab.namespace},
            start_new_session=True,
            preexec_fn=lambda: machine.prepare_child(lab.cores[1]),  # noqa: PLW1509 - the harness has one thread
        )
        try:
            _wait_until_it_looks(process, out, program, stream)
            process.send_signal(signal.SIGSTOP)
            yield process.pid
        finally:
            process.kill()
            process.wait()


@contextmanager
def _neighbour(lab: Lab) -> Iterator[int]:
    """Python on the other core that wakes 50 times a second, for nothing; stopped until it is wanted."""
    with subprocess.Popen(
        [venvs.python_of("horus"), "-c", WAKES],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: machine.prepare_child(lab.cores[1]),  # noqa: PLW1509 - the harness has one thread
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
            yield process.pid
        finally:
            process.kill()


def _wait_until_it_looks(
    process: subprocess.Popen[bytes], out: IO[bytes], program: Program, stream: str
) -> None:
    """Publish until it shows something."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while os.fstat(out.fileno()).st_size == 0:
        program.ask("publish", stream=stream, seconds=0.1)
        if process.poll() is not None or time.monotonic() > deadline:
            raise subprocess.SubprocessError(f"{process.args!r} showed nothing")


def crowd(lab: Lab) -> list[Row]:
    """`horus topic list` with 1,000 topics and 100 nodes, from the start of the process to its end."""
    for who in range(PROCESSES):
        lab.program("horus", "ours_crowd").ask("attach", who=who, nodes=NODES, topics=TOPICS)
    series = lab.interleave(
        {
            "topic list": _runs(lab, *HORUS, "topic", "list"),
            "topic list -v": _runs(lab, *HORUS, "topic", "list", "-v"),
            "python -c pass": _runs(lab, "-c", "pass"),
        },
        lab.rounds * 2,
    )
    lines = {one.facts["lines"] for one in series["topic list"].rounds}
    count = PROCESSES * NODES * TOPICS
    rows = [
        _command(f"horus {name}, {count} topics, {PROCESSES * NODES} nodes", 300, series[name], series)
        for name in ("topic list", "topic list -v")
    ]
    if lines != {count + 1}:
        rows[0].broken.append(f"it showed {sorted(lines)} lines")
    return rows


def nothing(lab: Lab) -> list[Row]:
    """Commands that look at a namespace in which nothing runs."""
    contestants = {" ".join(words): _runs(lab, *HORUS, *words) for words in LOOKING}
    series = lab.interleave(contestants | {"python -c pass": _runs(lab, "-c", "pass")}, lab.rounds * 2)
    return [_command(f"horus {name}, nothing running", 250, series[name], series) for name in contestants]


def _command(title: str, most_ms: int, mine: Series, series: dict[str, Series]) -> Row:
    bare = series["python -c pass"]
    row = Row(title, f"{most_ms} ms", "ns", mine, most_ms * 1e6, reference=bare)
    cpu = [median(one.facts["cpu_ms"] for one in found.rounds) for found in (mine, bare)]
    row.notes.append(f"of it on a processor: {cpu[0]:.0f} ms, python -c pass {cpu[1]:.0f} ms")
    return row


def _runs(lab: Lab, *arguments: str) -> Callable[[], Summary]:
    command = [venvs.python_of("horus"), *arguments]
    environment = {**os.environ, "HORUS_NAMESPACE": lab.namespace}

    def run() -> Summary:
        before, begin = os.times(), time.perf_counter_ns()
        done = subprocess.run(command, check=False, capture_output=True, env=environment, timeout=LIMIT_S)
        took, after = time.perf_counter_ns() - begin, os.times()
        if done.returncode not in (0, 1) or b"Traceback" in done.stderr:  # 1: there is nothing
            raise subprocess.SubprocessError(f"{arguments}: {done.returncode} {done.stderr.decode()}")
        cpu_s = after.children_user - before.children_user + after.children_system - before.children_system
        return Summary.single(took, cpu_ms=round(cpu_s * 1e3), lines=done.stdout.count(b"\n"))

    return run
