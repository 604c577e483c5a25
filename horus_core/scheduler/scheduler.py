"""The scheduler: nodes that tick at their rates, in order, on one thread (the BestEffort class)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from horus_core import _native, names
from horus_core.control import logs
from horus_core.errors import NodeError
from horus_core.nodes import options
from horus_core.nodes.node import Node
from horus_core.scheduler import clock as clocks
from horus_core.scheduler import failure, hints, lifecycle
from horus_core.scheduler.entry import NEVER, Entry
from horus_core.scheduler.signals import CutShort, StopSignals
from horus_core.shm import cleaner, namespace, upkeep

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from horus_core.abc import Clock

_NS = 1_000_000_000
_HINT_AFTER_NS = 2 * _NS
KEYWORDS = ("name", "tick_rate", "rt", "deterministic", "clock")
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
        self.name = names.node_name(name) if name is not None else None
        self.clock = clock if clock is not None else clocks.MonotonicClock()
        self.current: Entry | None = None
        self.started_ns: int | None = None
        self._tick_rate = options.rate(tick_rate, "tick_rate") if tick_rate is not None else None
        self._entries: list[Entry] = []  # by order, then as added
        self._started: list[Entry] = []  # as started
        self._alarm = _native.Alarm()
        self._stopping = False
        self._thread: int | None = None
        self._log = logs.logger("scheduler")

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
        self._entries.append(Entry(node, self._tick_rate))
        self._entries.sort(key=lambda entry: entry.node.order)
        return self

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
                    "rate": entry.rate,
                    "order": entry.node.order,
                    **entry.info.get_metrics(),
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
                try:
                    self._start_all()
                    self._tick_until(duration)
                except CutShort:
                    self._log.warning("a callback was cut short by a second signal")
                finally:
                    self._stop_all()
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
        except BaseException:
            self._stop_all()
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

    # The loop

    def _tick_until(self, duration: float | None) -> None:
        start_ns = self._begin_ticking()
        if duration == 0:
            if not self._stopping:
                self._tick_all(start_ns)
            return
        now_of, sleep_until, alarm = self.clock.now_ns, self.clock.sleep_until, self._alarm
        end_ns = NEVER if duration is None else start_ns + int(duration * _NS)
        hint_ns, look_ns = start_ns + _HINT_AFTER_NS, start_ns + _NS
        while not self._stopping:
            now_ns = now_of()
            if now_ns >= end_ns:
                break
            wake_ns = self._tick_due(now_ns, end_ns)
            if now_ns >= hint_ns:
                hints.unheard_topics(self._started)
                hint_ns = NEVER
            if now_ns >= look_ns:
                upkeep.look()
                look_ns = now_ns + _NS
            if wake_ns > now_of():
                sleep_until(min(wake_ns, hint_ns, look_ns), alarm)

    def _tick_due(self, now_ns: int, end_ns: int) -> int:
        """Tick the nodes that are due, in order; returns when the next one is."""
        wake_ns = end_ns
        for entry in self._entries:
            if entry.next_ns <= now_ns:
                entry.release(now_ns)
                self.current = entry
                try:
                    entry.run_tick(entry.call)
                except BaseException as error:
                    if failure.ends_run(self, entry, error):
                        raise
            if entry.next_ns < wake_ns:  # noqa: PLR1730 - min() is a call, here on every tick
                wake_ns = entry.next_ns
        self.current = None
        return wake_ns

    def _tick_all(self, now_ns: int) -> None:
        for entry in self._entries:
            if entry.live:
                entry.next_ns = now_ns
        self._tick_due(now_ns, NEVER)

    def _begin_ticking(self) -> int:
        start_ns = self.started_ns = self.clock.now_ns()
        for entry in self._started:
            entry.plan(start_ns)
        return start_ns

    # Starting and stopping

    def _start_all(self) -> None:
        self.started_ns = None
        for entry in self._entries:
            if self._stopping:
                break
            self.current = entry
            entry.attach(self)
            try:
                lifecycle.start(entry)
            except BaseException:
                entry.attach(None)
                raise
            self._started.append(entry)
        self.current = None

    def _stop_all(self) -> None:
        while self._started:
            entry = self._started.pop()
            self.current = entry
            if entry.live:  # an isolated node has shut down already
                lifecycle.stop(entry)
            entry.attach(None)
        self.current = None

    def _occupy(self) -> None:
        if self._thread is not None:
            raise NodeError("Running a scheduler failed: expected an idle one, got one that runs already.")
        clocks.enter(self)
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
