"""The scheduler: nodes that tick at their rates, each by its execution class, until they are stopped."""

from __future__ import annotations

import atexit
import bisect
import os
import threading
from typing import TYPE_CHECKING, Any, Literal

from horus_core import _native, names
from horus_core.control import flights, logs
from horus_core.errors import ConfigError, InvalidNameError, NodeError
from horus_core.nodes import config, importable, options
from horus_core.nodes.node import Node
from horus_core.nodes.state import NodeState
from horus_core.plugins import lifecycle as observers
from horus_core.scheduler import clock as clocks
from horus_core.scheduler import ladder as ladder_steps
from horus_core.scheduler.entry import Entry
from horus_core.scheduler.session import Session
from horus_core.scheduler.signals import CutShort, StopSignals
from horus_core.scheduler.simulated import SimulatedClock
from horus_core.shm import cleaner, namespace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from horus_core.abc import Clock
    from horus_core.nodes.policy import Ladder
    from horus_core.scheduler.safety import Safety

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
_MAX_NOTE = 14_000  # bytes; what one event of a record holds
_TROUBLE = frozenset({"failure", "miss", "ladder", "hung", "estop"})
_AS_ASKED = "as asked"
_MAY_PAUSE = (NodeState.RUNNING, NodeState.ERROR, NodeState.PAUSED, NodeState.HUNG)


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
        *,
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
        self.record = flights.private()
        """The nodes' figures and what happened last: in shared memory while it runs."""
        self.trouble = False
        """Whether anything happened in this run that somebody may want to read about afterwards."""
        self._blackbox = options.flag("blackbox", blackbox)
        self._rt = config.parse_rt(rt)
        self._watchdog_ns = config.watchdog_ns(watchdog)
        self._ladder = config.ladder(ladder)
        self._safety: Safety | None = None
        self._tick_rate = options.rate(tick_rate, "tick_rate") if tick_rate is not None else None
        self._entries: list[Entry] = []  # by order, then as added
        self._session: Session | None = None
        self._running = threading.Lock()
        self._stopping = False
        self._degradations: list[dict[str, str]] = []
        self._granted: dict[str, list[str]] = {}
        self._reports = threading.Lock()
        self._background: threading.Thread | None = None
        self._error: BaseException | None = None
        self._log = logs.logger("scheduler")

    @property
    def name(self) -> str:
        """As given, else HORUS_NODE_NAME, else that of its only node, else `scheduler-{pid}`."""
        if self._name is not None:
            return self._name
        return self._entries[0].node.name if len(self._entries) == 1 else f"scheduler-{os.getpid()}"

    def __repr__(self) -> str:
        nodes = ", ".join(
            f"{entry.node.name}: {entry.exec_class or 'not started'}" for entry in self._entries
        )
        return f"<Scheduler {self.name} {{{nodes}}}>"

    # Nodes

    def add(self, node: Node) -> Scheduler:
        """Add a node, also while others tick; returns the scheduler, so that calls chain."""
        if not isinstance(node, Node):
            raise NodeError(f"Adding a node failed: expected a Node, got {node!r}. Pass nodes one by one.")
        if not hasattr(node, "_horus"):
            raise NodeError(
                f"Adding a node failed: expected a node that is ready, got a {type(node).__name__} whose "
                f"__init__ never called super().__init__(...). Call it first there."
            )
        if self.has_node(node.name):
            raise NodeError(
                f"Adding a node failed: expected a new name, got a second {node.name!r}. Rename one."
            )
        entry = Entry(node, self._tick_rate, rt=self._rt)
        entry.guard_by(self._watchdog_ns, self._ladder)
        bisect.insort(self._entries, entry, key=lambda other: other.node.order)
        session = self._session

        def take_in() -> None:
            if session is not None:
                try:
                    session.start(entry)
                except BaseException:
                    self._entries.remove(entry)
                    raise

        if session is not None:
            session.ask(take_in)
        return self

    def remove_node(self, name: str) -> None:
        """Take a node out; its current tick ends, then it shuts down. From inside a callback: soon after that."""
        entry, session = self._find(name), self._session

        def take_out() -> None:
            if session is not None and entry in session.started:
                session.stop(entry)
            if entry in self._entries:
                self._entries.remove(entry)

        if session is None:
            take_out()
        else:
            session.ask(take_out)

    def has_node(self, name: str) -> bool:
        """Whether a node of that name was added."""
        return any(entry.node.name == name for entry in self._entries)

    def get_node_names(self) -> list[str]:
        """The names of all nodes, by order."""
        return [entry.node.name for entry in self._entries]

    def get_all_nodes(self) -> list[Node]:
        """All nodes, by order."""
        return [entry.node for entry in self._entries]

    # Steering

    def pause(self, name: str | None = None) -> None:
        """Let a node (or all) tick no more until resume(); its topics stay open."""
        for entry in self._chosen(name):
            if entry.info.state() in _MAY_PAUSE and entry.hold("pause"):
                self._tell(entry)

    def resume(self, name: str | None = None) -> None:
        """Let a paused node (or all of them) tick again, on its old grid; during an e-stop, after its release."""
        for entry in self._chosen(name):
            if entry.let_go("pause", self.clock.now_ns()):
                self._tell(entry)

    def set_node_rate(self, name: str, rate: float) -> None:
        """Another rate in Hz, from now on; at most `tick_rate`."""
        entry = self._find(name)
        rate = options.rate(rate)
        entry.nominal_rate = min(rate, self._tick_rate or rate)
        ladder_steps.apply_rate(self, entry)
        self._tell(entry)

    def set_tick_budget(self, name: str, budget: float | None) -> None:
        """Another budget in seconds (None: none) for ticks that begin from now on; a deadline of its own stays."""
        self._find(name).set_budget(options.short_time("budget", budget))

    # Figures

    def get_node_stats(self, name: str) -> dict[str, Any]:
        """Figures of a node, as JSON-ready values; from any thread, also while it runs."""
        entry = self._find(name)
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

    def capabilities(self) -> dict[str, list[str]]:
        """What nodes asked the kernel for and got, by node: "SCHED_FIFO", "locked memory", "core"."""
        return {name: list(granted) for name, granted in self._granted.items()}

    def safety_stats(self) -> dict[str, Any] | None:
        """Watchdog, misses, health of each node and e-stop, as JSON-ready values; None before the first run."""
        return None if self._safety is None else self._safety.stats(list(self._entries))

    def degradations(self) -> list[dict[str, str]]:
        """What nodes asked for and do not have: `node`, `asked`, `why`, `fix`."""
        return [dict(one) for one in self._degradations]

    # Running

    def run(self, duration: float | None = None) -> None:
        """Start all nodes, tick them until stopped or for `duration` seconds, and shut them down.

        `duration=0` ticks each node once. Raises what init() or a tick of a node with the policy `fatal` raised,
        after all nodes were shut down.
        """
        self._run(options.duration(duration))

    def _run(self, duration: float | None, opened: threading.Event | None = None) -> None:
        session = self._open(by_hand=duration == 0)
        if opened is not None:
            opened.set()
        slack_ns = _native.set_timer_slack(1)
        try:
            with StopSignals(session.alarm, self.request_stop, self._in_callback):
                self._clean()
                try:
                    self._serve(session, duration)
                finally:
                    self._clean(namespace.current())
        finally:
            _native.set_timer_slack(slack_ns)
            self._release()

    def start(self, duration: float | None = None) -> None:
        """Run in a thread of its own; join() waits for its end. Signals are left to the caller's thread.

        When it returns the run has begun: stop() ends it, and nodes may still be in their init().
        """
        duration = options.duration(duration)
        if self._background is not None and self._background.is_alive():
            raise NodeError("Starting a scheduler failed: expected an idle one, got one that runs already.")
        opened = threading.Event()
        self._error = None
        refused: list[BaseException] = []

        def work() -> None:
            try:
                self._run(duration, opened)
            except BaseException as error:  # noqa: BLE001 - start() or join() raises it
                if not opened.is_set():
                    refused.append(error)
                    return
                self._error = error  # logged, too: not everybody joins
                self._log.error("the run in the background ended by %s: %s", type(error).__name__, error)
            finally:
                opened.set()

        # A daemon, ended by atexit: the program's end stops it, and nodes shut down before that.
        self._background = threading.Thread(target=work, name=f"horus {self.name}", daemon=True)
        self._background.start()
        opened.wait()
        if refused:
            self._background = None
            raise refused[0]
        atexit.register(self._end_in_background, self._background)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of a run that start() began; False when it still runs. Raises what the run raised."""
        thread = self._background
        if thread is None:
            return True
        if self._runs_here():
            raise NodeError(
                "join() failed: expected another thread than one that ticks its nodes, got the inside of a callback. "
                "Call stop() there."
            )
        thread.join(timeout)
        if thread.is_alive():
            return False
        atexit.unregister(self._end_in_background)
        self._background = None
        error, self._error = self._error, None
        if error is not None:
            raise error
        return True

    def tick_once(self) -> None:
        """Tick every node once, now, in order, on this thread; starts them if need be. stop() shuts them down.

        Simulated time then goes on by a period of the fastest node.
        """
        self._step(Session.tick_all)

    def tick_for(self, seconds: float) -> None:
        """Tick the nodes at their rates for so long, on this thread; starts them if need be. stop() shuts them down.

        It goes on where the last call ended. All nodes tick on this thread, whatever their class.
        """
        duration = options.duration(seconds)
        if duration is None:
            raise ConfigError("Bad time of tick_for(): expected seconds of at least 0, got None.")
        self._step(lambda session: session.serve(self.clock.now_ns() + round(duration * _NS)))

    def _step(self, deal: Callable[[Session], None]) -> None:
        """Have something ticked by the session that is stepped by hand."""
        session = self._session
        if session is None:
            session = self._open(by_hand=True)
            try:
                self._start_all(session)
            except BaseException as error:
                self._stop_all(session, f"by {type(error).__name__}: {error}")
                self._release()
                raise
        elif session.thread != threading.get_ident() or clocks.here() is not None:
            raise NodeError("Ticking failed: expected an idle scheduler, got one that runs already.")
        else:
            clocks.enter(session.loop)
        try:
            deal(session)
            session.raise_failure()
        except BaseException as error:
            self._stop_all(session, f"by {type(error).__name__}: {error}")
            self._release()
            raise
        clocks.leave()

    def request_stop(self) -> None:
        """End the run: current ticks finish, then all nodes shut down. From any thread; returns at once."""
        self._stopping = True
        session = self._session
        if session is not None:
            session.ring()

    def stop(self) -> None:
        """End the run, or shut down the nodes that tick_once() started."""
        session = self._session
        if session is None:
            return
        if session.by_hand and clocks.here() is None and session.thread == threading.get_ident():
            clocks.enter(session.loop)
            try:
                self._stop_all(session)
            finally:
                self._release()
        else:
            self.request_stop()

    def emergency_stop(self, reason: str, source: str = "") -> None:
        """Stop the robot: every scheduler of the namespace enters its nodes' safe state. From any thread."""
        if self._safety is None:
            raise NodeError("emergency_stop() failed: expected a running scheduler, got an idle one.")
        self._safety.emergency_stop(reason, source or self.name)

    def fail(self, error: BaseException) -> None:
        """End the run, which then raises the error. From any thread."""
        session = self._session
        if session is not None and session.failure is None:
            session.failure = error
        self.request_stop()

    def is_running(self) -> bool:
        """Whether nodes are started, tick or shut down now."""
        return self._session is not None

    def is_stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stopping

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._background is not None:
            self.join()

    # For the parts of the scheduler and its classes

    @property
    def started_ns(self) -> int | None:
        """When the nodes of this run began to tick."""
        session = self._session
        return None if session is None else session.started_ns

    @property
    def watchdog(self) -> _native.Watchdog | None:
        """What looks for ticks that do not end, where a node asked for it."""
        session = self._session
        return None if session is None else session.safety.watchdog

    def any_live(self) -> bool:
        """Whether any node still ticks."""
        session = self._session
        return session is not None and session.any_live()

    def later(self, what: Callable[[], Any]) -> None:
        """Have the run's own thread do something between two ticks, so that it costs the caller's no time."""
        session = self._session
        if session is None or session.thread == threading.get_ident():
            what()
        else:
            session.ask(what, later=True)

    def note(self, kind: str, text: str = "", entry: Entry | None = None, detail: int = 0) -> None:
        """Put what happened into the record (the kinds: enum horus_event_kind). Of long texts the end is kept."""
        self.trouble = self.trouble or kind in _TROUBLE
        row = -1 if entry is None else entry.row
        self.record.flight.event(kind, text.encode("utf-8", "backslashreplace")[-_MAX_NOTE:], row, detail)
        if kind == "estop":
            observers.tell_apart("horus_estop", scheduler=self, text=text)

    def granted(self, entry: Entry, asked: str) -> None:
        """Remember what a node asked the kernel for and got."""
        self._granted.setdefault(entry.node.name, []).append(asked)

    def degraded(self, entry: Entry, asked: str, why: str, fix: str) -> None:
        """Remember what a node asked for and does not have; the first of a kind is said aloud."""
        one = {"node": entry.node.name, "asked": asked, "why": why, "fix": fix}
        with self._reports:  # threads of several nodes report at once
            known = any(other["asked"] == asked and other["why"] == why for other in self._degradations)
            self._degradations.append(one)
        if not known:
            entry.journal.warning(f"asked for {asked}, and runs without it: {why}. {fix}")
        self.note("note", f"runs without {asked}: {why}", entry)

    def _serve(self, session: Session, duration: float | None) -> None:
        why = _AS_ASKED
        try:
            self._start_all(session, duration)
            if duration == 0:
                if not self._stopping:
                    session.tick_all()
            else:
                session.serve()
            session.raise_failure()
        except CutShort:
            self._log.warning("a callback was cut short by a second signal")
        except BaseException as error:
            why = f"by {type(error).__name__}: {error}"
            raise
        finally:
            self._stop_all(session, why)

    def _start_all(self, session: Session, duration: float | None = None) -> None:
        self.trouble = False
        self._degradations.clear()
        self._granted.clear()
        if self._entries:
            make = flights.create if self._blackbox else flights.private
            self.record = make(self.name, len(self._entries))
        observers.load_plugins()
        self.note("start", f"{len(self._entries)} nodes: {', '.join(self.get_node_names())}")
        session.start_all(list(self._entries), duration)

    def _stop_all(self, session: Session, why: str = _AS_ASKED) -> None:
        self._stopping = True
        session.alarm.ring()
        session.stop_all()
        self.note("stop", why)
        observers.settle()
        # A run without trouble leaves nothing behind: nobody would look for it, and memory is dear.
        self.record.end(keep=self.trouble or why != _AS_ASKED)

    def _open(self, *, by_hand: bool) -> Session:
        importable.refuse_while_loading()
        if not self._running.acquire(blocking=False):
            raise NodeError("Running a scheduler failed: expected an idle one, got one that runs already.")
        if isinstance(self.clock, SimulatedClock):
            self.clock.start_anew()
        session = Session(self, by_hand=by_hand)
        self._safety = session.safety
        try:
            clocks.enter(session.loop)
        except BaseException:
            self._running.release()
            raise
        self._session = session
        if self._stopping:  # asked for before there was anything to stop
            session.alarm.ring()
        return session

    def _release(self) -> None:
        self._session = None
        self._stopping = False
        clocks.leave()
        self._running.release()

    def _end_in_background(self, thread: threading.Thread) -> None:
        if thread.is_alive():
            self.request_stop()
            thread.join()

    def _runs_here(self) -> bool:
        loop = clocks.here()
        return loop is not None and loop.scheduler is self

    def _find(self, name: str) -> Entry:
        for entry in self._entries:
            if entry.node.name == name:
                return entry
        raise NodeError(
            f"No node {name!r}: expected one of {', '.join(self.get_node_names()) or 'none'}, got {name!r}."
        )

    def _chosen(self, name: str | None) -> list[Entry]:
        return list(self._entries) if name is None else [self._find(name)]

    def _tell(self, entry: Entry) -> None:
        session = self._session
        if session is not None:
            session.changed(entry)

    def _clean(self, *only: str) -> None:
        """Remove what nobody living uses, but never under the feet of a second run."""
        if clocks.alone():
            cleaner.clean_quietly(only or None)

    def _in_callback(self) -> bool:
        session = self._session
        entry = None if session is None else session.loop.current
        return entry is not None and (entry.node.info is not None or (session is not None and session.waits))


def _given_name(name: str | None) -> str | None:
    """What the scheduler is called by its maker, or by who started the process."""
    if name is not None:
        return names.node_name(name)
    told = os.environ.get(VARIABLE)
    try:
        return names.node_name(told) if told else None
    except InvalidNameError as error:
        raise InvalidNameError(f"{VARIABLE} is set, but cannot be used. {error}") from None
