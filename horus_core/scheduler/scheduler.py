"""The scheduler: nodes that tick at their rates, each by its execution class, until they are stopped."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from horus_core import _native, names, prefix
from horus_core.errors import ConfigError, InvalidNameError, NodeError
from horus_core.nodes import config, options
from horus_core.scheduler import clock as clocks
from horus_core.scheduler import ladder as ladder_steps
from horus_core.scheduler.background import Background
from horus_core.scheduler.entry import Entry
from horus_core.scheduler.report import Report
from horus_core.scheduler.roster import Roster
from horus_core.scheduler.runs import Runs
from horus_core.scheduler.session import Session
from horus_core.scheduler.simulated import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from horus_core.abc import Clock
    from horus_core.nodes.node import Node
    from horus_core.nodes.policy import Ladder

_NS = 1_000_000_000
VARIABLE = "HORUS_NODE_NAME"
KEYWORDS = (
    "name",
    "tick_rate",
    "rt",
    "deterministic",
    "seed",
    "clock",
    "watchdog",
    "blackbox",
    "ladder",
)


class Scheduler:
    """Runs nodes: each at its own rate, by the execution class that its configuration asks for.

    `tick_rate` is the rate of nodes that were given none, and the most that any gets. Releases are absolute:
    late nodes skip some, which are counted, and never catch up in a burst. Nodes that ask for nothing special
    tick on the thread that calls run(), those that are due together in `order`. `rt` is that of all nodes that
    could have a thread of their own and say nothing of it themselves.

    With `deterministic` all nodes, of whatever class, tick on the calling thread in simulated time, as fast as they
    can: two runs see the same. `seed` is what horus.rng_float() draws from; None draws differently in each run.

    `blackbox=False` keeps figures and what happened last in private memory, where no other process sees them and
    nothing of them outlives this one.

    Nodes may be added, removed, paused and re-timed, and figures read, from any thread while it runs.
    """

    def __init__(
        self,
        *given: NoReturn,
        name: str | None = None,
        tick_rate: float | None = None,
        rt: bool | Literal["require"] = False,
        deterministic: bool = False,
        seed: int | None = 0,
        clock: Clock | None = None,
        watchdog: float | None = None,
        ladder: Ladder | None = config.DEFAULTS["ladder"],
        blackbox: bool = True,
        **unknown: Any,
    ) -> None:
        if given:
            raise ConfigError(
                f"Bad argument of Scheduler: expected keywords alone, got {given[0]!r}. A name is "
                f"Scheduler(name=...), nodes come by add()."
            )
        if unknown:
            raise options.unknown("Scheduler", unknown, KEYWORDS)
        if deterministic and clock is not None:
            raise ConfigError(
                f"Bad clock: expected none beside deterministic=True, which has one, got {clock!r}. Leave one out."
            )
        self._name = _given_name(name)
        self.deterministic = bool(deterministic)
        """Whether all nodes tick on one thread, in simulated time."""
        self.seed = options.seed(seed)
        self.clock = clock or (SimulatedClock() if deterministic else clocks.MonotonicClock())
        self.report = Report(self, shared=options.flag("blackbox", blackbox))
        """What happened, and what nodes got of what they asked for."""
        self.rt = config.parse_rt(rt)
        """As given: False, True or "require"."""
        self._watchdog_ns = config.watchdog_ns(watchdog)
        self._ladder = config.ladder(ladder)
        self._tick_rate = options.rate(tick_rate, "tick_rate") if tick_rate is not None else None
        self._roster = Roster()
        self._runs = Runs(self, self._roster)
        self._background = Background(self, self._runs)

    @property
    def name(self) -> str:
        """As given, else HORUS_NODE_NAME, else that of its only node, else `scheduler-{pid}`."""
        if self._name is not None:
            return self._name
        nodes = self._roster.names()
        return nodes[0] if len(nodes) == 1 else f"scheduler-{os.getpid()}"

    def __repr__(self) -> str:
        nodes = ", ".join(f"{entry.node.name}: {entry.exec_class or 'not started'}" for entry in self._roster)
        return f"<Scheduler {self.name} {{{nodes}}}>"

    # Nodes

    def add(self, node: Node) -> Scheduler:
        """Add a node, also while others tick; returns the scheduler, so that calls chain."""
        self._roster.check(node)
        entry = Entry(node, self._tick_rate, rt=self.rt)
        entry.guard_by(self._watchdog_ns, self._ladder)
        self._roster.add(entry)
        session = self._runs.session

        def take_in() -> None:
            if session is not None:
                try:
                    session.start(entry)
                except BaseException:
                    self._roster.remove(entry)
                    raise

        if session is not None:
            session.ask(take_in)
        return self

    def remove_node(self, name: str) -> None:
        """Take a node out; its current tick ends, then it shuts down. From inside a callback: soon after that."""
        entry, session = self._roster.find(name), self._runs.session

        def take_out() -> None:
            if session is not None and entry in session.started:
                session.stop(entry)
            self._roster.remove(entry)
            self.report.forget(entry)

        if session is None:
            take_out()
        else:
            session.ask(take_out)

    def has_node(self, name: str) -> bool:
        """Whether a node of that name was added."""
        return self._roster.has(name)

    def get_node_names(self) -> list[str]:
        """The names of all nodes, by order."""
        return self._roster.names()

    def get_all_nodes(self) -> list[Node]:
        """All nodes, by order."""
        return [entry.node for entry in self._roster]

    # Steering

    def pause(self, name: str | None = None) -> None:
        """Let a node (or all) tick no more until resume(), or the end of the run; its topics stay open.

        A node that is not started yet is initialised all the same; one that waits for its restart waits on.
        """
        for entry in self._roster.chosen(name):
            if entry.hold("pause"):
                self.tell(entry)

    def resume(self, name: str | None = None) -> None:
        """Let a paused node (or all of them) tick again, on its old grid; during an e-stop, after its release."""
        for entry in self._roster.chosen(name):
            if entry.let_go("pause", self.clock.now_ns()):
                self.tell(entry)

    def set_node_rate(self, name: str, rate: float) -> None:
        """Another rate in Hz, from now on; at most `tick_rate`. Raises NodeError for a node that messages wake."""
        entry = self._roster.find(name)
        rate = options.rate(rate)
        if entry.on_demand:
            raise NodeError(
                f"Setting the rate of node {name!r} failed: expected one that ticks by time, got one that messages "
                f"wake (on={', '.join(entry.config.on)}). Send fewer, or give it a rate instead of on=."
            )
        entry.nominal_rate = min(rate, self._tick_rate or rate)
        ladder_steps.apply_rate(self, entry)
        self.tell(entry)

    def set_tick_budget(self, name: str, budget: float | None) -> None:
        """Another budget in seconds (None: none) for ticks that begin from now on; a deadline of its own stays."""
        seconds, entry = options.short_time("budget", budget), self._roster.find(name)
        if entry.config.own_deadline:
            config.refuse_endless_budget(seconds, entry.config.deadline_ns / _NS)
        entry.set_budget(seconds)

    # Figures

    def get_node_stats(self, name: str) -> dict[str, Any]:
        """Figures of a node, as JSON-ready values; from any thread, also while it runs."""
        entry = self._roster.find(name)
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

    def current_tick(self) -> int:
        """How many ticks the node that has ticked most has behind it; 0 before the first."""
        return max((entry.ticks for entry in self._roster), default=0)

    def capabilities(self) -> dict[str, list[str]]:
        """What nodes asked the kernel for and got, by node: "SCHED_FIFO", "locked memory", "core"."""
        return self.report.capabilities()

    def safety_stats(self) -> dict[str, Any] | None:
        """Watchdog, misses, health of each node and e-stop, as JSON-ready values; None before the first run."""
        safety = self._runs.safety
        return None if safety is None else safety.stats(list(self._roster))

    def degradations(self) -> list[dict[str, str]]:
        """What nodes asked for and do not have: `node`, `asked`, `why`, `fix`."""
        return self.report.degradations()

    # Running

    def run(self, duration: float | None = None) -> None:
        """Start all nodes, tick them until stopped or for `duration` seconds, and shut them down.

        `duration=0` ticks each node once. Raises what init() or a tick of a node with the policy `fatal` raised,
        after all nodes were shut down.
        """
        self._runs.run(options.duration(duration))

    def start(self, duration: float | None = None) -> None:
        """Run in a thread of its own; join() waits for its end. Signals are left to the caller's thread.

        When it returns the run has begun: stop() ends it, and nodes may still be in their init().
        """
        self._background.start(options.duration(duration))

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of a run that start() began; False when it still runs. Raises what the run raised."""
        return self._background.join(timeout)

    def tick_once(self) -> None:
        """Tick every node once, now, in order, on this thread; starts them if need be. stop() shuts them down.

        Simulated time then goes on by a period of the fastest node.
        """
        self._runs.step(Session.tick_all)

    def tick_for(self, seconds: float) -> None:
        """Tick the nodes at their rates for so long, on this thread; starts them if need be. stop() shuts them down.

        It goes on where the last call ended. All nodes tick on this thread, whatever their class.
        """
        duration = options.duration(seconds)
        if duration is None:
            raise ConfigError("Bad time of tick_for(): expected seconds of at least 0, got None.")
        self._runs.step(lambda session: session.serve(self.clock.now_ns() + round(duration * _NS)))

    def request_stop(self) -> None:
        """End the run: current ticks finish, then all nodes shut down. From any thread; returns at once."""
        self._runs.request_stop()

    def leave_cleaning(self) -> None:
        """Somebody else cleans shared memory after this run."""
        self._runs.cleaned = True

    def stop(self) -> None:
        """End the run, or shut down the nodes that tick_once() started."""
        if self.is_running() and not self._runs.stop_by_hand():
            self._runs.request_stop()

    def emergency_stop(self, reason: str, source: str = "") -> None:
        """Stop the robot: every scheduler of the namespace enters its nodes' safe state. From any thread."""
        safety = self._runs.safety
        if safety is None:
            raise NodeError("emergency_stop() failed: expected a running scheduler, got an idle one.")
        safety.emergency_stop(reason, source or self.name)

    def is_running(self) -> bool:
        """Whether nodes are started, tick or shut down now."""
        return self._runs.session is not None

    def is_stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._runs.stopping

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        self._background.join()

    # For the parts of the scheduler and its classes

    @property
    def started_ns(self) -> int | None:
        """When the nodes of this run began to tick."""
        session = self._runs.session
        return None if session is None else session.started_ns

    @property
    def watchdog(self) -> _native.Watchdog | None:
        """What looks for ticks that do not end, where a node asked for it."""
        session = self._runs.session
        return None if session is None else session.safety.watchdog

    def any_live(self) -> bool:
        """Whether any node still ticks."""
        session = self._runs.session
        return session is not None and session.any_live()

    def later(self, what: Callable[[], Any]) -> None:
        """Have the run's own thread do something between two ticks: it costs the caller's no time."""
        session = self._runs.session
        if session is None or session.thread == threading.get_ident():
            what()
        else:
            session.ask(what, later=True)

    def fail(self, error: BaseException) -> None:
        """End the run, which then raises the error. From any thread."""
        self._runs.fail(error)

    def entry(self, name: str) -> Entry:
        """The node of that name, as it is run; raises NodeError when there is none."""
        return self._roster.find(name)

    def tell(self, entry: Entry) -> None:
        """Tell who ticks the node that its next release was moved. From any thread."""
        session = self._runs.session
        if session is not None:
            session.changed(entry)

    def busy_with(self) -> str:
        """What the thread is in the middle of that starts, stops and removes nodes; "" when it is free."""
        session = self._runs.session
        entry = None if session is None else session.loop.current
        if entry is None:
            return ""
        state, begun_ns = entry.info.state().value, entry.node._horus_started_ns  # noqa: SLF001
        what = f"a tick of node {entry.node.name!r}" if begun_ns else f"node {entry.node.name!r} ({state})"
        since = f", for {(_native.now_ns() - begun_ns) / _NS:.1f} s" if begun_ns else ""
        return f"its thread is busy with {what}{since}"

    def start_again(self, entry: Entry) -> None:
        """Start a node of this run that ticks no more, as when it is added; raises what its init() raises."""
        session = self._runs.session

        def anew() -> None:
            if session is not None:
                if entry in session.started:
                    session.stop(entry)
                session.start(entry)

        if session is not None:
            session.ask(anew)


def _given_name(name: str | None) -> str | None:
    """What the scheduler is called by its maker, or by who started the process."""
    if name is not None:
        return prefix.node(name)
    told = os.environ.get(VARIABLE)
    try:
        return names.node_name(told) if told else None
    except InvalidNameError as error:
        raise InvalidNameError(f"{VARIABLE} is set, but cannot be used. {error}") from None
