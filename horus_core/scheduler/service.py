"""What a run says to the service manager that started its process, if one did (horus_core/control/systemd.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.control import systemd
from horus_core.nodes.state import NodeState
from horus_core.scheduler.entry import NEVER

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler
    from horus_core.scheduler.session import Session

_LOOK_NS = 1_000_000_000
_AWAITING = "async_io"
"""The class whose ticks may await something for as long as they like."""


class Service:
    """One run's word to systemd; without NOTIFY_SOCKET it says nothing, and costs nothing."""

    def __init__(self, scheduler: Scheduler, session: Session) -> None:
        self._scheduler = scheduler
        self._session = session
        self._line = (
            systemd.notifier()
        )  # before anybody's init() starts a process that would inherit the variables
        self._told = False
        self.next_ns = NEVER
        """When look() is to be called next, by the scheduler's clock."""

    def ready(self) -> None:
        """All nodes have started."""
        if self._line is not None:
            self._told = True
            self._line.ready(self._status([]))
            self.look()

    def look(self) -> None:
        """The run's own thread gets round: tell so, unless a node hangs."""
        if self._line is None or not self._told:
            return
        period_ns = min(_LOOK_NS, int(min(self._line.period_s, 1.0) * 1e9))
        self.next_ns = self._scheduler.clock.now_ns() + period_ns
        hanging = [entry.node.name for entry in list(self._session.started) if self._hangs(entry)]
        self._line.status(self._status(hanging))
        if not hanging:
            self._line.alive()

    def stopping(self) -> None:
        """Ticking is over: the nodes shut down."""
        if self._line is not None and self._told:
            self._told = False
            self.next_ns = NEVER
            self._line.stopping(f"stopping {self._scheduler.name}")

    def _hangs(self, entry: Entry) -> bool:
        """By its watchdog, or because its tick lasts longer than the service manager waits."""
        if not entry.live:
            return False
        begun_ns = entry.node._horus_started_ns  # noqa: SLF001 - the scheduler's share of its node
        if entry.info.state() is NodeState.HUNG:
            return True
        if not begun_ns or entry.exec_class == _AWAITING or self._line is None:
            return False
        return _native.now_ns() - begun_ns > self._line.watchdog_s * 1e9

    def _status(self, hanging: list[str]) -> str:
        count = len(self._session.started)
        text = f"{self._scheduler.name}: {count} node{'' if count == 1 else 's'}"
        order = self._session.safety.engaged
        if order is not None:
            text += f", emergency stop by {order.source or 'somebody'}: {order.reason}"
        return f"{text}, hanging: {', '.join(hanging)}" if hanging else text
