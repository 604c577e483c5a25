"""The process of one node with compute="process": it calls the node's callbacks when it is told to.

Started as `python -m horus_plugins.execution.worker_main FD PARENT NODE`. FD is one end of a connection: first come
sys.path with the script, if it is needed, and the Plan, then (kind, arguments, Here) for each call, each answered
by an Answer.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.backends import registry as backends
from horus_core.control import estop, logs
from horus_core.nodes import importable, placement
from horus_core.nodes.info import NodeInfo
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.params import reach
from horus_core.scheduler import clock
from horus_core.scheduler.entry import Entry
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from horus_core.nodes.importable import Reference
    from horus_core.nodes.spec import Pub, Sub

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Plan:
    """What the worker makes its node from."""

    name: str
    callbacks: dict[str, Reference]
    pubs: list[Pub]
    subs: list[Sub]
    rate: float
    capacity: int | None
    order: int
    topics: dict[str, str]
    seed: int | None


@dataclass(frozen=True)
class Here:
    """What the scheduler's process knows of the node, and the worker does not."""

    state: NodeState
    budget_ns: int


@dataclass(frozen=True)
class Answer:
    """What became of a call."""

    error: BaseException | None = None
    traceback: str = ""
    stop: bool = False
    """Whether the run is to end."""
    in_error: bool | None = None
    """Whether the node said that it is in the ERROR state, or no more; None: neither."""


class FarInfo(NodeInfo):
    """The node's view of itself, which remembers what the scheduler's process is to be told."""

    __slots__ = ("in_error",)

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.in_error: bool | None = None

    def transition_to_error(self, message: str) -> None:
        """Enter the ERROR state, here and there."""
        super().transition_to_error(message)
        self.in_error = True

    def clear_error(self) -> None:
        """Leave it, here and there."""
        super().clear_error()
        self.in_error = False


class Remote(Scheduler):
    """What the node takes for its scheduler, which is in the other process."""

    stop_asked = False
    _started_ns: int | None = None

    def request_stop(self) -> None:
        """Told with the answer to the call under way."""
        self.stop_asked = True

    def emergency_stop(self, reason: str, source: str = "") -> None:
        """Publish the order at once, in the middle of the tick: the scheduler hears it like everybody."""
        topic = estop.open_topic(source)
        try:
            topic.send(estop.order_to_stop(reason, source))
        finally:
            topic.close()

    @property
    def started_ns(self) -> int | None:
        """When its first tick began."""
        return self._started_ns


class Worker:
    """The node, and how it is called."""

    def __init__(self, plan: Plan) -> None:
        found: dict[str, Any] = {kind: place.find() for kind, place in plan.callbacks.items()}
        self._node = Node(
            plan.name,
            pubs=plan.pubs,
            subs=plan.subs,
            rate=plan.rate,
            capacity=plan.capacity,
            order=plan.order,
            **found,
        )
        placement.rename(self._node, plan.name)  # the whole name, as are those of its topics
        placement.place(self._node, topics={f"/{old}": f"/{new}" for old, new in plan.topics.items()})
        if backends.shows_runs():  # though it may have no topic by which it joins the namespace
            logs.show_in(namespace.current())
        self._info = self._node._horus.info = FarInfo(self._node)  # noqa: SLF001 - before anybody takes hold of it
        self._scheduler = Remote(seed=plan.seed)
        self._entry = Entry(self._node, None)
        self._entry.attach(self._scheduler)
        self._entry.on_demand = 1
        self._loop = Loop(self._scheduler, _native.Alarm())
        clock.enter(self._loop)
        self._entry.wiring.open_declared()

    def call(self, kind: str, arguments: tuple[Any, ...], here: Here) -> Answer:
        """Call a callback."""
        error, text = None, ""
        self._follow(here)
        try:
            self._loop.on_behalf(self._entry, self._call, kind, arguments)
        except BaseException as raised:  # noqa: BLE001 - it is raised in the other process
            error, text = raised, "".join(traceback.format_exception(raised))
        stop, self._scheduler.stop_asked = self._scheduler.stop_asked, False
        in_error, self._info.in_error = self._info.in_error, None
        return Answer(error, text, stop, in_error)

    def _follow(self, here: Here) -> None:
        entry = self._entry
        if here.budget_ns != entry.config.budget_ns:
            entry.config = entry.config.but(budget_ns=here.budget_ns)
        if here.state is not self._info.state():
            entry.enter(here.state)

    def _call(self, kind: str, arguments: tuple[Any, ...]) -> None:
        entry = self._entry
        if kind == "tick":
            now_ns = clock.now_ns()
            if self._scheduler._started_ns is None:  # noqa: SLF001 - its own kind
                self._scheduler._started_ns = now_ns  # noqa: SLF001
            entry.next_ns = now_ns
            entry.begin(now_ns)
            entry.tick()
            return
        callback = getattr(entry.callbacks, kind)
        if kind == "init":
            entry.enter(NodeState.INITIALIZING)
        if callback is not None:
            entry.run(callback, *arguments)

    def close(self) -> None:
        """Leave the topics."""
        self._entry.wiring.close()


def _die_with(parent: int) -> None:
    """Be killed when the parent's process has ended, whatever this one is doing."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _end(_number: int, _frame: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _send(connection: Connection, answer: Answer) -> None:
    try:
        connection.send(answer)
    except Exception:  # noqa: BLE001 - an exception may hold what cannot be sent
        error = RuntimeError(f"{type(answer.error).__name__}: {answer.error}")
        connection.send(replace(answer, error=error))


def main() -> None:
    """Serve the other end until it closes."""
    from multiprocessing.connection import Connection  # noqa: PLC0415 - only here

    _die_with(int(sys.argv[2]))
    reach.here.node = sys.argv[3]  # before the user's code asks for parameters
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group: the parent decides
    signal.signal(signal.SIGTERM, _end)
    connection = Connection(int(sys.argv[1]))
    try:
        path, main_script = connection.recv()
        sys.path[:] = path
        if main_script is not None:
            importable.load_main(main_script)
        worker = Worker(connection.recv())
    except Exception as error:  # noqa: BLE001 - told to the parent
        _send(connection, Answer(error, "".join(traceback.format_exception(error))))
        return
    _send(connection, Answer())
    try:
        while True:
            _send(connection, worker.call(*connection.recv()))
    except EOFError:
        worker.close()
