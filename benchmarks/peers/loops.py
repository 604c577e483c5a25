"""The measured loops, the same for every library: they call what they are given, without wrapping it.

Samples are of two kinds. A *burst* is many operations between two looks at the clock, divided by their
number, so that the clock costs next to nothing: p50 is of these. A *single* is one operation, less what the
clock and the loop cost around none: p99 is of these.
"""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Send = Callable[[Any], object]
    Recv = Callable[[], Any]

WARM_UP = 20
CHUNK = 100
QUIET_NS = 300_000_000


def percentile(samples: list[float], share: float) -> float:
    """The sample below which that share of the samples lies."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(bursts: list[float], singles: list[float]) -> dict[str, Any]:
    """What a round answers."""
    return {
        "p50": percentile(bursts, 0.50),
        "p99": percentile(singles, 0.99),
        "p999": percentile(singles, 0.999),
    }


def measure(work: Callable[[int], object], count: int, burst: int, parts: int = 1) -> dict[str, Any]:
    """Times ``work(n)``, which does something n times; each time counts as so many parts."""
    bursts: list[float] = []
    for _ in range(WARM_UP + count):
        begin = perf_counter_ns()
        work(burst)
        bursts.append((perf_counter_ns() - begin) / (burst * parts))
    if burst == 1:
        return summary(bursts[WARM_UP:], bursts[WARM_UP:])
    idle = percentile(_timed(work, 0, count), 0.50)
    singles = [(took - idle) / parts for took in _timed(work, 1, count)]
    return summary(bursts[WARM_UP:], singles)


def _timed(work: Callable[[int], object], times: int, count: int) -> list[float]:
    samples: list[float] = []
    for _ in range(count):
        begin = perf_counter_ns()
        work(times)
        samples.append(perf_counter_ns() - begin)
    return samples


def operations(count: int, burst: int) -> int:
    """How many operations ``measure`` does in all: what the other side must answer."""
    return (WARM_UP + count) * burst + (count if burst > 1 else 0)


def pair(send: Send, recv: Recv, message: object, count: int, burst: int) -> dict[str, Any]:
    """Sends and receives in one thread."""

    def work(times: int) -> None:
        for _ in repeat(None, times):
            send(message)
            recv()

    return measure(work, count, burst)


def named_pair(node: Any, topic: str, message: object, count: int, burst: int) -> dict[str, Any]:
    """Sends and receives through a node, as the code of a tick does."""

    def work(times: int) -> None:
        for _ in repeat(None, times):
            node.send(topic, message)
            node.recv(topic)

    return measure(work, count, burst)


def sends(send: Send, message: object, count: int, burst: int) -> dict[str, Any]:
    """Sends, and nobody here receives."""

    def work(times: int) -> None:
        for _ in repeat(None, times):
            send(message)

    return measure(work, count, burst)


def ping(send: Send, recv: Recv, message: object, count: int, burst: int) -> dict[str, Any]:
    """Half the time of a round trip through another process, polling."""

    def work(times: int) -> None:
        for _ in repeat(None, times):
            send(message)
            while recv() is None:
                pass

    return measure(work, count, burst, parts=2)


def pong(send: Send, recv: Recv, message: object, count: int, burst: int) -> None:
    """Sends one message back for each that comes, polling."""
    for _ in repeat(None, operations(count, burst)):
        while recv() is None:
            pass
        send(message)


def sleepy_ping(send: Send, wait: Recv, message: object, count: int) -> dict[str, Any]:
    """Half the time of a round trip when ``wait`` sleeps until the answer is there, and takes it."""

    def work(times: int) -> None:
        for _ in repeat(None, times):
            send(message)
            wait()

    return measure(work, count, 1, parts=2)


def sleepy_pong(send: Send, wait: Recv, message: object, count: int) -> None:
    """Sleeps until a message is there, takes it, and sends one back."""
    for _ in repeat(None, operations(count, 1)):
        wait()
        send(message)


def publish(send: Send, message: object, seconds: float) -> int:
    """Sends as fast as it can; how many were sent."""
    sent = 0
    end = perf_counter_ns() + int(seconds * 1e9)
    while perf_counter_ns() < end:
        for _ in repeat(None, 100):
            send(message)
        sent += 100
    return sent


def drain(recv: Recv) -> dict[str, Any]:
    """Receives until nothing came for a while: how many, and in how many seconds from first to last."""
    while recv() is None:
        pass
    received, idle = 1, 0
    first = last = perf_counter_ns()
    while idle < 1000 or perf_counter_ns() - last < QUIET_NS:
        got = _take(recv)
        if got:
            received += got
            idle = 0
            last = perf_counter_ns()
        else:
            idle += 1
    return {"received": received, "seconds": (last - first) / 1e9}


def _take(recv: Recv) -> int:
    """Receives at most CHUNK messages; how many there were."""
    for got in range(CHUNK):
        if recv() is None:
            return got
    return CHUNK


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def opening(open_one: Callable[[], object], count: int) -> dict[str, Any]:
    """Opens many topics and keeps them open: the time of each, and the descriptors that stay."""
    before = descriptors()
    singles: list[float] = []
    for _ in range(count):
        begin = perf_counter_ns()
        open_one()
        singles.append(perf_counter_ns() - begin)
    return {**summary(singles, singles), "descriptors": descriptors() - before}
