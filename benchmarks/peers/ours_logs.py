"""HORUS: what a line of the log costs, shown and below the level, beside writing its bytes and an empty method."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import tty
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import loops
import protocol

import horus
from horus_core.control.log_stderr import stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = "the arm moves to 1.25 m, the gripper is open"
STORED = b"x" * 180
SHOWN = b"x" * 90
APART_NS = {"nowhere": 3000, "file": 3000, "flood": 3000, "pipe": 50_000, "terminal": 500_000}
"""Between two lines, where they are timed one by one: who reads a pipe or a terminal sleeps again by then."""

topic = horus.Topic("t", dict)
node = horus.Node("arm", tick=lambda: None)


@contextmanager
def stderr_to(kind: str) -> Iterator[None]:
    """Have stderr go to nowhere, to a file, or to a pipe or terminal that another process reads."""
    path = "/dev/null" if kind == "nowhere" else f"/tmp/horus-bench-{os.getpid()}"
    reader = None
    if kind in {"pipe", "flood", "terminal"}:
        reading, to = os.openpty() if kind == "terminal" else os.pipe()
        reader = subprocess.Popen(
            ["cat"], stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(reading)
        os.sched_setaffinity(reader.pid, range(os.cpu_count() or 1))  # not where the writer keeps it waiting
        if kind == "terminal":
            tty.setraw(to)
        else:
            fcntl.fcntl(to, fcntl.F_SETPIPE_SZ, 2**20)  # as HORUS does within a second
    else:
        to = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    before = os.dup(2)
    os.dup2(to, 2)
    os.close(to)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        if reader is not None:
            reader.kill()
            reader.wait()
        elif kind == "file":
            Path(path).unlink()


def _apart(kind: str, line: Callable[[], object], count: int, burst: int) -> dict[str, Any]:
    """One by one, with time in between, less what the clock costs."""
    singles: list[float] = []
    empty = min(-perf_counter_ns() + perf_counter_ns() for _ in range(1000))
    for _ in repeat(None, count * burst):
        begin = perf_counter_ns()
        line()
        end = perf_counter_ns()
        singles.append(end - begin - empty)
        while perf_counter_ns() < end + APART_NS[kind]:
            pass
    return loops.summary(singles, singles)


def _measured(
    kind: str, times: Callable[[int], None], line: Callable[[], object], count: int, burst: int
) -> dict[str, Any]:
    if kind in {"pipe", "terminal"}:
        return _apart(kind, line, count, burst)
    return loops.measure(times, count, burst)


def _shown(times: int) -> None:
    log = node.log_info
    for _ in repeat(None, times):
        log(TEXT)


def shown(kind: str, count: int, burst: int) -> dict[str, Any]:
    """A line at level info, stored and shown."""
    with stderr_to(kind):
        before = stderr.unshown
        answer = _measured(kind, _shown, lambda: node.log_info(TEXT), count, burst)
        return {**answer, "unshown": stderr.unshown - before}


def writes(kind: str, count: int, burst: int) -> dict[str, Any]:
    """Two writes of as many bytes, to a file in shared memory and to stderr, some time apart."""
    path = Path(f"/dev/shm/{os.environ['BENCH_PREFIX']}log")

    def both() -> None:
        os.write(file, STORED)
        os.write(2, SHOWN)

    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        with stderr_to(kind):
            return _apart(kind, both, count, burst)
    finally:
        os.close(file)
        path.unlink()


def stdlib(kind: str, count: int, burst: int) -> dict[str, Any]:
    """The same by stdlib logging, with a handler for each."""
    path = f"/dev/shm/{os.environ['BENCH_PREFIX']}stdlib"
    logger = logging.Logger("arm")  # noqa: LOG001 - one that belongs to no other
    for handler in (logging.FileHandler(path), logging.StreamHandler(sys.stderr)):
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)

    def lines(times: int) -> None:
        for _ in repeat(None, times):
            logger.info(TEXT)

    try:
        with stderr_to(kind):
            return _measured(kind, lines, lambda: logger.info(TEXT), count, burst)
    finally:
        logger.handlers[0].close()
        Path(path).unlink()


def _below(times: int) -> None:
    log = node.log_debug
    for _ in repeat(None, times):
        log(TEXT)


def below(count: int, burst: int) -> dict[str, Any]:
    """A line below the level."""
    return loops.measure(_below, count, burst)


class Silent:
    """What has a method of that kind which does nothing."""

    def log_debug(self, message: str, every: float | None = None) -> None:
        """Nothing."""


def empty(count: int, burst: int) -> dict[str, Any]:
    """The call of an empty method in Python."""

    def calls(times: int) -> None:
        log = Silent().log_debug
        for _ in repeat(None, times):
            log(TEXT)

    return loops.measure(calls, count, burst)


def unheard(count: int, burst: int) -> dict[str, Any]:
    """A line below the level of a logger of stdlib logging."""
    logger = logging.getLogger("unheard")
    logger.setLevel(logging.INFO)

    def lines(times: int) -> None:
        log = logger.debug
        for _ in repeat(None, times):
            log(TEXT)

    return loops.measure(lines, count, burst)


protocol.serve(shown=shown, writes=writes, stdlib=stdlib, below=below, empty=empty, unheard=unheard)
