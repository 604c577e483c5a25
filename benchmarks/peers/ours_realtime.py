"""HORUS: how well an Rt node keeps time, as its scheduler's record says."""

from __future__ import annotations

import sys
import threading
from typing import Any

import loops
import protocol

import horus
from horus_core._native import FlightReader


def nothing() -> None:
    """The empty tick."""


def _run(node: horus.Node, seconds: float) -> tuple[horus.Scheduler, list[float]]:
    """The scheduler, and how late each of the node's last 16,384 ticks began."""
    readers: list[FlightReader] = []
    numbers: list[int] = []
    scheduler = horus.Scheduler()

    def open_record() -> None:
        path = scheduler.report.record.path
        assert path is not None
        readers.append(FlightReader(path))
        numbers.extend(one["row"] for one in readers[0].rows() if one["name"] == node.name)

    scheduler.add(node)
    scheduler.add(horus.Node("opener", init=open_record, tick=nothing, rate=1))
    scheduler.run(seconds)
    return scheduler, [float(one[5]) for one in readers[0].ticks() if one[1] in numbers]


def _granted(scheduler: horus.Scheduler) -> dict[str, Any]:
    return {"granted": scheduler.capabilities().get("rt", [])}


def lateness(rate: float, seconds: float, core: int | None) -> dict[str, Any]:
    """How late ticks begin, in ns. With a core it spins at the end of each sleep."""
    scheduler, late = _run(horus.Node("rt", tick=nothing, rate=rate, rt=True, core=core), seconds)
    return {**loops.summary(late, late), "ticks": len(late), **_granted(scheduler)}


def spinning(rate: float, seconds: float, core: int) -> dict[str, Any]:
    """Percent of releases that were missed: a tick that ended after the next release, or a release without one."""
    node = horus.Node("rt", tick=nothing, rate=rate, deadline=1 / rate, core=core)
    scheduler, late = _run(node, seconds)
    stats = scheduler.get_node_stats("rt")
    releases = stats["total_ticks"] + stats["skipped_releases"]
    percent = 100 * (stats["missed_deadlines"] + stats["skipped_releases"]) / releases
    return {"p50": percent, "releases": releases, "late": loops.summary(late, late), **_granted(scheduler)}


def beside_python(rate: float, seconds: float, lowered: bool) -> dict[str, Any]:
    """Lateness beside a thread of the same process that computes, with the switch interval lowered or as it was."""
    ended = threading.Event()
    before = sys.getswitchinterval()

    def compute() -> None:
        while not ended.is_set():
            sum(range(100))

    def restore() -> None:
        if not lowered:
            sys.setswitchinterval(before)

    busy = threading.Thread(target=compute)
    busy.start()
    try:
        node = horus.Node("rt", tick=lambda: restore() if horus.tick() == 0 else None, rate=rate, rt=True)
        scheduler, late = _run(node, seconds)
    finally:
        ended.set()
        busy.join()
        sys.setswitchinterval(before)
    return {**loops.summary(late, late), **_granted(scheduler)}


protocol.serve(lateness=lateness, spinning=spinning, beside_python=beside_python)
