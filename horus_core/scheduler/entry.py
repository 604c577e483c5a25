"""One node in a scheduler: when it is due, and what has become of it."""

# ruff: noqa: SLF001 - the one place where the scheduler takes hold of a node's inner parts

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from horus_core import _native
from horus_core.nodes.state import NodeState

if TYPE_CHECKING:
    from random import Random

    from typing_extensions import Self

    from horus_core.control.presence import Presence
    from horus_core.nodes.node import Node
    from horus_core.scheduler.scheduler import Scheduler

NEVER = 2**63 - 1
_NS = 1_000_000_000


class Entry(_native.Run):
    """A node and its releases: the native Run, and what the scheduler does with it now and then."""

    __slots__ = (
        "_before",
        "callbacks",
        "config",
        "enter",
        "forgive",
        "info",
        "journal",
        "last_restart_ns",
        "live",
        "node",
        "paused_state",
        "policy",
        "presence",
        "random",
        "restarts",
        "run",
        "told_ns",
        "wiring",
    )

    def __new__(cls, node: Node, cap: float | None, *, rt: bool | Literal["require"] = False) -> Self:  # noqa: ARG004
        """Take the node's own rate up to `cap`, or `cap` when it has none."""
        parts = node._horus
        rate = parts.rate if cap is None else min(parts.rate, cap) if parts.rate_given else cap
        return super().__new__(cls, node, parts.callbacks.tick, rate)

    def __init__(self, node: Node, _cap: float | None, *, rt: bool | Literal["require"] = False) -> None:
        parts = node._horus
        self.node = node
        self.info = parts.info
        self.enter = parts.info._enter
        self.journal = parts.journal
        self.policy = parts.policy
        self.callbacks = parts.callbacks
        self.wiring = parts.wiring
        self.run = node._horus_run
        self.forgive = node._horus_forgive
        self.presence: Presence | None = None
        self.random: Random | None = None
        """What horus.rng_float() draws from; None before it does."""
        self.live = False
        self.restarts = 0
        self.last_restart_ns = 0
        self.paused_state = NodeState.RUNNING
        """What resume() leads back to."""
        self.told_ns = 0
        """When the log or the record last said something of it that may come often."""
        node._horus_order = parts.order
        node._horus_class = ""
        node._horus_watchdog_ns = node._horus_watchdog_ns or parts.config.watchdog_ns
        self.config = parts.config.with_rt(rt)
        self.deadline_ns = parts.config.deadline_ns
        self._before = self._trouble()
        self.plan(0)

    def attach(self, scheduler: Scheduler | None) -> None:
        """Tell the node who runs it; its figures move into that scheduler's record, or home."""
        node = self.node
        node._horus.scheduler = scheduler
        if scheduler is None:
            node._horus_detach(False)
        else:
            node._horus_attach(scheduler.record.flight, node.name)
            self._before = self._trouble()
            self.random = None
            if scheduler.deterministic:  # the last run's time is no time of this one
                self.restarts = self.last_restart_ns = 0

    @property
    def exec_class(self) -> str:
        """The execution class that ticks it; empty before it was chosen."""
        return self.node._horus_class

    @exec_class.setter
    def exec_class(self, name: str) -> None:
        self.node._horus_class = name

    def set_budget(self, seconds: float | None) -> None:
        """Another budget; it is the deadline, too, unless the node has one of its own."""
        before, self.config = (
            self.config,
            replace(self.config, budget_ns=0 if seconds is None else max(1, round(seconds * _NS))),
        )
        if before.deadline_ns == before.budget_ns:
            self.config = replace(self.config, deadline_ns=self.config.budget_ns)
            self.deadline_ns = self.config.deadline_ns

    @property
    def missed(self) -> int:
        """How many ticks have missed their deadline."""
        return self.node._horus_missed

    @property
    def skipped(self) -> int:
        """How many releases went by without a tick."""
        return self.node._horus_skipped

    @property
    def failed_in_row(self) -> int:
        """How many ticks have failed since the last good one."""
        return self.node._horus_failed_in_row

    @property
    def missed_in_row(self) -> int:
        """How many ticks have missed their deadline since the last that did not."""
        return self.node._horus_missed_in_row

    @property
    def ticks(self) -> int:
        """How many ticks have ended."""
        return self.node._horus_ticks

    @property
    def row(self) -> int:
        """The node's row in the record; -1 without one."""
        return self.node._horus_row

    @property
    def watchdog_ns(self) -> int:
        """How long a tick may run before it counts as hung; 0: as long as it likes."""
        return self.node._horus_watchdog_ns

    def had_trouble(self) -> bool:
        """Whether this run had a tick that failed, missed its deadline or hung."""
        return self._trouble() != self._before

    def _trouble(self) -> tuple[int, int, int]:
        node = self.node
        return node._horus_failed, node._horus_missed, node._horus_hung

    def count_restart(self) -> None:
        """One more, for tools."""
        self.node._horus_restarts += 1
