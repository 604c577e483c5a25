"""Event: nodes that tick when a message comes, each on a thread of its own that sleeps meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.abc import ExecutionClass
from horus_core.scheduler import clock, failure, health
from horus_core.scheduler.entry import NEVER
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.patience import Patience
from horus_plugins.execution import rt

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host

_PAUSE_NS = 1_000_000_000  # before a topic that cannot be read is tried again


class Event(ExecutionClass):
    """Takes nodes with on=: each message wakes the node, whichever process sent it."""

    name = "event"
    precedence = 40
    real_time = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._sleepers: dict[Entry, Sleeper] = {}

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether the node waits for topics."""
        return bool(config.on)

    def check(self, entry: Entry) -> None:
        """A node with rt="require" does not start without what it asks for."""
        rt.require(entry)

    def add(self, entry: Entry) -> None:
        """Give it its thread."""
        if entry.rate_given:
            self.host.degraded(
                entry,
                f"rate={entry.rate:g}",
                "messages wake it, as on= asks for",
                "Leave out one of the two.",
            )
        self._sleepers[entry] = Sleeper(self.host, entry)
        self._sleepers[entry].start()

    def remove(self, entry: Entry) -> None:
        """The thread ends with the current tick."""
        self._sleepers.pop(entry).join()

    def changed(self, entry: Entry) -> None:
        """It was paused or resumed."""
        self._sleepers[entry].look()

    def halt(self) -> None:
        """All threads end with their current tick."""
        for sleeper in self._sleepers.values():
            sleeper.halt()


class Sleeper:
    """The thread of one node."""

    def __init__(self, host: Host, entry: Entry) -> None:
        self._host = host
        self._entry = entry
        wiring = entry.wiring
        self._topics = tuple(wiring.inlet(wiring.called(name)) for name in entry.config.on)
        self._alarm = _native.Alarm()  # rung for a look at what is said of the node, and to halt
        self._halted = False
        self._done = threading.Event()  # see LoopThread
        self._patience = Patience(host)
        self._loop = Loop(host.scheduler, self._alarm)
        self._loop.lane.add(entry)
        # A daemon: a tick that never ends must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"horus {entry.node.name}", daemon=True)

    def start(self) -> None:
        """Begin to wait for messages."""
        if self._entry.config.wants_rt:
            rt.count_thread(1)
        self._entry.on_demand = 1
        self._thread.start()

    def look(self) -> None:
        """The node was paused, or resumed."""
        self._alarm.ring()

    def halt(self) -> None:
        """Begin no tick any more; returns at once."""
        self._patience.begin()
        self._halted = True
        self._alarm.ring()

    def join(self) -> None:
        """Return when the tick that was under way has ended, and with it the thread; raises StillTicking."""
        self.halt()
        try:
            if self._thread is not threading.current_thread():
                self._patience.wait_to_the_end(self._ended)
        finally:
            self._loop.lane.remove(self._entry)
            self._entry.on_demand = 0
            if self._entry.config.wants_rt:
                rt.count_thread(-1)

    def _ended(self, timeout_s: float | None) -> bool:
        if not self._done.wait(timeout_s):
            return False
        self._thread.join()
        return True

    def _run(self) -> None:
        clock.enter(self._loop)
        try:
            _native.set_timer_slack(1)
            if self._entry.config.wants_rt:
                rt.prepare(self._host, self._entry)
            while not self._halted:
                self._turn()
        except BaseException as error:  # noqa: BLE001 - it is raised where run() was called
            self._host.fail(error)
        finally:
            clock.leave()
            self._done.set()

    def _turn(self) -> None:
        entry = self._entry
        self._alarm.reset()  # what it rang for is looked at now
        if self._halted:
            return
        if not entry.live or self._held():
            self._alarm.wait_until(NEVER)
        elif entry.next_ns != NEVER:
            self._rest()
        elif self._woken() and not self._halted and not self._held():
            # The moment of the wake is the release. All that is readable by now is one wake.
            if not entry.skips_wake or self._passed_over():
                self._tick()
            if entry.step >= health.SLOW:
                self._keep_to_its_step()

    def _rest(self) -> None:
        """Its failure policy, or resume(), has set a time: until then messages wait."""
        entry = self._entry
        if self._host.clock.now_ns() < entry.next_ns:
            self._host.clock.sleep_until(entry.next_ns, self._alarm)
        elif entry.diverted is not None:  # a restart
            self._tick()
        else:
            entry.next_ns = NEVER

    def _passed_over(self) -> bool:
        """on_miss="skip": what woke it waits for the next wake, or as long again. Whether it is to tick then."""
        entry = self._entry
        waited_ns = self._host.clock.now_ns() - entry.release_ns
        entry.pass_over()
        _native.wait_any(self._topics, self._alarm, _native.now_ns() + waited_ns)
        return not (self._halted or self._held())

    def _held(self) -> bool:
        """Whether it is to do nothing: paused, or in an emergency stop, and not released for its safe state."""
        return bool(self._entry.holds) and self._entry.next_ns == NEVER

    def _keep_to_its_step(self) -> None:
        """A node that its ladder slowed or isolated rests after each tick; what comes meanwhile waits."""
        entry = self._entry
        if entry.next_ns == NEVER and entry.live:
            entry.rest_until(self._host.clock.now_ns() + 1)

    def _woken(self) -> bool:
        try:
            return _native.wait_any(self._topics, self._alarm, NEVER)
        except Exception as error:
            # A topic of another type than was declared: as if a tick had tried to read it.
            entry = self._entry
            if self._loop.on_behalf(entry, failure.ends_run, self._host.scheduler, entry, error):
                raise
            self._host.clock.sleep_until(self._host.clock.now_ns() + _PAUSE_NS, self._alarm)
            return False

    def _tick(self) -> None:
        now_ns = self._host.clock.now_ns()
        if self._entry.diverted is None:
            self._entry.next_ns = now_ns
        self._loop.run_due(now_ns)
