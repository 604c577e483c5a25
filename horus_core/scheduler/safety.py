"""What keeps a robot safe while a scheduler runs: its watchdog, and its obedience to the emergency stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.control import estop, logs
from horus_core.errors import HorusError
from horus_core.nodes.state import NodeState
from horus_core.scheduler import health, safe_state

if TYPE_CHECKING:
    from horus_core.control.estop import EmergencyStop, Listener
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler
    from horus_core.scheduler.session import Session

_PATIENCE_S = 0.02  # for the threads that tick the nodes, before somebody else enters their safe state
_STEP_S = 0.002
_NS = 1e9
_UNTIL = ". It stands until `horus estop --release`."


class Safety:
    """One run's share in the emergency stop, and its watchdog."""

    def __init__(self, scheduler: Scheduler, session: Session) -> None:
        self._scheduler = scheduler
        self._session = session
        self._listener: Listener | None = None
        self._deaf = "it does not run"
        """Why no emergency stop is heard."""
        self._log = logs.logger("scheduler")
        self.watchdog: _native.Watchdog | None = None
        self.engaged: EmergencyStop | None = None
        """The order that holds all nodes."""
        self._unsaid: deque[tuple[int, str]] = deque()

    # For the session, on its thread

    def start(self) -> None:
        """Listen. Whoever cannot is told so, and runs: the emergency stop of this process still works in it."""
        try:
            self._listener = estop.listen(self)
            self._deaf = ""
            self._say()  # one may be engaged already
        except (HorusError, OSError) as error:
            self._deaf = str(error)
            self._log.error("Emergency stops of other processes are not heard: %s", error)
            self._scheduler.report.note("note", f"emergency stops are not heard: {error}")

    def admit(self, entry: Entry) -> None:
        """A node is about to tick: watch it, and hold it when an emergency stop is engaged."""
        config = entry.config
        if entry.row < 0:
            self._has_no_row(entry)
        if self._scheduler.deterministic:  # no time of the machine's matters
            if self.engaged is not None:
                self._stop(entry)
            return
        if entry.watchdog_ns and self.watchdog is None:
            self.watchdog = _native.Watchdog(self._scheduler.report.record.flight)
        if config.critical and entry.watchdog_ns:
            self._arm(entry)
        elif entry.watchdog_ns and self.watchdog is not None:
            self.watchdog.look()
        for asked, why, fix in _arms_nothing(entry):
            self._scheduler.report.degraded(entry, asked, why, fix)
        if self.engaged is not None:
            self._stop(entry)

    def end(self) -> None:
        """All nodes were shut down."""
        if self._listener is not None:
            estop.ignore(self._listener, self)
            self._listener = None
        self._deaf = "it does not run"
        if self.watchdog is not None:
            self.watchdog.stop()
            self.watchdog = None

    # The emergency stop

    def emergency_stop(self, reason: str, source: str) -> None:
        """Engage it: first here, then in all processes. From any thread; never raises."""
        if self.engaged is not None:
            return
        order = estop.order_to_stop(reason, source)
        if self._listener is None:
            self.heard(order)
            self._was_not_published(self._deaf)
            return
        try:
            self._listener.give(order)
        except Exception as error:  # noqa: BLE001 - whatever it is, this process has stopped, and goes on to say so
            self._was_not_published(str(error))

    def _was_not_published(self, why: str) -> None:
        self._record(logging.CRITICAL, f"reached this process alone: {why}")
        self.follow_up()

    def heard(self, order: EmergencyStop) -> None:
        """Obey an order: hold all nodes, or let them go."""
        was = self.engaged
        if order.engaged and was is None:
            self.engaged = order
            self._all(self._stop)
            self._record(logging.CRITICAL, f"engaged by {order.source or 'somebody'}: {order.reason}{_UNTIL}")
        elif not order.engaged and was is not None:
            self.engaged = None
            self._all(self._release)
            self._record(logging.WARNING, f"released by {order.source or 'somebody'}")

    def follow_up(self) -> None:
        """Enter the safe state of nodes whose thread is busy with another node, each on a thread of its own."""
        if self._scheduler.deterministic:  # one thread ticks all, and nothing else may
            self._say()
            return
        deadline = time.monotonic() + _PATIENCE_S
        while self.engaged is not None and self._unsafe() and time.monotonic() < deadline:
            time.sleep(_STEP_S)
        for entry in self._unsafe():
            if not entry.node._horus_started_ns:  # noqa: SLF001 - it is not in its own tick
                self._enter_apart(entry)
        self._say()

    def _all(self, deal: Any) -> None:
        entries = list(self._session.started)
        for entry in entries:
            deal(entry)
        for entry in entries:
            self._wake(entry)

    def _wake(self, entry: Entry) -> None:
        try:
            self._session.changed(entry)
        except Exception as error:  # noqa: BLE001 - the others must stop all the same
            self._scheduler.report.note("failure", f"was not told of an emergency stop: {error}", entry)

    def _stop(self, entry: Entry) -> None:
        if entry.live and entry.hold("estop"):
            if entry.safe_state == "failed":  # it is tried once more
                entry.safe_state = ""
            entry.detain(partial(self._enter, entry), self._scheduler.clock.now_ns())

    def _enter(self, entry: Entry) -> None:
        """What a node is released for during an emergency stop, however often: the safe state, once."""
        if self.engaged is not None and entry.info.state() is not NodeState.STOPPED:
            safe_state.enter(self._scheduler, entry, "emergency stop", anew=True)
        entry.park()

    def _enter_apart(self, entry: Entry) -> None:
        name = f"horus safe state {entry.node.name}"
        threading.Thread(target=self._enter, args=(entry,), name=name, daemon=True).start()

    def _release(self, entry: Entry) -> None:
        if not entry.let_go("estop", self._scheduler.clock.now_ns()):
            return
        if not entry.safe_mode and entry.step != health.ISOLATED:
            safe_state.leave(entry)

    def _unsafe(self) -> list[Entry]:
        return [
            entry
            for entry in list(self._session.started)
            if entry.live and "estop" in entry.holds and (not entry.safe_state or entry.has_moved)
        ]

    def _record(self, level: int, text: str) -> None:
        self._scheduler.report.note("estop", text)
        self._unsaid.append((level, text))

    def _say(self) -> None:
        """On the listener's thread, last of all: a stderr that takes nothing must not keep a node from stopping."""
        while self._unsaid:
            level, text = self._unsaid.popleft()
            with suppress(Exception):
                self._log.log(level, "Emergency stop %s", text)

    # The watchdog

    def _arm(self, entry: Entry) -> None:
        """Put aside what the watchdog publishes when this critical node hangs."""
        ring = None if self._listener is None else self._listener.ring
        if ring is None or self.watchdog is None or entry.row < 0:
            why = self._deaf or "its scheduler's record has no row left"
            asked = "a stop when it hangs (critical=True)"
            self._scheduler.report.degraded(entry, asked, why, "Nobody stops the robot while it hangs.")
            return
        order = estop.order_to_stop(f"critical node {entry.node.name} hangs", entry.node.name)
        order.timestamp_ns = 0  # it is not known yet
        self.watchdog.arm(entry.row, ring, order.to_wire())
        self.watchdog.look()

    def _has_no_row(self, entry: Entry) -> None:
        asked = f"watchdog={entry.watchdog_ns / _NS:g}" if entry.watchdog_ns else "a place in the record"
        why = "the scheduler's record has no row left, and neither its watchdog nor tools see the node"
        fix = "Add the nodes before the scheduler runs, or remove others."
        self._scheduler.report.degraded(entry, asked, why, fix)

    # Figures

    def stats(self, entries: list[Entry]) -> dict[str, Any]:
        """What Scheduler.safety_stats() returns."""
        order = self.engaged
        return {
            "watchdog": {
                "running": self.watchdog is not None and self.watchdog.running,
                "timeouts": {
                    entry.node.name: entry.watchdog_ns / _NS for entry in entries if entry.watchdog_ns
                },
                "hangs": sum(entry.node._horus_hung for entry in entries),  # noqa: SLF001
            },
            "deadline_misses": sum(entry.missed for entry in entries),
            "nodes": {entry.node.name: _health(entry) for entry in entries},
            "estop": {
                "listening": not self._deaf,
                "engaged": order is not None,
                "reason": order.reason if order is not None else "",
                "source": order.source if order is not None else "",
            },
        }


def _health(entry: Entry) -> dict[str, Any]:
    node, state = entry.node, entry.info.state()
    return {
        "health": health.of_node(state.value, entry.step, entry.failed_in_row),
        "state": state.value,
        "critical": entry.config.critical,
        "missed": entry.missed,
        "missed_in_row": entry.missed_in_row,
        "hangs": node._horus_hung,  # noqa: SLF001 - the scheduler's share of its node
        "safe_state": entry.is_safe,
    }


def _arms_nothing(entry: Entry) -> list[tuple[str, str, str]]:
    """What a node asks for that can never happen to it: (what, why, fix)."""
    config = entry.config
    timed = bool(entry.deadline_ns)
    found = []
    if config.on_miss != "warn" and not timed:
        why = "it has neither budget nor deadline, so that it never misses"
        found.append((f"on_miss={config.on_miss!r}", why, "Give it one."))
    if config.critical and not entry.watchdog_ns:
        why = "it has no watchdog, and only its crash"
        why += (
            " and its isolation stop the robot" if timed and entry.ladder is not None else " stops the robot"
        )
        found.append(("a stop when it hangs (critical=True)", why, "Give it watchdog=."))
    return found
