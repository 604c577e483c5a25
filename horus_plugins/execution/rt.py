"""Rt: each node on a thread of its own, with the priority, core and locked memory that the kernel grants."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from horus_core.abc import ExecutionClass
from horus_core.errors import NodeError
from horus_plugins.execution import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host, LoopThread

DEFAULT_PRIORITY = 50
# Before a release, on a core of the node's own. At most half of each period: the kernel takes the processor from
# SCHED_FIFO threads that use more than 95 % of it, for 50 ms a second (sched_rt_runtime_us).
_SPIN_NS = 150_000
_SWITCH_INTERVAL_S = 0.0001  # how long another thread may keep the GIL from a waiting one

_switching = threading.Lock()
_rt_threads = 0
_interval_before = 0.0
_was_locked = True


class Rt(ExecutionClass):
    """Takes nodes with a budget, a deadline, a priority, a core or rt=True."""

    name = "rt"
    precedence = 20
    real_time = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._threads: dict[Entry, LoopThread] = {}

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether the node wants to keep time."""
        return config.wants_rt and not config.is_async

    def check(self, entry: Entry) -> None:
        """A node with rt="require" does not start without what it asks for."""
        require(entry)

    def add(self, entry: Entry) -> None:
        """Give it its thread."""
        thread = self.host.thread(entry.node.name, lambda: self._begin(entry))
        thread.loop.lane.add(entry)
        if entry.config.core is not None:
            thread.loop.lane.spin_ns = _spin_ns(entry)
        self._threads[entry] = thread
        count_thread(1)
        thread.start()

    def _begin(self, entry: Entry) -> None:
        """On its thread. Releases that went by while that was made ready were not to be had, nor are they skipped."""
        prepare(self.host, entry)
        newest_ns = self.host.clock.now_ns() - int(1e9 / entry.rate) + 1
        if entry.next_ns < newest_ns:
            entry.rest_until(newest_ns)

    def remove(self, entry: Entry) -> None:
        """The thread ends with the current tick."""
        thread = self._threads.pop(entry)
        try:
            thread.join()
        finally:
            count_thread(-1)

    def changed(self, entry: Entry) -> None:
        """Its thread may be asleep for longer, or shorter, than is right now."""
        lane = self._threads[entry].loop.lane
        if lane.spin_ns:
            lane.spin_ns = _spin_ns(entry)
        lane.nudge()

    def halt(self) -> None:
        """All threads end with their current tick."""
        for thread in self._threads.values():
            thread.halt()


def require(entry: Entry) -> None:
    """Raise NodeError for a node with rt="require" that would not get what it asks for."""
    refused = _tried(entry.config) if entry.config.rt == "require" else []
    if refused:
        reasons = " ".join(f"{asked}: {why}. {kernel.FIX[asked]}" for asked, why in refused)
        raise NodeError(
            f"Starting node {entry.node.name!r} failed: expected real-time scheduling, as rt='require' "
            f"asks for, got a refusal (node={entry.node.name!r}). {reasons}"
        )


def prepare(host: Host, entry: Entry) -> None:
    """Ask the kernel, for this thread, for what the node wants, and report what it got."""
    for asked, why in _ask_kernel(entry.config):
        if why is None:
            host.granted(entry, asked)
        else:
            host.degraded(entry, asked, why, kernel.FIX[asked])


def _spin_ns(entry: Entry) -> int:
    return min(_SPIN_NS, int(0.5e9 / entry.rate))


def _ask_kernel(config: NodeConfig) -> list[tuple[str, str | None]]:
    """Ask for this thread: what was asked for, and why it was refused (None: it was granted)."""
    asked: dict[str, Callable[[], str | None]] = {
        "SCHED_FIFO": lambda: kernel.set_fifo(config.priority or DEFAULT_PRIORITY),
        "locked memory": kernel.lock_memory,
    }
    if config.core is not None:
        core = config.core
        asked["core"] = lambda: kernel.pin(core)
    return [(what, ask()) for what, ask in asked.items()]


def _tried(config: NodeConfig) -> list[tuple[str, str]]:
    """What the kernel would refuse, tried on a thread of its own."""
    results: list[tuple[str, str | None]] = []
    thread = threading.Thread(target=lambda: results.extend(_ask_kernel(config)))
    count_thread(1)  # so that what it locked is unlocked again
    try:
        thread.start()
        thread.join()
    finally:
        count_thread(-1)
    return [(what, why) for what, why in results if why is not None]


def count_thread(more: int) -> None:
    """While there are Rt threads, a thread that waits for the GIL gets it sooner, and memory stays locked."""
    global _rt_threads, _interval_before, _was_locked  # noqa: PLW0603 - both are the process's, too
    with _switching:
        if _rt_threads == 0:
            _interval_before = sys.getswitchinterval()
            if _interval_before > _SWITCH_INTERVAL_S:
                sys.setswitchinterval(_SWITCH_INTERVAL_S)
            _was_locked = kernel.has_locked_memory()
        _rt_threads += more
        if _rt_threads == 0:
            if _interval_before > _SWITCH_INTERVAL_S:
                # The half: the interpreter cuts off what is not a whole microsecond.
                sys.setswitchinterval(_interval_before + 0.5e-6)
            if not _was_locked:
                kernel.unlock_memory()
