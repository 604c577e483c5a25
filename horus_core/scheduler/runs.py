"""The runs of a scheduler, one at a time, on the thread that asks for one: at the nodes' rates, or step by step."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.backends import registry as backends
from horus_core.control import logs
from horus_core.errors import HorusError, NodeError
from horus_core.nodes import importable
from horus_core.plugins import lifecycle as observers
from horus_core.scheduler import clock as clocks
from horus_core.scheduler import orders, patience
from horus_core.scheduler.session import Session
from horus_core.scheduler.signals import CutShort, StopSignals
from horus_core.scheduler.simulated import SimulatedClock
from horus_core.shm import cleaner, namespace

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.control.server import Server
    from horus_core.scheduler.roster import Roster
    from horus_core.scheduler.safety import Safety
    from horus_core.scheduler.scheduler import Scheduler


class Runs:
    """Opens a session, has it tick, and closes it, whatever happens in between."""

    def __init__(self, scheduler: Scheduler, roster: Roster) -> None:
        self._scheduler = scheduler
        self._roster = roster
        self._under_way = threading.Lock()
        self.session: Session | None = None
        """What is there only while nodes are started, tick, or shut down."""
        self.safety: Safety | None = None
        """Of the run under way, or of the last one."""
        self.stopping = False
        """Whether the run was asked to stop."""
        self.cleaned = False
        """Whether somebody else cleans shared memory after the run."""
        self._stop_asked_s = 0.0
        self._control: Server | None = None
        self._log = logs.logger("scheduler")

    # On the thread of the run

    def run(self, duration: float | None, opened: threading.Event | None = None) -> None:
        """One run, from the first init() to the last shutdown(); `opened` is set once no other can begin."""
        session = self._open(by_hand=duration == 0)
        if opened is not None:
            opened.set()
        slack_ns = _native.set_timer_slack(1)
        try:
            with StopSignals(session.alarm, self.request_stop, session.in_callback):
                _clean()
                try:
                    self._serve(session, duration)
                finally:
                    _clean(namespace.current(), ours=not self.cleaned)
        finally:
            _native.set_timer_slack(slack_ns)
            self._release()

    def step(self, deal: Callable[[Session], None]) -> None:
        """Have a session tick that stays open until stop(), which is opened if there is none."""
        session = self.session
        if session is None:
            session = self._open(by_hand=True)
            self._or_close(session, self._start_all)
        elif session.thread != threading.get_ident() or clocks.here() is not None:
            raise NodeError("Ticking failed: expected an idle scheduler, got one that runs already.")
        else:
            clocks.enter(session.loop)
            session.resume()
        self._or_close(session, lambda session: session.step(deal))
        clocks.leave()

    def stop_by_hand(self) -> bool:
        """Shut down the nodes that step() started on this thread; False where there are none."""
        session = self.session
        here = session is not None and session.by_hand and session.thread == threading.get_ident()
        if session is None or not here or clocks.here() is not None:
            return False
        clocks.enter(session.loop)
        try:
            self._stop_all(session)
        finally:
            self._release()
        return True

    # From any thread

    def request_stop(self) -> None:
        """End the run; returns at once. From a signal's handler, too."""
        if not self.stopping:
            self._stop_asked_s = time.monotonic()
            self.stopping = True
        session = self.session
        if session is not None:
            session.ring()

    def hung_here(self) -> str | None:
        """What to say when a tick on the run's own thread, which would shut all nodes down, outlasts the patience."""
        session = self.session
        if session is None or not self.stopping:
            return None
        entry = session.loop.lane.current
        if entry is None or time.monotonic() - self._stop_asked_s < patience.PATIENCE_S:
            return None
        left = ", ".join(repr(one.node.name) for one in reversed(session.started))
        return (
            f"the stop is not waited for any more: the tick of node {entry.node.name!r} has not ended within "
            f"{patience.PATIENCE_S:g} s, on the thread that shuts nodes down. Not shut down: {left}"
        )

    def fail(self, error: BaseException) -> None:
        """End the run, which then raises the error, if it is the first."""
        session = self.session
        if session is not None and session.failure is None:
            session.failure = error
        self.request_stop()

    def _open(self, *, by_hand: bool) -> Session:
        importable.refuse_while_loading()
        if not self._under_way.acquire(blocking=False):
            raise NodeError("Running a scheduler failed: expected an idle one, got one that runs already.")
        if isinstance(self._scheduler.clock, SimulatedClock):
            self._scheduler.clock.start_anew()
        session = Session(self._scheduler, by_hand=by_hand)
        self.safety = session.safety
        try:
            clocks.enter(session.loop)
        except BaseException:
            self._under_way.release()
            raise
        self.session = session
        if self.stopping:  # asked for before there was anything to stop
            session.alarm.ring()
        return session

    def _release(self) -> None:
        self.session = None
        self.stopping = self.cleaned = False
        clocks.leave()
        self._under_way.release()

    def _serve(self, session: Session, duration: float | None) -> None:
        why = None
        try:
            self._start_all(session, duration)
            if duration == 0:
                if not self.stopping:
                    session.tick_all()
            else:
                session.serve()
            session.raise_failure()
        except CutShort:
            self._log.warning("a callback was cut short by a second signal")
        except BaseException as error:
            why = error
            raise
        finally:
            self._stop_all(session, why)

    def _or_close(self, session: Session, deal: Callable[[Session], None]) -> None:
        """What is raised by a step ends the session."""
        try:
            deal(session)
            session.raise_failure()
        except BaseException as error:
            self._stop_all(session, error)
            self._release()
            raise

    def _start_all(self, session: Session, duration: float | None = None) -> None:
        observers.load_plugins()
        self._scheduler.report.begin(self._scheduler.name, self._roster.names())
        self._listen()
        session.start_all(list(self._roster), duration)

    def _stop_all(self, session: Session, error: BaseException | None = None) -> None:
        self.stopping = True
        session.alarm.ring()
        try:
            session.stop_all()
        finally:
            control, self._control = self._control, None
            if control is not None:
                control.close()
        observers.settle()
        self._scheduler.report.end(error)

    def _listen(self) -> None:
        """To what others ask over the control topic. Who cannot is told so, and runs."""
        try:
            self._control = orders.listen(self._scheduler, self._scheduler.report.record)
        except (HorusError, OSError) as error:
            self._log.error("Nobody can ask this scheduler anything: %s", error)


def _clean(*only: str, ours: bool = True) -> None:
    """Remove what nobody living uses, but never under the feet of a second run; shared memory if it is `ours` to."""
    if clocks.alone():
        backends.clean()
        if ours and backends.shows_runs():
            cleaner.clean_quietly(only or None)
