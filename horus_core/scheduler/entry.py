"""One node in a scheduler: when it is due, and what has become of it."""

# ruff: noqa: SLF001 - the one place where the scheduler takes hold of a node's inner parts

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.control.presence import Presence
    from horus_core.nodes.node import Node
    from horus_core.scheduler.scheduler import Scheduler

NEVER = 2**63 - 1
_NS = 1e9


class Entry:
    """A node and its releases.

    Release k is at `base + k * period`, rounded once from the exact product: nothing adds up, and nodes of
    equal or harmonic rates share their releases to the nanosecond.
    """

    __slots__ = (
        "base_ns",
        "call",
        "callbacks",
        "enter",
        "forgive",
        "index",
        "info",
        "journal",
        "last_restart_ns",
        "live",
        "next_ns",
        "node",
        "period",
        "period_ns",
        "policy",
        "presence",
        "previous_ns",
        "rate",
        "restarts",
        "run",
        "run_tick",
        "skipped",
        "started_ns",
        "wiring",
    )

    def __init__(self, node: Node, cap: float | None) -> None:
        """Take the node's own rate up to `cap`, or `cap` when it has none."""
        parts = node._horus
        rate = parts.rate if cap is None else min(parts.rate, cap) if parts.rate_given else cap
        self.node = node
        self.info = parts.info
        self.enter = parts.info._enter
        self.journal = parts.journal
        self.policy = parts.policy
        self.callbacks = parts.callbacks
        self.wiring = parts.wiring
        self.run = node._horus_run
        self.forgive = node._horus_forgive
        self.call: Callable[[], Any] = parts.callbacks.tick
        self.resume_ticks()
        self.rate = rate
        self.period = _NS / rate
        self.period_ns = int(self.period)
        self.presence: Presence | None = None
        self.live = False
        self.restarts = 0
        self.last_restart_ns = 0
        self.skipped = 0
        self.plan(0)

    def resume_ticks(self) -> None:
        """Let a release call the node's tick; this is how every entry begins."""
        # A release is `run_tick(call)`: both bound once.
        self.run_tick: Callable[[Callable[[], Any]], Any] = self.node._horus_run_tick

    def attach(self, scheduler: Scheduler | None) -> None:
        """Tell the node who runs it."""
        self.node._horus.scheduler = scheduler

    @property
    def failed_in_row(self) -> int:
        """How many ticks have failed since the last good one."""
        return self.node._horus_failed_in_row

    @property
    def ticks(self) -> int:
        """How many ticks have ended."""
        return self.node._horus_ticks

    def plan(self, base_ns: int) -> None:
        """Set the first release, and forget the ticks before it."""
        self.base_ns = self.next_ns = base_ns
        self.index = 0
        self.started_ns = self.previous_ns = 0

    def release(self, now_ns: int) -> None:
        """A tick begins for the newest release that is due; older ones are skipped, never made up for."""
        if now_ns - self.next_ns >= self.period_ns:
            self._skip_to(now_ns)
        self.index += 1
        self.next_ns = self._at(self.index)
        self.previous_ns = self.started_ns or now_ns - self.period_ns
        self.started_ns = now_ns

    def rest_until(self, wake_ns: int) -> None:
        """Be released no more before `wake_ns`; then on the old grid."""
        self.index = int((wake_ns - self.base_ns) / self.period)
        if self._at(self.index) < wake_ns:
            self.index += 1
        self.next_ns = self._at(self.index)

    def _skip_to(self, now_ns: int) -> None:
        newest = int((now_ns - self.base_ns) / self.period)
        while self._at(newest) > now_ns:  # the division rounds
            newest -= 1
        self.skipped += newest - self.index
        self.index = newest

    def _at(self, index: int) -> int:
        return self.base_ns + int(index * self.period + 0.5)
