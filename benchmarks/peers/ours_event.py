"""HORUS: from a publish in one process to the callback of an Event node in another."""

# Without `from __future__ import annotations`: the annotations are the fields of a message.
from time import perf_counter_ns
from typing import Any

import loops
import protocol

import horus

THERE, BACK = "there", "back"
LISTENING, END = 0, 1  # instead of a time
WARM_UP = 200
PATIENCE_S = 5.0


class Stamp(horus.Message):
    """16 bytes, as CmdVel, which has no room for a time."""

    sent_ns: horus.u64
    number: horus.u64 = 0


def publish(count: int) -> dict[str, Any]:
    """Publishes the time, again as soon as the other side has answered, which sleeps meanwhile."""
    there, back = horus.Topic(THERE, Stamp), horus.Topic(BACK, Stamp)
    message = Stamp(sent_ns=LISTENING)
    while not back.wait(0.02):  # until its node listens
        there.send(message)
    for _ in range(WARM_UP + count):
        message.sent_ns = perf_counter_ns()
        there.send(message)
        while not answered(back, message.sent_ns):
            pass
    message.sent_ns = END
    there.send(message)
    return {}


def answered(back: Any, what: int) -> bool:
    """Sleeps until there is an answer; whether it is to that message, and not to an older one."""
    if not back.wait(PATIENCE_S):
        raise TimeoutError("the Event node did not answer")
    answer = back.recv()
    return answer is not None and answer.sent_ns == what


def hear(count: int) -> dict[str, Any]:
    """Nanoseconds from before the send to the first line of the callback."""
    taken: list[float] = []
    scheduler = horus.Scheduler()

    def tick() -> None:
        now = perf_counter_ns()
        while (message := node.recv(THERE)) is not None:
            if message.sent_ns == END:
                scheduler.request_stop()
            elif message.sent_ns != LISTENING:
                taken.append(float(now - message.sent_ns))
            node.send(BACK, message)

    node = horus.Node("hears", tick=tick, on=THERE, subs={THERE: Stamp}, pubs={BACK: Stamp})
    scheduler.add(node)
    scheduler.run()
    if len(taken) != WARM_UP + count:
        raise AssertionError(f"{len(taken)} callbacks for {WARM_UP + count} messages")
    return loops.summary(taken[WARM_UP:], taken[WARM_UP:])


protocol.serve(publish=publish, hear=hear)
