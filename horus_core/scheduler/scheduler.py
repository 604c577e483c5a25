"""The scheduler: nodes that tick at their rates, in order, on one thread (the BestEffort class)."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from horus_core import _native, names
from horus_core.control import flights, logs
from horus_core.errors import InvalidNameError, NodeError
from horus_core.nodes import options
from horus_core.nodes.node import Node
from horus_core.scheduler import attention, failure, hints, lifecycle
from horus_core.scheduler import clock as clocks
from horus_core.scheduler.entry import NEVER, Entry
from horus_core.scheduler.signals import CutShort, StopSignals
from horus_core.shm import cleaner, namespace, process

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from horus_core.abc import Clock

_NS = 1_000_000_000
_HINT_AFTER_NS = 2 * _NS
VARIABLE = "HORUS_NODE_NAME"
KEYWORDS = ("name", "tick_rate", "rt", "deterministic", "clock")
_MAX_NOTE = 14_000  # bytes; what one event of a record holds
_TROUBLE = frozenset({"failure", "miss", "ladder", "hung", "estop"})
_AS_ASKED = "as asked"
_T = TypeVar("_T")
_UNAVAILABLE = "This version runs all nodes in order on one thread."


class Scheduler:
    """Runs nodes on one thread: those that are due together in `order`, each at its own rate.

    `tick_rate` is the rate of nodes that were given none, and the most that any gets. Releases are absolute:
    late nodes skip some, which are counted, and never catch up in a burst.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        tick_rate: float | None = None,
        rt: bool = False,
        deterministic: bool = False,
        clock: Clock | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise options.unknown("Scheduler", unknown, KEYWORDS)
        options.refuse_unavailable(
            "Scheduler", {"rt": (rt, False), "deterministic": (deterministic, False)}, _UNAVAILABLE
        )
        self._name = _given_name(name)
        self.clock = clock if clock is not None else clocks.MonotonicClock()
        self.record = flights.private()
        """The nodes' figures and what happened last: in shared memory while it runs."""
        self.watchdog: _native.Watchdog | None = None
        """There while a node runs that has one."""
        self.started_ns: int | None = None
        self._tick_rate = options.rate(tick_rate, "tick_rate") if tick_rate is not None else None
        self._on_machine_time = type(self.clock) is clocks.MonotonicClock
        self._lane = _native.Lane(None if self._on_machine_time else self.clock.now_ns)
        self._calling: Entry | None = None
        self._started: list[Entry] = []  # as started
        self._alarm = _native.Alarm()
        self._trouble = False
        self._stopping = False
        self._thread: int | None = None
        self._log = logs.logger("scheduler")

    @property
    def name(self) -> str:
        """As given, else HORUS_NODE_NAME, else that of its only node, else `scheduler-{pid}`."""
        if self._name is not None:
            return self._name
        return self._entries[0].node.name if len(self._entries) == 1 else f"scheduler-{os.getpid()}"

    # Nodes

    def add(self, node: Node) -> Scheduler:
        """Add a node; returns the scheduler, so that calls chain."""
        if not isinstance(node, Node):
            raise NodeError(f"Adding a node failed: expected a Node, got {node!r}. Pass nodes one by one.")
        if not hasattr(node, "_horus"):
            raise NodeError(
                f"Adding a node failed: expected a node that is ready, got a {type(node).__name__} whose "
                f"__init__ never called super().__init__(...). Call it first there."
            )
        if self._thread is not None or self._started:
            raise NodeError(
                f"Adding a node failed: expected an idle scheduler, got a running one (node={node.name!r})."
            )
        if self.has_node(node.name):
            raise NodeError(
                f"Adding a node failed: expected a new name, got a second {node.name!r}. Rename one."
            )
        self._lane.add(Entry(node, self._tick_rate))
        return self

    @property
    def _entries(self) -> tuple[Entry, ...]:
        """By order, then as added."""
        return self._lane.runs

    @property
    def current(self) -> Entry | None:
        """The node of which a callback is under way."""
        return self._calling or self._lane.current

    def has_node(self, name: str) -> bool:
        """Whether a node of that name was added."""
        return any(entry.node.name == name for entry in self._entries)

    def get_node_names(self) -> list[str]:
        """The names of all nodes, in the order in which they tick."""
        return [entry.node.name for entry in self._entries]

    def get_all_nodes(self) -> list[Node]:
        """All nodes, in the order in which they tick."""
        return [entry.node for entry in self._entries]

    def get_node_stats(self, name: str) -> dict[str, Any]:
        """Figures of a node, as JSON-ready values; from any thread, also while it runs."""
        for entry in self._entries:
            if entry.node.name == name:
                return {
                    "name": name,
                    "state": entry.info.state().value,
                    "class": entry.exec_class,
                    "rate": entry.rate,
                    "order": entry.node.order,
                    **entry.info.get_metrics(),
                    "missed_deadlines": entry.missed,
                    "skipped_releases": entry.skipped,
                    "restarts": entry.restarts,
                    "uptime": entry.info.get_uptime(),
                }
        raise NodeError(
            f"No node {name!r}: expected one of {', '.join(self.get_node_names()) or 'none'}, got {name!r}."
        )

    # Running

    def run(self, duration: float | None = None) -> None:
        """Start all nodes, tick them until stopped or for `duration` seconds, and shut them down.

        Raises what init() or a tick of a node with the policy `fatal` raised, after all nodes were shut down.
        """
        duration = options.duration(duration)
        self._occupy()
        slack_ns = _native.set_timer_slack(1)
        try:
            with StopSignals(self._alarm, self.request_stop, self._in_callback):
                self._clean()
                why = _AS_ASKED
                try:
                    self._start_all()
                    self._tick_until(duration)
                except CutShort:
                    self._log.warning("a callback was cut short by a second signal")
                except BaseException as error:
                    why = f"by {type(error).__name__}: {error}"
                    raise
                finally:
                    self._stop_all(why)
                    self._clean(namespace.current())
        finally:
            _native.set_timer_slack(slack_ns)
            self._release()

    def tick_once(self) -> None:
        """Tick every node once, now, in order; starts them if need be. stop() shuts them down."""
        self._occupy()
        try:
            if not self._started:
                self._start_all()
                self._begin_ticking()
            self._tick_all(self.clock.now_ns())
        except BaseException as error:
            self._stop_all(f"by {type(error).__name__}: {error}")
            raise
        finally:
            self._release()

    def request_stop(self) -> None:
        """End the run: current ticks finish, then all nodes shut down. From any thread; returns at once."""
        self._stopping = True
        self._alarm.ring()

    def stop(self) -> None:
        """End the run, or shut down the nodes that tick_once() started."""
        if self._thread is None and self._started:
            self._stop_all()
        elif self._thread is not None:
            self.request_stop()

    def is_running(self) -> bool:
        """Whether run() or tick_once() is under way."""
        return self._thread is not None

    def is_stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stopping

    def any_live(self) -> bool:
        """Whether any node still ticks."""
        return any(entry.live for entry in self._started)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def note(self, kind: str, text: str = "", entry: Entry | None = None, detail: int = 0) -> None:
        """Put what happened into the record (the kinds: enum horus_event_kind). Of long texts the end is kept."""
        self._trouble = self._trouble or kind in _TROUBLE
        row = -1 if entry is None else entry.row
        self.record.flight.event(kind, text.encode("utf-8", "backslashreplace")[-_MAX_NOTE:], row, detail)

    # The loop

    def _tick_until(self, duration: float | None) -> None:
        start_ns = self._begin_ticking()
        if duration == 0:
            if not self._stopping:
                self._tick_all(start_ns)
            return
        end_ns = NEVER if duration is None else start_ns + int(duration * _NS)
        hint_ns, look_ns = start_ns + _HINT_AFTER_NS, start_ns + _NS
        while not self._stopping:
            now_ns = self._go_on(min(end_ns, hint_ns, look_ns))
            if now_ns >= end_ns:
                break
            if now_ns >= hint_ns:
                hints.unheard_topics(self._started)
                hint_ns = NEVER
            if now_ns >= look_ns:
                process.notice_loss()
                self.record.touch()
                look_ns = now_ns + _NS

    def _go_on(self, until_ns: int) -> int:
        """Tick until that time or a stop; the time."""
        if self._on_machine_time:
            return self._go_on_natively(until_ns)
        now_of, lane = self.clock.now_ns, self._lane
        while not self._stopping:
            now_ns = now_of()
            if now_ns >= until_ns:
                return now_ns
            self._pass(now_ns)
            wake_ns = min(lane.next_ns, until_ns)
            if wake_ns > now_of():
                self.clock.sleep_until(wake_ns, self._alarm)
        return now_of()

    def _go_on_natively(self, until_ns: int) -> int:
        lane, alarm = self._lane, self._alarm
        while True:
            try:
                reason = lane.run(alarm, until_ns)
            except BaseException as error:
                if self._ends_run(error):
                    raise
                continue
            if reason >= _native.LANE_MISSED:
                self._attend(reason)
            elif reason == _native.LANE_TIME_UP or self._stopping:
                return self.clock.now_ns()
            else:  # rung by a signal whose handler in Python is still to come, and rings again
                alarm.reset()
                if self.is_stopping():  # by another thread, between the two
                    return self.clock.now_ns()

    def _pass(self, now_ns: int) -> None:
        """Tick the nodes that are due, in order."""
        lane = self._lane
        while True:
            try:
                reason = lane.run_due(now_ns)
            except BaseException as error:
                if self._ends_run(error):
                    raise
                continue
            if reason == _native.LANE_DONE:
                return
            self._attend(reason)

    def _ends_run(self, error: BaseException) -> bool:
        entry = self._lane.subject
        return entry is None or self._on_behalf(entry, failure.ends_run, error)

    def _attend(self, reason: int) -> None:
        entry = self._lane.subject
        assert entry is not None
        self._on_behalf(entry, attention.attend, reason)

    def _on_behalf(self, entry: Entry, deal: Callable[[Scheduler, Entry, Any], _T], what: object) -> _T:
        """Call what deals with a tick's outcome; callbacks that it calls have their node as the current one."""
        self._calling = entry
        try:
            return deal(self, entry, what)
        finally:
            self._calling = None

    def _tick_all(self, now_ns: int) -> None:
        for entry in self._entries:
            if entry.live:
                entry.next_ns = now_ns
        self._pass(now_ns)

    def _begin_ticking(self) -> int:
        self._lane.drop_pass()
        start_ns = self.started_ns = self.clock.now_ns()
        for entry in self._started:
            entry.plan(start_ns)
        return start_ns

    # Starting and stopping

    def _start_all(self) -> None:
        self.started_ns = None
        self._trouble = False
        if self._entries:
            self.record = flights.create(self.name, len(self._entries))
        self.note("start", f"{len(self._entries)} nodes: {', '.join(self.get_node_names())}")
        for entry in self._entries:
            if self._stopping:
                break
            self._calling = entry
            entry.attach(self)
            try:
                lifecycle.start(entry)
            except BaseException as error:
                self.note("failure", f"starting failed: {type(error).__name__}: {error}", entry)
                entry.attach(None)
                raise
            self._started.append(entry)
        self._calling = None
        if any(entry.watchdog_ns for entry in self._started):
            self.watchdog = _native.Watchdog(self.record.flight)

    def _stop_all(self, why: str = _AS_ASKED) -> None:
        while self._started:
            entry = self._started.pop()
            self._calling = entry
            if entry.live:  # an isolated node has shut down already
                lifecycle.stop(entry)
            self._trouble = self._trouble or entry.had_trouble()
            entry.attach(None)
        self._calling = None
        if self.watchdog is not None:
            self.watchdog.stop()
            self.watchdog = None
        self.note("stop", why)
        # A run without trouble leaves nothing behind: nobody would look for it, and memory is dear.
        self.record.end(keep=self._trouble or why != _AS_ASKED)

    def _occupy(self) -> None:
        if self._thread is not None:
            raise NodeError("Running a scheduler failed: expected an idle one, got one that runs already.")
        clocks.enter(self, lambda: self.current)
        self._thread = threading.get_ident()

    def _release(self) -> None:
        self._thread = None
        self._stopping = False
        self._alarm.reset()
        clocks.leave()

    def _clean(self, *only: str) -> None:
        """Remove what nobody living uses, but never under the feet of a second run."""
        if clocks.alone():
            cleaner.clean_quietly(only or None)

    def _in_callback(self) -> bool:
        return self.current is not None and self.current.node.info is not None


def _given_name(name: str | None) -> str | None:
    """What the scheduler is called by its maker, or by who started the process."""
    if name is not None:
        return names.node_name(name)
    told = os.environ.get(VARIABLE)
    try:
        return names.node_name(told) if told else None
    except InvalidNameError as error:
        raise InvalidNameError(f"{VARIABLE} is set, but cannot be used. {error}") from None
