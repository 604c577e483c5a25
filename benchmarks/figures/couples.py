"""Two processes of each library, on a core each, each sending what the other receives."""

from __future__ import annotations

from multiprocessing import Pipe
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from benchmarks.program import Program

    Couple = tuple[Program, Program]


def ours(lab: Lab, **options: object) -> Couple:
    """HORUS."""
    return _topics(lab.couple("horus", "ours_topics"), **options)


def robotics(lab: Lab) -> Couple:
    """horus-robotics."""
    return _topics(lab.couple("horus-robotics", "robotics"))


def iceoryx(lab: Lab) -> Couple:
    """iceoryx2."""
    return _topics(lab.couple("iceoryx2", "iceoryx"))


def zmq(lab: Lab) -> Couple:
    """The two ends of a Unix socket of ZeroMQ."""
    left, right = lab.couple("pyzmq", "zmq_pair")
    address = f"ipc:///tmp/{lab.prefix}zmq"
    left.ask("attach", address=address, bind=True)
    right.ask("attach", address=address, bind=False)
    return left, right


def pipe(lab: Lab) -> Couple:
    """The two ends of one multiprocessing.Pipe."""
    ends = Pipe()
    left, right = (
        lab.program("plain", "pipe", core=core, inherit=[end.fileno()])
        for end, core in zip(ends, lab.cores, strict=True)
    )
    for end, program in zip(ends, (left, right), strict=True):
        program.ask("attach", fd=end.fileno())
        end.close()
    return left, right


def _topics(couple: Couple, **options: object) -> Couple:
    left, right = couple
    left.ask("attach", out="there", into="back", **options)
    right.ask("attach", out="back", into="there", **options)
    return couple
