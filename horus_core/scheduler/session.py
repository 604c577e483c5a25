"""One run of a scheduler: from the first init() to the last shutdown()."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.control import logs
from horus_core.execution import registry
from horus_core.scheduler import clock as clocks
from horus_core.scheduler import hints, lifecycle
from horus_core.scheduler.entry import NEVER, Entry
from horus_core.scheduler.host import Host
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.signals import CutShort
from horus_core.shm import process

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import ExecutionClass
    from horus_core.scheduler.scheduler import Scheduler

_NS = 1_000_000_000
_HINT_AFTER_NS = 2 * _NS
_LOOK_EVERY_NS = _NS


class Session:
    """What is there only while a scheduler runs: its classes, its threads, the nodes that were started.

    Nodes are started, stopped, added and removed on one thread, the one that called run(); others ask it to by
    `ask()`.
    """

    def __init__(self, scheduler: Scheduler, *, by_hand: bool) -> None:
        """`by_hand`: all nodes tick on this thread, when tick_all() is called."""
        self._scheduler = scheduler
        self.by_hand = by_hand
        self.alarm = _native.Alarm()
        self.loop = Loop(scheduler, self.alarm)
        self._host = Host(scheduler, self.loop)
        self._classes: dict[type[ExecutionClass], ExecutionClass] = {}
        self._chores: deque[Chore] = deque()
        self.thread = threading.get_ident()
        self.started: list[Entry] = []  # as started
        self._ticking: set[Entry] = set()
        self.watchdog: _native.Watchdog | None = None
        self.started_ns: int | None = None
        self.failure: BaseException | None = None
        self.waits = False
        """Whether this thread waits for a tick on another one to end."""
        self._log = logs.logger("scheduler")

    # Starting

    def start_all(self, entries: list[Entry]) -> None:
        """Call init() of every node, in order; then all of them may tick."""
        for entry in entries:
            self._class_of(entry).check(entry)
        for entry in entries:
            if self.alarm.rung:
                break
            self._initialise(entry)
        self.started_ns = self._scheduler.clock.now_ns()
        for entry in self.started:
            self._begin(entry, self.started_ns)

    def start(self, entry: Entry) -> None:
        """Take in one more node while the others tick."""
        self._class_of(entry).check(entry)
        self._initialise(entry)
        self._begin(entry, self._scheduler.clock.now_ns())

    def _initialise(self, entry: Entry) -> None:
        entry.attach(self._scheduler)
        self.loop.on_behalf(entry, lifecycle.tell, "horus_node_added", entry)
        try:
            self.loop.on_behalf(entry, lifecycle.start, entry)
        except BaseException as error:
            if isinstance(error, Exception):
                self.loop.on_behalf(entry, partial(lifecycle.tell, "horus_node_failed", entry, error=error))
            self._scheduler.note("failure", f"starting failed: {type(error).__name__}: {error}", entry)
            entry.attach(None)
            raise
        self.started.append(entry)

    def _begin(self, entry: Entry, now_ns: int) -> None:
        entry.plan(now_ns)
        self._ticking.add(entry)
        if entry.watchdog_ns and self.watchdog is None:
            self.watchdog = _native.Watchdog(self._scheduler.record.flight)
        if self.by_hand:
            self.loop.lane.add(entry)
        else:
            self._class_of(entry).add(entry)

    def _class_of(self, entry: Entry) -> ExecutionClass:
        cls = registry.choose(entry.node)
        entry.exec_class = cls.name
        found = self._classes.get(cls)
        if found is None:
            found = self._classes[cls] = cls(self._host)
        return found

    # Running

    def serve(self, duration: float | None) -> None:
        """Tick this thread's nodes, and do what others ask for, until stopped or for `duration` seconds."""
        start_ns = self.started_ns or self._scheduler.clock.now_ns()
        end_ns = NEVER if duration is None else start_ns + int(duration * _NS)
        hint_ns, look_ns = start_ns + _HINT_AFTER_NS, start_ns + _LOOK_EVERY_NS
        while not self._scheduler.is_stopping():
            now_ns = self.loop.run_until(min(end_ns, hint_ns, look_ns))
            self._do_chores()
            if now_ns >= end_ns or not self.any_live():
                break
            if now_ns >= hint_ns:
                hints.unheard_topics(list(self.started))
                hint_ns = NEVER
            if now_ns >= look_ns:
                process.notice_loss()
                self._scheduler.record.touch()
                look_ns = now_ns + _LOOK_EVERY_NS

    def tick_all(self) -> None:
        """Tick every node once, now, in order, on this thread."""
        now_ns = self._scheduler.clock.now_ns()
        self.loop.lane.drop_pass()
        for entry in self.started:
            if entry.live:
                entry.next_ns = now_ns
        self.loop.run_due(now_ns)

    def any_live(self) -> bool:
        """Whether any node still ticks."""
        return any(entry.live for entry in self.started)

    def raise_failure(self) -> None:
        """Raise what ended the run on another thread."""
        if self.failure is not None:
            raise self.failure

    def ask(self, what: Callable[[], Any]) -> Any:
        """Have something done on the session's thread, between two ticks there; its result.

        From inside a callback nothing is waited for, and the result is None: the thread may be waiting for that
        very callback.
        """
        if threading.get_ident() == self.thread and self.loop.current is None:
            return what()
        chore = Chore(what)
        self._chores.append(chore)
        self.alarm.ring()
        return None if clocks.here() is not None else chore.result()

    def _do_chores(self) -> None:
        """The alarm rings for a stop, too: it stays as it is then."""
        if not self._scheduler.is_stopping():
            self.alarm.reset()
        while self._chores:
            self._chores.popleft().do()
        if self._scheduler.is_stopping():
            self.alarm.ring()

    # Stopping

    def stop_all(self) -> None:
        """Let current ticks end, then shut down all nodes, last started first."""
        for cls in self._classes.values():
            cls.halt()
        while self.started:
            self.stop(self.started[-1])
        for cls in self._classes.values():
            cls.close()
        if self.watchdog is not None:
            self.watchdog.stop()
            self.watchdog = None
        while self._chores:
            self._chores.popleft().do()

    def stop(self, entry: Entry) -> None:
        """Shut down one node."""
        self.started.remove(entry)
        self.loop.on_behalf(entry, self._take_out, entry)
        if entry.live:  # an isolated node has shut down already
            self.loop.on_behalf(entry, lifecycle.stop, entry)
        self._scheduler.trouble |= entry.had_trouble()
        entry.attach(None)

    def _take_out(self, entry: Entry) -> None:
        if entry not in self._ticking:  # another node's init() failed before this one began to tick
            return
        self._ticking.remove(entry)
        if self.by_hand:
            self.loop.lane.remove(entry)
            return
        self.waits = True
        try:
            self._class_of(entry).remove(entry)
        except CutShort:
            entry.journal.warning("its tick does not end; a second signal cut the waiting short")
        finally:
            self.waits = False

    def changed(self, entry: Entry) -> None:
        """The node's next release was moved. From any thread."""
        if self.by_hand:
            self.loop.lane.nudge()
        elif entry in self._ticking:
            self._class_of(entry).changed(entry)


class Chore:
    """Something to be done on another thread, and what came of it."""

    def __init__(self, what: Callable[[], Any]) -> None:
        self._what = what
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do it; what it raises is raised by result()."""
        try:
            self._result = self._what()
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            self._error = error
        finally:
            self._done.set()

    def result(self) -> Any:
        """Wait until it is done."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result
