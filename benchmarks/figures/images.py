"""Frames to another process that polls: written in place, or copied out of private memory."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from benchmarks.lab import asking
from benchmarks.program import ProgramError
from benchmarks.row import Row
from benchmarks.stats import Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab
    from benchmarks.program import Program

SCRIPTS = {
    "HORUS": ("horus", "ours_images"),
    "iceoryx2": ("iceoryx2", "iceoryx_images"),
    "horus-robotics": ("horus-robotics", "robotics_images"),
}
NOBODY_POLLS = b"\xff" * 8  # frames.NOBODY
WARM_UP = 40  # more than one rotation: all blocks were touched


def one_way(
    couple: tuple[Program, Program], do: str, shape: str, count: int, **more: bool
) -> Callable[[], Summary]:
    """Frames from the first process to the second: from before the send to after to_numpy()."""
    publisher, subscriber = couple

    def run() -> Summary:
        subscriber.start("subscribe", shape=shape, count=WARM_UP + count)
        publisher.start(do, shape=shape, count=WARM_UP + count, **more)
        sent, had = publisher.result()["sent"], subscriber.result()["had"]
        times = sorted(end - begin for begin, end in list(zip(sent, had, strict=True))[WARM_UP:])
        return Summary(times[len(times) // 2], times[int(0.99 * len(times))])

    return run


def couples(lab: Lab, topic: str) -> dict[str, tuple[Program, Program]]:
    """Publisher and subscriber of each library, attached to a topic of its own."""
    attached = {}
    for name, (peer, script) in SCRIPTS.items():
        turns = os.memfd_create("turns")
        os.ftruncate(turns, mmap.PAGESIZE)
        os.pwrite(turns, NOBODY_POLLS, 0)
        couple = lab.couple(peer, script, inherit=[turns])
        for program in couple:
            program.ask("attach", name=topic, fd=turns)
        os.close(turns)
        if name == "horus-robotics":
            _greet(*couple)
        attached[name] = couple
    return attached


def _greet(publisher: Program, subscriber: Program) -> None:
    """Lets horus-robotics make the topic in one process first: made in both at once it may become two."""
    publisher.ask("greet", count=1)
    subscriber.start("be_greeted")
    publisher.ask("greet", count=20)
    if subscriber.result()["received"] == 0:
        raise ProgramError("horus-robotics: none of 21 frames arrived")


def in_place(lab: Lab) -> list[Row]:
    """Image(...), written in place; timed from the send to the array: send > recv > to_numpy()."""
    large, tiny = couples(lab, "large"), couples(lab, "tiny")
    contestants: dict[str, Callable[[], Summary]] = {"C, one line": lab.floor("pingpong", 2000, 10)}
    for name in SCRIPTS:
        contestants[f"{name} 1080p"] = _in_place(large[name], "1080p", lab.count(300), fill=False)
        contestants[f"{name} 64x64"] = _in_place(tiny[name], "64x64", lab.count(300), fill=False)
        contestants[f"{name} 1080p, cold"] = _in_place(large[name], "1080p", lab.count(60), fill=True)
    series = lab.interleave(contestants)
    floor, mine, small = (series.pop(name) for name in ("C, one line", "HORUS 1080p", "HORUS 64x64"))
    note = "cold: every pixel was written just before, which empties the caches; otherwise the first pixel"
    title = "Image in place, other process, polling"
    return [
        Row(
            f"{title}, 1080p",
            "floor + 900 ns",
            "ns",
            mine,
            lambda ns: ns + 900,
            floor,
            list(series.values()),
            notes=[note],
        ),
        Row("    the same beside 64x64", "1.2 x 64x64", "ns", mine, lambda ns: 1.2 * ns, small),
    ]


def _in_place(
    couple: tuple[Program, Program], shape: str, count: int, *, fill: bool
) -> Callable[[], Summary]:
    return one_way(couple, "publish_in_place", shape, count, fill=fill)


def from_private(lab: Lab) -> list[Row]:
    """from_numpy of a private 1080p array, 32 in rotation, one way."""
    do, count = "publish_private", lab.count(150)
    plain = lab.program("plain", "plain", core=lab.cores[0])
    contestants: dict[str, Callable[[], Summary]] = {
        "numpy copy": asking(plain, "copy_frames", blocks=1, count=WARM_UP + count)
    }
    for name, couple in couples(lab, "private").items():
        contestants[name] = one_way(couple, do, "1080p", count)
    series = lab.interleave(contestants)
    mine, floor = series.pop("HORUS"), series.pop("numpy copy")
    title = "Image from a private 1080p array, one way"
    return [Row(title, "1.1 x", "ns", mine, lambda ns: 1.1 * ns, floor, list(series.values()))]
