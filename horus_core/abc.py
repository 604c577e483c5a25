"""The interfaces that HORUS calls and others may implement."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from horus_core._native import Alarm
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host


class Clock(ABC):
    """What time it is for a scheduler, and how it waits: wall time, simulated time, a recording's time."""

    moved_by_sleepers: bool = False
    """Whether sleep_until() moves it: then only one thread may sleep on it, as others would miss the time between."""

    @abstractmethod
    def now_ns(self) -> int:
        """Nanoseconds since a moment of the clock's choice; never goes back."""

    @abstractmethod
    def sleep_until(self, deadline_ns: int, alarm: Alarm) -> bool:
        """Return False once `deadline_ns` has come, or True as soon as the alarm rings."""

    def when(self, machine_ns: int) -> int:
        """What this clock said when CLOCK_MONOTONIC said that: messages carry the time of the machine.

        For clocks that run as fast as the machine's this need not be overridden.
        """
        return self.now_ns() - (time.monotonic_ns() - machine_ns)


class ExecutionClass(ABC):
    """Decides when and on which thread (or in which process) its nodes tick. One object a scheduler and run.

    All methods are called on the scheduler's own thread. `init()` and `shutdown()` of nodes are the scheduler's
    business: a node is added after its init() and removed before its shutdown().
    """

    name: ClassVar[str]
    """What stats and tools call it, and what `Node(execution=...)` may name: a word in small letters."""

    precedence: ClassVar[int] = 0
    """Which class is asked first whether it accepts a node: the highest."""

    on_main_loop: ClassVar[bool] = False
    """Whether it ticks its nodes in the host's main loop alone."""

    def __init__(self, host: Host) -> None:
        """`host` is what the scheduler offers to its classes."""
        self.host = host

    @classmethod
    @abstractmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether a node of this configuration, which names no class itself, is one for this class."""

    def check(self, entry: Entry) -> None:  # noqa: B027 - most have nothing to check
        """Raise ConfigError for a node that this class cannot run. Called before any node's init()."""

    @abstractmethod
    def add(self, entry: Entry) -> None:
        """Tick the node from now on; its releases have been planned."""

    @abstractmethod
    def remove(self, entry: Entry) -> None:
        """Tick the node no more; return when its tick that is under way, if any, has ended.

        Raise StillTicking (horus_core/scheduler/patience.py) when it has not after 5 s, as LoopThread.join() does.
        """

    def changed(self, entry: Entry) -> None:  # noqa: B027 - classes on a Lane are told by that
        """The node's next release was moved: it was paused, resumed, or has another rate."""

    def halt(self) -> None:  # noqa: B027 - for classes without threads
        """Begin no tick any more; return at once. `remove` follows for every node."""

    def close(self) -> None:  # noqa: B027 - the same
        """Let go of threads and processes: all nodes were removed."""
