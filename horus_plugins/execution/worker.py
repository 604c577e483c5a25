"""The process of one node with compute="process": it calls the node's callbacks when it is told to.

Started as `python -m horus_plugins.execution.worker_main FD PARENT`. FD is one end of a connection: first come
sys.path with the script, if it is needed, and the Plan, then (kind, arguments) for each call, each answered by
(error or None, its traceback, whether to stop the run).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.control import estop
from horus_core.nodes import importable, placement
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.scheduler import clock
from horus_core.scheduler.entry import Entry
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.scheduler import Scheduler

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
        placement.place(self._node, topics=plan.topics)
        self._scheduler = Remote()
        self._entry = Entry(self._node, None)
        self._entry.attach(self._scheduler)
        self._entry.on_demand = 1
        self._loop = Loop(self._scheduler, _native.Alarm())
        clock.enter(self._loop)
        self._entry.wiring.open_declared()

    def call(self, kind: str, arguments: tuple[Any, ...]) -> tuple[BaseException | None, str, bool]:
        """Call a callback: what it raised, with the traceback as text, and whether it asks for the end."""
        error, text = None, ""
        try:
            self._loop.on_behalf(self._entry, self._call, kind, arguments)
        except BaseException as raised:  # noqa: BLE001 - it is raised in the other process
            error, text = raised, "".join(traceback.format_exception(raised))
        stop, self._scheduler.stop_asked = self._scheduler.stop_asked, False
        return error, text, stop

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
        if kind == "init":
            entry.enter(NodeState.RUNNING)

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


def _answer(connection: Connection, error: BaseException | None, text: str, stop: bool) -> None:
    try:
        connection.send((error, text, stop))
    except Exception:  # noqa: BLE001 - an exception may hold what cannot be sent
        connection.send((RuntimeError(f"{type(error).__name__}: {error}"), text, stop))


def main() -> None:
    """Serve the other end until it closes."""
    from multiprocessing.connection import Connection  # noqa: PLC0415 - only here

    _die_with(int(sys.argv[2]))
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
        _answer(connection, error, "".join(traceback.format_exception(error)), stop=False)
        return
    _answer(connection, None, "", stop=False)
    try:
        while True:
            _answer(connection, *worker.call(*connection.recv()))
    except EOFError:
        worker.close()
