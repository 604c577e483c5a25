"""Forks children that live for milliseconds: they join, send, receive, hold, and end in every way there is."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from typing import TYPE_CHECKING

from endurance.actor import account_of
from endurance.board import Phase
from endurance.ports import Ports
from endurance.process import die_with_parent

if TYPE_CHECKING:
    from endurance.actor import Actor

_MOST_NS = 10_000_000_000
_ALLOWED = {0, signal.SIGALRM}


class Nursery:
    """The children of one process."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._number = 0
        self._born: dict[int, int] = {}

    def step(self) -> None:
        """See whose life has ended, and fork the next."""
        self.reap()
        if self._actor.phase is Phase.RUN:
            self._fork()

    def _fork(self) -> None:
        self._number += 1
        ours = os.getpid()
        child = os.fork()
        if child == 0:
            self._live(ours)
        self._born[child] = time.monotonic_ns()
        self._actor.count_child()

    def _live(self, parent: int) -> None:
        """Never returns. Every second child is killed by a timer at a moment that nobody chose."""
        code = 1
        try:
            die_with_parent(parent)
            if self._number % 2:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, random.Random(self._number).uniform(0.0005, 0.02))
            self._talk()
            code = 0
        except BaseException:  # noqa: BLE001 - a child of a fork must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(code)

    def _talk(self) -> None:
        actor, number = self._actor, self._number
        name = f"{actor.name}.child{number}"
        ports = Ports(actor.role, actor.channels, actor.sends, name)
        actor.events.write(*ports.through_handles(actor.order.publisher + number))
        for _ in range(5):
            for mouth in ports.mouths.values():
                mouth.say()
            for ear in ports.ears.values():
                ear.listen(100)
        actor.events.write(*account_of(ports))
        if number % 4:
            ports.close()  # the others leave it to the kernel

    def reap(self, *, all_of_them: bool = False) -> None:
        """Collect the children that have ended; with `all_of_them` wait for the rest."""
        for child, since_ns in list(self._born.items()):
            ended, status = os.waitpid(child, 0 if all_of_them else os.WNOHANG)
            if ended == 0:
                if time.monotonic_ns() - since_ns > _MOST_NS:
                    self._fault(f"child {child} does not end")
                    os.kill(child, signal.SIGKILL)
                continue
            del self._born[child]
            if status not in _ALLOWED:
                self._fault(f"child {child} ended with status {status}")

    def _fault(self, text: str) -> None:
        self._actor.events.write({"event": "fault", "ear": self._actor.name, "text": text})
