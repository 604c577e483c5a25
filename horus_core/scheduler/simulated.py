"""Simulated time, and the one class that runs all nodes in it: what `Scheduler(deterministic=True)` is made of.

Time moves from one release to the next and stands still while nodes tick, however long the computer takes for it.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

from horus_core.abc import Clock, ExecutionClass
from horus_core.errors import ConfigError, NodeError
from horus_core.nodes.state import NodeState
from horus_core.scheduler import failure
from horus_core.scheduler.entry import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core._native import Alarm
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host
    from horus_core.topics.topic import Topic

START_NS = 1_000_000_000
"""When every deterministic run begins. Not 0, which says "unset" in messages."""

_MOST_MOMENTS = 1 << 17
_MOST_ROUNDS = 1000


class Moments:
    """What a clock that is moved said at which time of the machine's: a message's publish time is the machine's.

    The last 65,536 moves are known exactly, older ones ever more roughly; how roughly depends on their number alone.
    """

    def __init__(self, now_ns: int) -> None:
        self._machine = array("q", [time.monotonic_ns()])
        self._moved = array("q", [now_ns])

    def note(self, now_ns: int) -> None:
        """The clock was moved."""
        self._machine.append(time.monotonic_ns())
        self._moved.append(now_ns)
        if len(self._machine) > _MOST_MOMENTS:
            del self._machine[1 : _MOST_MOMENTS // 2 : 2]
            del self._moved[1 : _MOST_MOMENTS // 2 : 2]

    def when(self, machine_ns: int) -> int:
        """What the clock said at that time; of times before its first moment, that one."""
        return self._moved[max(0, bisect_right(self._machine, machine_ns) - 1)]


class SimulatedClock(Clock):
    """Time that passes when the scheduler sleeps, and takes none for it."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Another run begins."""
        self._now_ns = START_NS
        self._moments = Moments(START_NS)

    def now_ns(self) -> int:
        """The simulated time."""
        return self._now_ns

    def sleep_until(self, deadline_ns: int, alarm: Alarm) -> bool:
        """Be there at once; True when the alarm has rung."""
        if deadline_ns > self._now_ns:
            self._now_ns = deadline_ns
            self._moments.note(deadline_ns)
        return alarm.rung

    def when(self, machine_ns: int) -> int:
        """The simulated time at which the machine's clock said that."""
        return self._moments.when(machine_ns)


class Deterministic(ExecutionClass):
    """Takes the place of all other classes: every node ticks on the thread that called run().

    Nodes tick at their releases, those of one instant by order and then as added. A node with `on=` ticks in the
    same instant in which its topic was published, after the nodes that were due; so do those that it wakes in turn.
    """

    name = "deterministic"
    on_main_loop = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._wakers: dict[Entry, Waker] = {}

    @classmethod
    def accepts(cls, _config: NodeConfig) -> bool:
        """It is asked for by the scheduler's keyword, never by a node's."""
        return False

    def check(self, entry: Entry) -> None:
        """Refuse what would not be deterministic."""
        if entry.config.is_async:
            raise ConfigError(
                f"Running node {entry.node.name!r} failed: expected a plain tick in a deterministic run, got an "
                f"async one, whose awaits end when the machine likes. Give it a tick without await for this run."
            )

    def add(self, entry: Entry) -> None:
        """Tick it in the scheduler's own loop."""
        loop = self.host.main_loop
        if entry.config.on:
            wiring = entry.wiring
            self._wakers[entry] = Waker([wiring.inlet(wiring.called(name)) for name in entry.config.on])
            if not entry.holds:
                entry.next_ns = NEVER
            if loop.settle is None:
                loop.settle = self._settler()
        loop.lane.add(entry)

    def remove(self, entry: Entry) -> None:
        """The caller is on the thread that would tick it."""
        self._wakers.pop(entry, None)
        self.host.main_loop.lane.remove(entry)

    def _settler(self) -> Callable[[int], bool]:
        instant_ns, rounds = 0, 0

        def settle(now_ns: int) -> bool:
            """Make due who was woken in this instant; whether anybody was."""
            nonlocal instant_ns, rounds
            instant_ns, rounds = now_ns, rounds + 1 if now_ns == instant_ns else 1
            woken = [entry for entry, waker in self._wakers.items() if self._looked(entry, waker, now_ns)]
            if woken and rounds > _MOST_ROUNDS:
                names = ", ".join(repr(entry.node.name) for entry in woken)
                raise NodeError(
                    f"A deterministic run failed: expected nodes that wake each other to come to rest, got {names} "
                    f"{_MOST_ROUNDS} times in one instant. Give one of them a rate instead of on=."
                )
            return bool(woken)

        return settle

    def _looked(self, entry: Entry, waker: Waker, now_ns: int) -> bool:
        """Whether it is woken; a topic that cannot be read fails the node as a tick that tried to would."""
        loop = self.host.main_loop
        try:
            return _wake(entry, waker, now_ns)
        except Exception as error:
            if loop.on_behalf(entry, failure.ends_run, self.host.scheduler, entry, error):
                raise
            return False


class Waker:
    """Tells when there is something to read, but not again while all of it is left unread."""

    def __init__(self, topics: list[Topic]) -> None:
        self._topics = topics
        self._seen: list[tuple[int, int] | None] = [None] * len(topics)
        self._index: int | None = None
        self._rest_ns = 0

    def fired(self) -> bool:
        """Whether any has a message, and has had another, or another next one, when this last was so."""
        now = [_waiting(topic) for topic in self._topics]
        if all(one is None or one == seen for one, seen in zip(now, self._seen, strict=True)):
            return False
        self._seen = now
        return True

    def wake(self, entry: Entry, now_ns: int) -> None:
        """Let it tick in this instant."""
        entry.rest_until(now_ns)
        self._index = entry.index
        entry.next_ns = now_ns

    def forget_rest(self, entry: Entry) -> None:
        """Its releases are moved by somebody who is no failure policy."""
        self._index = entry.index

    def rests(self, entry: Entry, now_ns: int) -> bool:
        """Whether a failure policy has moved its next release: a tick moves it by one."""
        if not self._rest_ns and self._index is not None and entry.index > self._index + 1:
            self._rest_ns = entry.next_ns
        if self._rest_ns > now_ns:
            entry.next_ns = NEVER  # what is published meanwhile wakes it at the first instant after that
            return True
        self._rest_ns = 0
        self._index = entry.index
        return False


def _waiting(topic: Topic) -> tuple[int, int] | None:
    """Which message is the newest and how many wait; None when none does."""
    ring = topic._ring if topic.has_msg() else None  # noqa: SLF001 - the box's own
    return None if ring is None else (ring.front, topic.pending)


def _wake(entry: Entry, waker: Waker, now_ns: int) -> bool:
    state = entry.info.state()
    if not entry.live:
        entry.next_ns = NEVER
    if not entry.live or entry.holds:  # it may be released for its safe state
        waker.forget_rest(entry)
        return False
    if state not in (NodeState.RUNNING, NodeState.ERROR):  # it waits for its restart
        waker.forget_rest(entry)
        return False
    if waker.rests(entry, now_ns):
        return False
    entry.next_ns = NEVER
    if not waker.fired():
        return False
    waker.wake(entry, now_ns)
    return True
