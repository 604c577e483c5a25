"""The interfaces that HORUS calls and others may implement."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from horus_core._native import Alarm, Member, Pool, Ring
    from horus_core.backends.port import Port
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host
    from horus_core.topics.attach import Request
    from horus_core.topics.opening import Opening


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

    real_time: ClassVar[bool] = False
    """Whether it asks the kernel for what rt=, priority= and core= want, and reports what was refused."""

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


class Runner(ABC):
    """Runs targets of one kind, as `horus run` and launch files name them. One object a process.

    HORUS's own are asked first. A plugin's runner is looked for by the suffix of a file that none of them accepts.
    """

    name: ClassVar[str]
    """The suffix of the files that it runs, in small letters and without the dot. Its entry point has that name."""

    language: ClassVar[str] = ""
    """What `horus run` shows beside a target; "" is the name."""

    files: ClassVar[bool] = True
    """Whether its targets are files. Else they are words that name no file: `name:anything`."""

    def accepts(self, target: str) -> bool:
        """Whether it runs that: the path of a file that exists; with `files = False` a word that names none."""
        return target.lower().endswith(f".{self.name}") if self.files else target.startswith(f"{self.name}:")

    def build(self, target: str) -> None:  # noqa: B027 - most have nothing to build
        """Make it ready to run. Called for all targets before any starts; raises LaunchError when it cannot be."""

    @abstractmethod
    def command(self, target: str) -> list[str]:
        """The command line that runs it, its program by its full path; the user's arguments follow.

        A list of texts. Anything else, or what any of these methods raises besides HORUS's own errors, is shown as
        an error of the plugin.
        """


class Backend(ABC):
    """Where the rings of topics lie, and so who shares them: `Topic(backend=name)`.

    One object a process and namespace.

    Sending, receiving, accounts, waiting and waking are the ring's (`_native.Ring`), the same over all backends. To
    carry messages to where no memory is shared, write a Bridge: it is less, and gets all of this as well.
    """

    name: ClassVar[str]
    """What `Topic(backend=...)` and HORUS_BACKEND call it: a word in small letters."""

    across_processes: ClassVar[bool] = True
    """Whether other processes can take part. If not, a run whose HORUS_BACKEND this is shows itself to none: no names
    of nodes, no record and no control topics in /dev/shm."""

    def __init__(self, namespace: str) -> None:
        """Made when the first topic over it is opened in the process, and anew in a forked child."""
        self.namespace = namespace

    @abstractmethod
    def member(self) -> Member:
        """This process's membership, whose epoch is bumped when a topic appears."""

    @abstractmethod
    def attach(self, member: Member, request: Request, opening: Opening) -> Ring | None:
        """The topic's ring, the same one for all who ask; made when a type is wanted and none is there, else None.

        From any thread. What is to be logged goes to `opening`, which the caller holds. Raises TopicTypeError when
        the topic is in use with another type, and RegionError without memory.
        """

    @abstractmethod
    def is_current(self, member: Member, topic: str, ring: Ring) -> bool:
        """Whether `attach` would still give this ring."""

    @abstractmethod
    def pool(self, member: Member) -> Pool:
        """The blocks of what does not fit a slot."""

    def check(self, topic: str) -> None:  # noqa: B027 - where opening says all there is to say
        """Raise what keeps the topic from being used. Called when the epoch was bumped, not for each message."""

    def left(self, topic: str) -> None:  # noqa: B027 - for those who keep something for a topic
        """A handle on the topic was closed."""

    def stats(self, topic: str) -> dict[str, Any]:
        """Figures of what carries the topic to other processes; empty where memory does."""
        del topic
        return {}

    def clean(self) -> None:  # noqa: B027 - what lies in /dev/shm is the cleaner's
        """Forget what nobody uses: a run begins, or has ended."""

    def close(self) -> None:  # noqa: B027 - for those with threads
        """The process ends: send what was sent, for a second at most, and let go."""


class Bridge(ABC):
    """Carries topics to other processes, machines or programs: over a broker, a network, a serial line.

    Every process has rings of its own in private memory, and a thread for each bridge. That thread takes what nodes
    send from the rings and calls the Link; what the Link hears it gives to the Port, which puts it into the ring.
    So a node's send() and recv() never wait for a network, and all promises of topics hold in each process: types,
    order, exact accounts, `wait`, `recv_async`, `on=`. Where the network is too slow the ring is the queue, and what
    is overwritten there is counted.

    All methods of a Bridge and its Links but check_settings() are called on that one thread: they may block, and need
    no locks.
    """

    name: ClassVar[str]
    """As Backend.name."""

    @classmethod  # noqa: B027 - most have nothing to check
    def check_settings(cls) -> None:
        """Raise ConfigError for settings that can never work, like a misspelt address: who opens a topic gets it.

        Called on the thread of who opens the first topic over it, which must not wait: look at no network here.
        """

    def __init__(self, namespace: str) -> None:
        """Topics of other namespaces are others. An exception is logged, and tried again every second."""
        self.namespace = namespace

    @abstractmethod
    def open(self, port: Port) -> Link:
        """Begin to carry a topic, `port.topic`: from now on `port.deliver(packet)` for every packet of others.

        An exception is logged, and tried again every second; what is sent meanwhile waits in the ring.
        """

    def close(self) -> None:  # noqa: B027 - for those without a connection of their own
        """The process ends, or the connection is given up. All links were closed."""


class Link(ABC):
    """One topic of a Bridge. Packets are bytes, of any length; what is in them is HORUS's business."""

    @abstractmethod
    def send(self, packet: bytes) -> bool:
        """Give the packet to every other process that has the topic open.

        False: not now. It is tried again, and later ones wait in the ring. An exception drops the packet, which is
        counted and logged.
        """

    @abstractmethod
    def keep(self, slot: str, packet: bytes, seconds: float) -> bool:
        """As send, and to those who open the topic within so many seconds, in place of what was kept under that slot.

        `slot` is a word. HORUS keeps a topic's type, and the last message of a latched one, and repeats that in time.
        """

    def close(self) -> None:  # noqa: B027 - where nothing is to be undone
        """Carry the topic no more: no handle of this process uses it."""
