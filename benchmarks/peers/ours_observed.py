"""HORUS: a publisher at a steady rate, that times each of its sends, while somebody may be looking on."""

from __future__ import annotations

from time import perf_counter_ns, sleep
from typing import Any

import protocol

import horus

RATES = {"typed 1 kHz": 1_000, "typed 100 kHz": 100_000, "6 MB images 30 Hz": 30}
TOPICS = {"typed 1 kHz": "slow", "typed 100 kHz": "fast", "6 MB images 30 Hz": "frames"}
SLEEP_FROM_NS = 200_000
OPEN: dict[str, Any] = {}


def attach(stream: str) -> None:
    kind = horus.Image if stream.startswith("6 MB") else horus.CmdVel
    OPEN[stream] = horus.Topic(TOPICS[stream], kind)
    publish(stream, 0.0)


def publish(stream: str, seconds: float) -> dict[str, Any]:
    """The times of the sends alone, less what an empty one costs; an image is filled before."""
    topic, period_ns = OPEN[stream], 1_000_000_000 // RATES[stream]
    message = horus.CmdVel(linear=1.0)
    due = perf_counter_ns() + period_ns
    end = due + int(seconds * 1e9)
    took: list[int] = []
    empty: list[int] = []
    while due <= end + period_ns:
        if stream.startswith("6 MB"):
            message = horus.Image(1080, 1920, "rgb8")
            message.to_numpy()[0, 0] = len(took) & 255
        wait(due)
        begin = perf_counter_ns()
        topic.send(message)
        done = perf_counter_ns()
        empty.append(perf_counter_ns() - done)
        took.append(done - begin)
        due += period_ns
    took.sort()
    nothing = sorted(empty)[len(empty) // 2]
    p50, p99 = (max(0, took[int(share * len(took))] - nothing) for share in (0.5, 0.99))
    return {"p50": p50, "p99": p99, "samples": len(took)}


def wait(due: int) -> None:
    left = due - perf_counter_ns()
    if left > SLEEP_FROM_NS:
        sleep((left - SLEEP_FROM_NS) / 1e9)
    while perf_counter_ns() < due:
        pass


protocol.serve(attach=attach, publish=publish)
