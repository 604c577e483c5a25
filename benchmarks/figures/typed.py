"""Typed messages of 16 bytes: in one thread, and to another process that polls."""

from __future__ import annotations

from multiprocessing import Pipe
from typing import TYPE_CHECKING

from benchmarks.lab import Lab, asking, exchanging
from benchmarks.row import Row

if TYPE_CHECKING:
    from benchmarks.program import Program

Couple = tuple["Program", "Program"]


def ours(lab: Lab) -> Couple:
    """Two processes of HORUS, each publishing what the other subscribes to."""
    return _attached(lab.couple("horus", "ours_topics"))


def robotics(lab: Lab) -> Couple:
    """The same of horus-robotics."""
    return _attached(lab.couple("horus-robotics", "robotics"))


def iceoryx(lab: Lab) -> Couple:
    """The same of iceoryx2."""
    return _attached(lab.couple("iceoryx2", "iceoryx"))


def zmq(lab: Lab) -> Couple:
    """Two ends of a Unix socket of ZeroMQ."""
    left, right = lab.couple("pyzmq", "zmq_pair")
    address = f"ipc:///tmp/{lab.prefix}zmq"
    left.ask("attach", address=address, bind=True)
    right.ask("attach", address=address, bind=False)
    return left, right


def pipe(lab: Lab) -> Couple:
    """Two ends of one multiprocessing.Pipe."""
    ends = Pipe()
    programs = []
    for end, core in zip(ends, lab.cores, strict=True):
        program = lab.program("plain", "pipe", core=core, inherit=[end.fileno()])
        program.ask("attach", fd=end.fileno())
        programs.append(program)
        end.close()
    return programs[0], programs[1]


def _attached(couple: Couple) -> Couple:
    left, right = couple
    left.ask("attach", out="there", into="back")
    right.ask("attach", out="back", into="there")
    return couple


def same_thread(lab: Lab) -> list[Row]:
    """Topic.send + Topic.recv in one thread."""
    samples = {"count": lab.count(1000), "burst": 200}
    slow = {"count": lab.count(300), "burst": 20}
    core = lab.cores[0]
    series = lab.interleave(
        {
            "HORUS": asking(lab.program("horus", "ours_topics", core=core), "pair", **samples),
            "horus-robotics": asking(lab.program("horus-robotics", "robotics", core=core), "pair", **samples),
            "iceoryx2": asking(lab.program("iceoryx2", "iceoryx", core=core), "pair", **slow),
            "Pipe": asking(lab.program("plain", "pipe", core=core), "pair", **slow),
            "pyzmq": asking(lab.program("pyzmq", "zmq_pair", core=core), "pair", **slow),
        }
    )
    mine = series.pop("HORUS")
    title = "typed 16 B, send + recv, one thread"
    return [Row(title, "100 ns", "ns", mine, 100.0, peers=list(series.values()))]


def other_process(lab: Lab) -> list[Row]:
    """Half a round trip between two processes that poll."""
    fast = {"count": lab.count(2000), "burst": 10}
    slow = {"count": lab.count(200), "burst": 5}
    series = lab.interleave(
        {
            "HORUS": exchanging(*ours(lab), ("ping", "pong"), **fast),
            "C cache line": lab.floor("pingpong", 2000, 10),
            "horus-robotics": exchanging(*robotics(lab), ("ping", "pong"), **fast),
            "iceoryx2": exchanging(*iceoryx(lab), ("ping", "pong"), **slow),
            "Pipe": exchanging(*pipe(lab), ("ping", "pong"), **slow),
            "pyzmq": exchanging(*zmq(lab), ("ping", "pong"), **slow),
        }
    )
    mine, floor = series.pop("HORUS"), series.pop("C cache line")
    title = "typed, other process, polling, RTT/2"
    return [
        Row(title, "floor + 180 ns", "ns", mine, lambda ns: ns + 180, floor, list(series.values()))
    ]


def asleep(lab: Lab) -> list[Row]:
    """Half a round trip between two processes that sleep until a message comes."""
    samples = {"count": lab.count(500)}
    do = ("sleepy_ping", "sleepy_pong")
    series = lab.interleave(
        {
            "HORUS": exchanging(*ours(lab), do, **samples),
            "C futex": lab.floor("futex", 500, 1),
            "iceoryx2": exchanging(*iceoryx(lab), do, **samples),
            "Pipe": exchanging(*pipe(lab), do, **samples),
            "pyzmq": exchanging(*zmq(lab), do, **samples),
        }
    )
    mine, floor = series.pop("HORUS"), series.pop("C futex")
    title = "typed, other process asleep in wait(), RTT/2"
    return [
        Row(title, "1.2 x futex floor", "ns", mine, lambda ns: 1.2 * ns, floor, list(series.values()))
    ]
