"""One run of a scheduler: from the first init() to the last shutdown()."""

from __future__ import annotations

import importlib
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.errors import ConfigError, NodeError
from horus_core.execution import registry
from horus_core.scheduler import demands, hints, lifecycle, patience
from horus_core.scheduler.chores import Chores
from horus_core.scheduler.entry import NEVER, Entry
from horus_core.scheduler.host import Host
from horus_core.scheduler.left_behind import LeftBehind
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.patience import StillTicking
from horus_core.scheduler.safety import Safety
from horus_core.scheduler.service import Service
from horus_core.scheduler.simulated import Deterministic
from horus_core.shm import upkeep

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import ExecutionClass
    from horus_core.scheduler.scheduler import Scheduler

_NS = 1_000_000_000
_HINT_AFTER_NS = 2 * _NS
_LOOK_EVERY_NS = _NS
_UNHURRIED_HZ = 50


class Session:
    """What is there only while a scheduler runs: its classes, its threads, the nodes that were started.

    Nodes are started, stopped, added and removed on one thread, the one that called run(); others ask it to by
    `ask()`.
    """

    def __init__(self, scheduler: Scheduler, *, by_hand: bool) -> None:
        """`by_hand`: all nodes tick on this thread, when tick_all() is called."""
        self._scheduler = scheduler
        self.by_hand = by_hand
        self._one_lane = by_hand and not scheduler.deterministic  # whose class does that by itself
        self.alarm = _native.Alarm()
        self.loop = Loop(scheduler, self.alarm)
        self._host = Host(scheduler, self.loop)
        self._classes: dict[type[ExecutionClass], ExecutionClass] = {}
        self._class_of: dict[Entry, ExecutionClass] = {}
        self._chores = Chores(self.loop)
        self._over = False
        self.thread = threading.get_ident()
        self.started: list[Entry] = []  # as started
        self._ticking: set[Entry] = set()
        self._left_behind: dict[Entry, LeftBehind] = {}
        self._shut_down_by_s = 0.0  # one patience for all that were left behind; 0: not begun
        self.safety = Safety(scheduler, self)
        self.service = Service(scheduler, self)
        self.started_ns: int | None = None
        self.failure: BaseException | None = None
        self._hint_ns = 0  # 0: nothing was served yet
        self._waits = False  # for a tick on another thread to end

    # Starting

    def start_all(self, entries: list[Entry], duration: float | None = None) -> None:
        """Call init() of every node, in order; then all of them may tick, for `duration` seconds."""
        for entry in entries:
            self._choose_class(entry)
        self.safety.start()
        for entry in entries:
            if self._scheduler.is_stopping():  # the alarm also rings for what another thread asks
                break
            self._initialise(entry)
        self.started_ns = self._scheduler.clock.now_ns()
        if duration is not None:
            self._host.end_ns = self.started_ns + round(duration * _NS)
        for entry in self.started:
            self._begin(entry, self.started_ns)
        if not self._scheduler.is_stopping():
            self.service.ready()

    def start(self, entry: Entry) -> None:
        """Take in one more node while the others tick; where these end, it waits for the next run."""
        if self._over or self._scheduler.is_stopping() or entry in self.started:
            return
        self._choose_class(entry)
        self._initialise(entry)
        self._begin(entry, self._scheduler.clock.now_ns())

    def _initialise(self, entry: Entry) -> None:
        entry.attach(self._scheduler)
        entry.forget()
        self.loop.on_behalf(entry, lifecycle.tell, "horus_node_added", entry)
        try:
            self.loop.on_behalf(entry, lifecycle.start, entry)
        except BaseException as error:
            if isinstance(error, Exception):
                self.loop.on_behalf(entry, partial(lifecycle.tell, "horus_node_failed", entry, error=error))
            self._scheduler.report.note("failure", f"starting failed: {type(error).__name__}: {error}", entry)
            entry.attach(None, removed=True)
            raise
        self.started.append(entry)

    def _begin(self, entry: Entry, now_ns: int) -> None:
        entry.plan(now_ns)
        self._ticking.add(entry)
        self.safety.admit(entry)
        if self._one_lane:
            self.loop.lane.add(entry)
        else:
            self._class_of[entry].add(entry)

    def _choose_class(self, entry: Entry) -> None:
        """Once a run: what the node asks for may change meanwhile, where it ticks does not."""
        if entry.left_behind:
            raise NodeError(
                f"Starting node {entry.node.name!r} failed: expected its last tick to have ended, got one that was "
                f"left behind when its run stopped (node={entry.node.name!r}). Find out what that tick waits for."
            )
        deterministic = self._scheduler.deterministic
        cls = Deterministic if deterministic else registry.choose(entry.node.name, entry.config)
        if self._scheduler.clock.moved_by_sleepers and not (cls.on_main_loop or self._one_lane):
            raise ConfigError(
                f"Starting node {entry.node.name!r} failed: expected one that ticks on the thread of run(), as the "
                f"clock is moved by who sleeps on it, got one of class {cls.name!r}. Use "
                f"Scheduler(deterministic=True), or move the clock from outside."
            )
        entry.exec_class = cls.name
        if not cls.on_main_loop or entry.deadline_ns or entry.watchdog_ns or entry.rate > _UNHURRIED_HZ:
            # What encodes dicts takes longer to import than a tick may that keeps time: not at its first message.
            importlib.import_module("horus_core.messages.codec")
        found = self._classes.get(cls)
        if found is None:
            found = self._classes[cls] = cls(self._host)
        found.check(entry)
        demands.check(self._host, entry, cls)
        self._class_of[entry] = found

    # Running

    def serve(self, end_ns: int | None = None) -> None:
        """Tick this thread's nodes, and do what others ask for, until stopped or until `end_ns` (the run's end)."""
        end_ns = self._host.end_ns if end_ns is None else end_ns
        now_ns = self._scheduler.clock.now_ns()
        hint_ns, look_ns = self._hint_ns or now_ns + _HINT_AFTER_NS, now_ns + _LOOK_EVERY_NS
        self._hint_ns = hint_ns
        while not self._scheduler.is_stopping():
            now_ns = self.loop.run_until(min(end_ns, hint_ns, look_ns, self.service.next_ns))
            self._do_chores()
            if now_ns >= self.service.next_ns:
                self.service.look()
            if now_ns >= end_ns or not self.any_live():
                break
            if now_ns >= hint_ns:
                hints.unheard_topics(list(self.started))
                hint_ns = self._hint_ns = NEVER
            if now_ns >= look_ns:
                upkeep.look()
                self._scheduler.report.record.touch()
                look_ns = now_ns + _LOOK_EVERY_NS

    def tick_all(self) -> None:
        """Tick every node once, now, in order, on this thread."""
        now_ns = self._scheduler.clock.now_ns()
        self.loop.lane.drop_pass()
        ticking = {}
        for entry in self.started:
            if entry.live and not entry.holds and not self._waits_for_topic(entry):
                entry.rest_until(now_ns)
                ticking[entry] = entry.index
                entry.next_ns = now_ns
        self.loop.run_due(now_ns)
        if self.safety.engaged is not None:  # by one of these ticks, maybe
            self.loop.run_due(self._scheduler.clock.now_ns())
        # Back on their grids, unless a failure policy has moved them: a tick moves a node by one release.
        for entry in [entry for entry, index in ticking.items() if entry.index != index + 1]:
            del ticking[entry]
        for entry in ticking:
            entry.rest_until(now_ns + 1)
        if ticking and self._scheduler.deterministic:
            fastest = max(ticking, key=lambda entry: entry.rate)
            self._scheduler.clock.sleep_until(fastest.next_ns, self.alarm)

    def resume(self) -> None:
        """Between two steps nobody ticked: what would have been released meanwhile makes no tick late."""
        now_ns = self._scheduler.clock.now_ns()
        for entry in self.started:
            if not entry.holds and entry.next_ns < now_ns:
                entry.rest_until(now_ns)

    def _waits_for_topic(self, entry: Entry) -> bool:
        return self._scheduler.deterministic and bool(entry.config.on)

    def any_live(self) -> bool:
        """Whether any node still ticks."""
        return any(entry.live for entry in self.started)

    def in_callback(self) -> bool:
        """Whether this thread is in a callback of a node, or waits for one on another thread."""
        entry = self.loop.current
        return entry is not None and (entry.node.info is not None or self._waits)

    def raise_failure(self) -> None:
        """Raise what ended the run on another thread."""
        if self.failure is not None:
            raise self.failure

    def ask(self, what: Callable[[], Any], *, later: bool = False) -> None:
        """Have something done on the session's thread (Chores.ask)."""
        self._chores.ask(what, later=later)

    def step(self, deal: Callable[[Session], None]) -> None:
        """Have it tick by hand: what was asked for before is done first, what its callbacks ask for at the end."""
        self._do_chores(self._chores.go_on)
        deal(self)
        self._do_chores(self._chores.rest)
        self.service.look()

    def _do_chores(self, do: Callable[[], None] | None = None) -> None:
        """The alarm rings for a stop, too: it stays as it is then."""
        if not self._scheduler.is_stopping():
            self.alarm.reset()
        (do or self._chores.do)()
        if self._scheduler.is_stopping():
            self.alarm.ring()

    # Stopping

    def stop_all(self) -> None:
        """Let current ticks end, then shut down all nodes, last started first."""
        self.service.stopping()
        try:
            self._end()
        finally:
            self._over = True
            self._chores.end()

    def _end(self) -> None:
        self.ring()
        for cls in self._classes.values():
            cls.halt()
        for entry in reversed(self.started):
            self.loop.on_behalf(entry, self._take_out, entry)
        self._shut_down_by_s = 0.0
        while self.started:
            self._stop(self.started[-1])
        for cls in self._classes.values():
            cls.close()
        self.safety.end()

    def ring(self) -> None:
        """Let no tick begin any more. From any thread, and from a signal's handler."""
        self._host.ring()

    def stop(self, entry: Entry) -> None:
        """Shut down one node, while others go on."""
        self._shut_down_by_s = 0.0
        self._stop(entry, removed=True)

    def _stop(self, entry: Entry, *, removed: bool = False) -> None:
        self.started.remove(entry)
        self.loop.on_behalf(entry, self._take_out, entry)
        left = self._left_behind.pop(entry, None)
        if left is not None:
            self.loop.on_behalf(entry, self._shut_down_beside_its_tick, left)
        elif entry.live:  # an isolated node has shut down already
            self.loop.on_behalf(entry, lifecycle.stop, entry)
        self._scheduler.report.trouble |= entry.had_trouble()
        self._class_of.pop(entry, None)
        entry.attach(None, removed=removed)
        if left is not None:
            left.watch()

    def _take_out(self, entry: Entry) -> None:
        if entry not in self._ticking:  # another node's init() failed before this one began to tick
            return
        self._ticking.remove(entry)
        if self._one_lane:
            self.loop.lane.remove(entry)
            return
        self._waits = True
        try:
            self._class_of[entry].remove(entry)
        except StillTicking as still:
            self._left_behind[entry] = LeftBehind(self._scheduler, entry, still, hurried=self._host.hurried)
        finally:
            self._waits = False

    def _shut_down_beside_its_tick(self, left: LeftBehind) -> None:
        self._shut_down_by_s = self._shut_down_by_s or time.monotonic() + patience.PATIENCE_S
        self._waits = True
        try:
            left.shut_down(self.alarm, self._shut_down_by_s)
        finally:
            self._waits = False

    def changed(self, entry: Entry) -> None:
        """The node's next release was moved. From any thread."""
        if self._one_lane:
            self.loop.lane.nudge()
        elif entry in self._ticking:
            self._class_of[entry].changed(entry)
