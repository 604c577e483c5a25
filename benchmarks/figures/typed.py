"""Typed messages of 16 bytes: in one thread, in a tick, and to another process that polls or sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import couples
from benchmarks.lab import asking, exchanging
from benchmarks.row import Row

if TYPE_CHECKING:
    from benchmarks.lab import Lab


def same_thread(lab: Lab) -> list[Row]:
    """Topic.send + Topic.recv in one thread."""
    fast = {"count": lab.count(1000), "burst": 200}
    slow = {"count": lab.count(300), "burst": 20}
    core = lab.cores[0]
    series = lab.interleave(
        {
            "HORUS": asking(lab.program("horus", "ours_topics", core=core), "pair", **fast),
            "horus-robotics": asking(lab.program("horus-robotics", "robotics", core=core), "pair", **fast),
            "iceoryx2": asking(lab.program("iceoryx2", "iceoryx", core=core), "pair", **slow),
            "Pipe": asking(lab.program("plain", "pipe", core=core), "pair", **slow),
            "pyzmq (inproc)": asking(lab.program("pyzmq", "zmq_pair", core=core), "pair", **slow),
        }
    )
    mine = series.pop("HORUS")
    title = "typed 16 B, send + recv, one thread"
    return [Row(title, "100 ns", "ns", mine, 100.0, peers=list(series.values()))]


def in_a_tick(lab: Lab) -> list[Row]:
    """node.send + node.recv inside a tick."""
    fast = {"count": lab.count(1000), "burst": 200}
    slow = {"count": lab.count(300), "burst": 20}
    series = lab.interleave(
        {
            "HORUS": asking(lab.program("horus", "ours_node", core=lab.cores[0]), "pair", **fast),
            "horus-robotics": asking(lab.program("horus-robotics", "robotics"), "node_pair", **slow),
        }
    )
    mine = series.pop("HORUS")
    title = "typed 16 B, node.send + node.recv in a tick"
    return [Row(title, "150 ns", "ns", mine, 150.0, peers=list(series.values()))]


def polling(lab: Lab) -> list[Row]:
    """Half a round trip between two processes that poll."""
    fast = {"count": lab.count(2000), "burst": 10}
    slow = {"count": lab.count(200), "burst": 5}
    do = ("ping", "pong")
    series = lab.interleave(
        {
            "HORUS": exchanging(couples.ours(lab), do, **fast),
            "C, one line": lab.floor("pingpong", 2000, 10),
            "C, a line in each direction": lab.floor("twolines", 2000, 10),
            "horus-robotics": exchanging(couples.robotics(lab), do, **fast),
            "iceoryx2": exchanging(couples.iceoryx(lab), do, **slow),
            "Pipe": exchanging(couples.pipe(lab), do, **slow),
            "pyzmq": exchanging(couples.zmq(lab), do, **slow),
        }
    )
    mine, floor = series.pop("HORUS"), series.pop("C, one line")
    title = "typed 16 B, other process, polling, RTT/2"
    return [Row(title, "floor + 180 ns", "ns", mine, lambda ns: ns + 180, floor, list(series.values()))]


def asleep(lab: Lab) -> list[Row]:
    """Half a round trip between two processes that sleep until a message comes.

    Long enough for the processor's idle states: a virtual one polls a while before it halts, and settles how long
    by what it sees. The first hundreds of wake-ups of any program cost 20 or 38 us, the thousands after them 26.
    """
    count = 4000
    samples = {"count": lab.count(count)}
    do = ("sleepy_ping", "sleepy_pong")
    series = lab.interleave(
        {
            "HORUS": exchanging(couples.ours(lab), do, **samples),
            "C futex": lab.floor("futex", count, 1),
            "iceoryx2": exchanging(couples.iceoryx(lab), do, **samples),
            "Pipe": exchanging(couples.pipe(lab), do, **samples),
            "pyzmq": exchanging(couples.zmq(lab), do, **samples),
        }
    )
    mine, floor = series.pop("HORUS"), series.pop("C futex")
    title = "typed 16 B, other process asleep in wait(), RTT/2"
    return [Row(title, "1.2 x floor", "ns", mine, lambda ns: 1.2 * ns, floor, list(series.values()))]
