"""Frames to another process that polls: written in place, or copied out of private memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import stats
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
ROTATION = 32  # as in peers/frames.py
WARM_UP = 40  # more than one rotation: all blocks were touched


def one_way(couple: tuple[Program, Program], do: str, shape: str, count: int) -> Callable[[], Summary]:
    """Frames from the first process to the second: from before the send to after to_numpy()."""
    publisher, subscriber = couple

    def run() -> Summary:
        subscriber.start("subscribe", shape=shape)
        publisher.start(do, shape=shape, count=WARM_UP + count)
        sent, got = publisher.result()["sent"], subscriber.result()
        times = sorted(matched(sent, got["had"], got["pixels"]))
        lost = WARM_UP + count - len(got["had"])
        return Summary(times[len(times) // 2], times[int(0.99 * len(times))], {"lost": lost})

    return run


def matched(sent: list[int], had: list[int], pixels: list[int]) -> list[int]:
    """How long each frame took that arrived after the warm-up; its pixel is its number modulo ROTATION."""
    times = []
    number = -1
    for when, pixel in zip(had, pixels, strict=True):
        number += 1 + (pixel - number - 1) % ROTATION
        if number >= WARM_UP:
            times.append(when - sent[number])
    if not times or number >= len(sent):
        raise ProgramError(f"{len(sent)} frames were sent and {len(had)} came, which do not match")
    return times


def couples(lab: Lab, topic: str) -> dict[str, tuple[Program, Program]]:
    """Publisher and subscriber of each library, attached to a topic of its own."""
    attached = {}
    for name, (peer, script) in SCRIPTS.items():
        couple = lab.couple(peer, script)
        for program in couple:
            program.ask("attach", name=topic)
        attached[name] = couple
    return attached


def in_place(lab: Lab) -> list[Row]:
    """Image(...), every pixel written, send -> recv -> to_numpy()."""
    do = "publish_in_place"
    large, tiny = couples(lab, "large"), couples(lab, "tiny")
    contestants: dict[str, Callable[[], Summary]] = {"C, one line": lab.floor("pingpong", 2000, 10)}
    for name in SCRIPTS:
        contestants[f"{name} 1080p"] = one_way(large[name], do, "1080p", lab.count(150))
        contestants[f"{name} 64x64"] = one_way(tiny[name], do, "64x64", lab.count(400))
    series = lab.interleave(contestants)
    floor, mine, small = (series[name] for name in ("C, one line", "HORUS 1080p", "HORUS 64x64"))
    peers = [series[f"{name} {shape}"] for name in SCRIPTS if name != "HORUS" for shape in ("1080p", "64x64")]
    title = "Image in place, send > recv > to_numpy, other process"
    times = stats.ratio(mine, small)
    return [
        Row(f"{title}, 1080p", "floor + 900 ns", "ns", mine, lambda ns: ns + 900, floor, peers),
        Row(
            "    1080p against 64x64",
            "1.2 x 64x64",
            "ns",
            mine,
            lambda ns: 1.2 * ns,
            small,
            notes=[f"{times:.2f} times as long for 506 times as many bytes"],
        ),
    ]


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
