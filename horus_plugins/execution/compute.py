"""Compute: nodes that share a pool of threads, each ticked by whichever is free."""

from __future__ import annotations

import bisect
import os
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.abc import ExecutionClass
from horus_core.scheduler import clock
from horus_core.scheduler.entry import NEVER
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.patience import Patience

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host

MOST_THREADS = 32
LEAST_THREADS = 2  # on one core, too: one that waits for a disk or the GPU leaves it to the other


class Compute(ExecutionClass):
    """Takes nodes with compute=True: as many tick at once as there are cores, none of them twice at once."""

    name = "compute"
    precedence = 30

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._most = min(MOST_THREADS, max(LEAST_THREADS, len(os.sched_getaffinity(0))))
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._halted = False
        self._patience = Patience(host)
        # Guarded by _changed:
        self._entries: list[Entry] = []  # by order, then as added
        self._due: deque[Entry] = deque()  # those that were due together and wait for a thread
        self._ticking: dict[Entry, threading.Thread] = {}
        self._sleeps = False  # whether one thread sleeps for all, to the next release
        self._alarm = _native.Alarm()  # that it sleeps on

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether the node is one for the pool."""
        return config.compute is True

    def add(self, entry: Entry) -> None:
        """Tick it from now on, on a new thread if there may be one more."""
        with self._changed:
            bisect.insort(self._entries, entry, key=lambda other: other.node.order)
        if len(self._threads) < min(self._most, len(self._entries)):
            thread = threading.Thread(
                target=self._work, name=f"horus compute-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self.changed(entry)

    def remove(self, entry: Entry) -> None:
        """Wait for its tick, if one is under way."""
        with self._changed:
            self._entries.remove(entry)
            if entry in self._due:
                self._due.remove(entry)
        patience = self._patience if self._halted else Patience(self.host)
        patience.wait_to_the_end(partial(self._ended, entry))

    def _ended(self, entry: Entry, timeout_s: float | None) -> bool:
        me = threading.current_thread()
        with self._changed:
            return self._changed.wait_for(lambda: self._ticking.get(entry, me) is me, timeout_s)

    def changed(self, _entry: Entry) -> None:
        """Whoever sleeps for all may sleep for longer, or shorter, than is right now."""
        self._alarm.ring()

    def halt(self) -> None:
        """No thread takes a node any more."""
        self._patience.begin()
        with self._changed:
            self._halted = True
            self._changed.notify_all()
        self._alarm.ring()

    def close(self) -> None:
        """Let the threads end, but for those whose ticks were left behind."""
        self.halt()
        for thread in self._threads:
            if thread not in self._ticking.values():
                thread.join()

    # On the threads of the pool

    def _work(self) -> None:
        loop = Loop(self.host.scheduler, _native.Alarm())
        clock.enter(loop)
        try:
            _native.set_timer_slack(1)
            while (entry := self._take()) is not None:
                try:
                    loop.lane.add(entry)
                    try:
                        loop.run_due(self.host.clock.now_ns())
                    finally:
                        loop.lane.remove(entry)
                finally:
                    self._give_back(entry)
        except BaseException as error:  # noqa: BLE001 - it is raised where run() was called
            self.host.fail(error)
        finally:
            clock.leave()

    def _take(self) -> Entry | None:
        """The next node that is due, by order among those that came due together; None: no more."""
        with self._changed:
            while not self._halted:
                if not self._due:
                    self._gather()
                if self._due:
                    entry = self._due.popleft()
                    self._ticking[entry] = threading.current_thread()
                    self._changed.notify()  # there may be one more, and else somebody has to sleep for all
                    return entry
                if self._sleeps:
                    self._changed.wait()
                else:
                    self._sleep()
            return None

    def _gather(self) -> None:
        # In rounds, so that a node that is always due never keeps those behind it from a thread.
        now_ns = self.host.clock.now_ns()
        self._due.extend(one for one in self._entries if one.next_ns <= now_ns and one not in self._ticking)

    def _sleep(self) -> None:
        """Sleep, without the lock, until a node is due that does not tick."""
        self._alarm.reset()  # whatever it rang for is seen below
        wake_ns = min((one.next_ns for one in self._entries if one not in self._ticking), default=NEVER)
        self._sleeps = True
        self._changed.release()
        try:
            self.host.clock.sleep_until(wake_ns, self._alarm)
        finally:
            self._changed.acquire()
            self._sleeps = False

    def _give_back(self, entry: Entry) -> None:
        with self._changed:
            del self._ticking[entry]
            self._changed.notify_all()
        self._alarm.ring()
