"""Who plays in the kills of Python processes: victims, those who live beside them, and those who come after."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import signal
import time
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import horus
from horus_core.control.presence import Presence
from horus_core.errors import PoolExhaustedError
from horus_core.messages.image import Image
from horus_core.shm import cleaner, namespace

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 20.0
"""What only a failure reaches."""

SIDE = 96
POOL_MIB = "0.5"
SENT_FRAMES = 3

_numbers = itertools.count(1)


@functools.cache
def _life_of(pid: int) -> str:
    return f"{pid}.{time.monotonic_ns()}"


def _life() -> str:
    """A name of this process that no other one ever has: pids come back, also within a long run of kills."""
    return _life_of(os.getpid())


def packed(who: str, number: int) -> dict[str, Any]:
    """A message that fills the slot of a dict topic; its digest tells a torn one."""
    body = f"{who}:{number}".ljust(100, ".")
    return {"who": who, "n": number, "sum": hashlib.md5(body.encode()).hexdigest(), "body": body}


def picture(value: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), value % 251, np.uint8)


def whole(image: Image) -> bool:
    array = image.to_numpy()
    return bool((array == array[0, 0, 0]).all())


# ---- victims: what they do is told by their names; each comes to its end unless it is killed ----


def open_and_send() -> None:
    with horus.Topic("t", dict, _node="victim") as topic:
        who = f"victim{_life()}"
        for _ in range(3):
            topic.send(packed(who, next(_numbers)))
        while topic.recv() is not None:
            pass


def create() -> None:
    with horus.Topic("new", dict, _node="victim") as topic:
        topic.send({"who": "victim"})


def create_typed() -> None:
    with horus.Topic("typed", horus.CmdVel, _node="victim") as topic:
        topic.send(horus.CmdVel(linear=1.0))


def replace() -> None:
    """What a dead process left under that name is of another type."""
    with horus.Topic("odd", dict, _node="victim") as topic:
        topic.send({"a": 1})


def wait_for_topic() -> None:
    with horus.Topic("never", _node="victim") as topic:
        topic.recv()
        topic.wait(0.001)


def send_images() -> None:
    with horus.Topic("mine", Image, _node="victim") as topic:
        for value in range(2):
            assert topic.send(Image.from_numpy(picture(value)))
        assert whole(topic.recv())


def hold_images() -> None:
    with horus.Topic("pictures", Image, _node="victim") as topic:
        kept = topic.history(SENT_FRAMES)
        assert all(whole(image) for image in kept)


def clean() -> None:
    cleaner.clean([namespace.current()], records=True)


def clean_as_member() -> None:
    horus.Topic("t", dict, _node="victim").close()
    clean()


def be_present() -> None:
    presence = Presence(horus.Node("victim", tick=lambda: None), 10.0)
    presence.remove()
    Presence(horus.Node("victim", tick=lambda: None), 10.0).crashed(ValueError("on purpose"))


ROLES: dict[str, Callable[[], None]] = {
    role.__name__: role
    for role in (
        open_and_send, create, create_typed, replace, wait_for_topic, send_images, hold_images, clean,
        clean_as_member, be_present,
    )
}  # fmt: skip


def leave_something(kind: str) -> None:
    """What a victim finds that others left: topics of the dead, what was being made, a record half written."""
    if kind == "replace":
        horus.Topic("odd", horus.CmdVel, _node="dead").send(horus.CmdVel())
    elif kind.startswith("clean"):
        horus.Topic("left", dict, _node="dead").send({"a": 1})
        horus.Topic("left.image", Image, _node="dead").send(Image.from_numpy(picture(1)))
        ns = namespace.current()
        (namespace.SHM / namespace.region(ns, "making")).write_bytes(b"half")
        nodes = namespace.directory(ns) / "nodes"
        nodes.mkdir(mode=0o700, exist_ok=True)
        (nodes / ".dead.json.1").write_text('{"na')


LEFT_FOR = {"replace", "clean", "clean_as_member"}


def all_the_time() -> None:
    """Everything in turn, until killed."""
    for name in itertools.cycle(ROLES):
        ROLES[name]()


# ---- who comes after ----


def fresh(number: int, heard: int | None = None) -> None:
    """A new process opens, creates, publishes, subscribes, claims a name, as if nothing had been.

    `heard`: a pipe that tells when its first message has arrived, before any other topic appears.
    """
    with horus.Topic("new", dict, _node="fresh") as new:
        assert new.send({"who": "fresh", "n": number})
        if heard is not None:
            os.read(heard, 1)
    with horus.Topic("t", dict, _node="fresh") as topic:
        assert topic.send(packed(f"fresh{number}", 1))
        assert topic.wait(LIMIT_S)
        assert topic.recv()["who"] == f"fresh{number}"
    Presence(horus.Node("victim", tick=lambda: None), 10.0).remove()
    for name, message in (("odd", {"a": 1}), ("typed", horus.CmdVel(linear=2.0))):
        with horus.Topic(name, type(message), _node="fresh") as topic:
            assert topic.send(message)
            assert topic.recv() == message
    with horus.Topic("mine", Image, _node="fresh") as topic:
        assert topic.send(Image.from_numpy(picture(7)))
        assert whole(topic.recv())


# ---- those who live beside it all ----


def echo_for_ever() -> None:
    """Sends back what is said, and looks at every picture."""
    signal.alarm(0)
    talk = horus.Topic("talk", dict, _node="echo")
    answer = horus.Topic("answer", dict, _node="echo")
    pictures = horus.Topic("pictures", Image, _node="echo")
    talk.recv()
    answer.send({"n": 0})
    while True:
        if not talk.wait(LIMIT_S):
            continue
        message = talk.recv()
        while (image := pictures.recv()) is not None:
            assert whole(image)
        stats = talk.stats()
        assert message["n"] == stats["delivered"], stats
        assert stats["missed"] == 0, stats
        answer.send(message)


class Survivor:
    """Answers the driver's commands, each a method, by one line of numbers."""

    def __init__(self) -> None:
        self._talk = horus.Topic("talk", dict, _node="survivor")
        self._answer = horus.Topic("answer", dict, _node="survivor")
        self._shared = horus.Topic("t", dict, capacity=64, _node="survivor")
        self._pictures = horus.Topic("pictures", Image, _node="survivor")
        self._new: horus.Topic | None = None
        self._presence = Presence(horus.Node("survivor", tick=lambda: None), 10.0)
        self._said = self._told = 0
        self._last: dict[str, int] = {}
        self._shared.recv()
        self._start = self._shared._settle()[4]

    def serve(self, commands: BinaryIO, answers: int) -> None:
        for line in commands:
            numbers = getattr(self, line.decode().strip())()
            os.write(answers, (" ".join(str(number) for number in numbers) + "\n").encode())

    def ready(self) -> list[int]:
        """It subscribes."""
        return []

    def meet(self) -> list[int]:
        """The echo is there."""
        assert self._answer.wait(LIMIT_S)
        assert self._answer.recv() == {"n": 0}
        return self.blocks()

    def check(self) -> list[int]:
        """Goes on: a message to the other one and back. When that was."""
        self._said += 1
        if self._said % 4 == 0:
            assert self._pictures.send(Image.from_numpy(picture(self._said)))
        assert self._talk.send({"n": self._said})
        while True:
            assert self._answer.wait(LIMIT_S)
            if self._answer.recv()["n"] == self._said:
                return [time.monotonic_ns()]

    def frames(self) -> list[int]:
        """Pictures that a victim may hold."""
        return [int(self._pictures.send(Image.from_numpy(picture(value)))) for value in range(SENT_FRAMES)]

    def blocks(self) -> list[int]:
        """How many pictures its pool can hold at this moment."""
        self.check()  # the echo has let go of those it had
        kept = []
        try:
            while True:
                kept.append(Image(SIDE, SIDE))
        except PoolExhaustedError:
            return [len(kept)]

    def listen(self) -> list[int]:
        """Waits for a topic that is not there."""
        self._new = horus.Topic("new", _node="survivor")
        return [int(self._new.recv() is None)]

    def heard(self) -> list[int]:
        """When it has what was sent there, looking as a node does: once a tick."""
        assert self._new is not None
        end = time.monotonic() + LIMIT_S
        while (message := self._new.recv()) is None or message["who"] != "fresh":
            assert time.monotonic() < end, "the topic appeared and nobody noticed"
            time.sleep(0.0002)
        self._new.close()
        return [time.monotonic_ns()]

    def accounts(self) -> list[int]:
        """What others sent is whole and in order; every number is accounted for."""
        while (message := self._shared.recv()) is not None:
            assert message == packed(message["who"], message["n"]), message
            last = self._last.get(message["who"], 0)
            assert message["n"] > last, f"out of order: {message} after {last}"
            self._last[message["who"]] = message["n"]
        delivered, missed, void, skipped, cursor = self._shared._settle()
        assert delivered + missed + void + skipped == cursor - self._start
        self._told += 1
        number = self._told
        assert self._shared.send(packed("survivor", number))
        while self._last.get("survivor") != number:
            assert self._shared.wait(LIMIT_S)
            message = self._shared.recv()
            self._last[message["who"]] = message["n"]
        return [missed]
