"""One node in a scheduler: when it is due, and what has become of it."""

# ruff: noqa: SLF001 - the one place where the scheduler takes hold of a node's inner parts

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from horus_core import _native
from horus_core.nodes.config import DEFAULTS
from horus_core.nodes.state import NodeState

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from typing_extensions import Self

    from horus_core.control.presence import Presence
    from horus_core.nodes.node import Node
    from horus_core.nodes.policy import Ladder
    from horus_core.scheduler.scheduler import Scheduler

NEVER = 2**63 - 1
_NS = 1_000_000_000
_SAFE_STATE, _HELD = 4, 128  # HORUS_ROW_SAFE_STATE, HORUS_ROW_HELD


class Entry(_native.Run):
    """A node and its releases: the native Run, and what the scheduler does with it now and then."""

    __slots__ = (
        "_before",
        "_guard",
        "_later",
        "_wake_ns",
        "callbacks",
        "config",
        "enter",
        "forgive",
        "holds",
        "info",
        "journal",
        "ladder",
        "last_restart_ns",
        "live",
        "node",
        "nominal_rate",
        "pace",
        "paused_state",
        "policy",
        "presence",
        "random",
        "restarts",
        "run",
        "safe_mode",
        "safe_state",
        "skips_wake",
        "step",
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
        self.holds: frozenset[str] = frozenset()
        """What keeps it from ticking: "pause", "estop"."""
        self.nominal_rate = self.rate
        """What it ticks at unless its ladder slows it."""
        self.pace = 0.0
        """How many times a second messages woke it when its ladder slowed it; 0: it is not slowed, or has a rate."""
        self.skips_wake = False
        """Whether the next message that wakes it is to wait for the one after."""
        self.ladder = parts.config.ladder
        self.step = 0
        """Of its ladder: horus_core/scheduler/ladder.py."""
        self.safe_mode = False
        """Whether on_miss="safe_mode" took it there, and it has not recovered since."""
        self.safe_state = ""
        """"entering", "entered" or "failed" after enter_safe_state() was asked for, until it is left."""
        self._guard = threading.Lock()
        self._wake_ns = 0
        self._later: Callable[[], object] | None = None
        self.told_ns = 0
        """When the log or the record last said something of it that may come often."""
        node._horus_order = parts.order
        node._horus_class = ""
        node._horus_watchdog_ns = parts.config.watchdog_ns
        self.config = parts.config.with_rt(rt)
        self.deadline_ns = parts.config.deadline_ns
        self._before = self._trouble()
        self.plan(0)

    def guard_by(self, watchdog_ns: int, ladder: Ladder | None) -> None:
        """The scheduler's own watchdog and ladder, for a node without them."""
        self.node._horus_watchdog_ns = self.config.watchdog_ns or watchdog_ns
        if self.config.ladder is DEFAULTS["ladder"]:
            self.ladder = ladder

    def attach(self, scheduler: Scheduler | None, *, removed: bool = False) -> None:
        """Tell the node who runs it; its figures move into that scheduler's record, or home.

        `removed` from a run that goes on: another node may take its row of the record.
        """
        node = self.node
        node._horus.scheduler = scheduler
        if scheduler is None:
            node._horus_detach(removed)
            self.holds = frozenset()  # a pause lasts until resume(), or the end of the run
        else:
            node._horus_attach(scheduler.report.record.flight, node.name)
            self._before = self._trouble()
            self.random = None
            if scheduler.deterministic:  # the last run's time is no time of this one
                self.restarts = self.last_restart_ns = 0

    @property
    def rate_given(self) -> bool:
        """Whether somebody asked for a rate of this node."""
        return self.node._horus.rate_given

    @property
    def left_behind(self) -> bool:
        """Whether a tick of its last run, which did not end in time, still goes on."""
        return self.node._horus.left_behind

    @left_behind.setter
    def left_behind(self, left: bool) -> None:
        self.node._horus.left_behind = left

    @property
    def exec_class(self) -> str:
        """The execution class that ticks it; empty before it was chosen."""
        return self.node._horus_class

    @exec_class.setter
    def exec_class(self, name: str) -> None:
        self.node._horus_class = name

    def set_budget(self, seconds: float | None) -> None:
        """Another budget; it is the deadline, too, unless the node has one of its own."""
        budget_ns = 0 if seconds is None else max(1, round(seconds * _NS))
        self.config = self.config.but(budget_ns=budget_ns)
        if not self.config.own_deadline:
            self.config = self.config.but(deadline_ns=budget_ns)
            self.deadline_ns = budget_ns

    # Being kept from ticking, for several reasons at a time, from any thread

    def hold(self, why: str) -> bool:
        """Release it no more until it is let go for all reasons; False when that one held it already."""
        with self._guard:
            if why in self.holds:
                return False
            if not self.holds:
                self._wake_ns, self.next_ns = self.next_ns, NEVER
            self.holds |= {why}
            if why != "estop":  # then it is shown when its safe state was entered
                self.show_hold()
            return True

    def plan(self, base_ns: int, /) -> None:
        """It is about to tick, from that time on; if it was paused before, when it is let go."""
        with self._guard:
            super().plan(base_ns)
            if "pause" in self.holds:
                self._wake_ns = base_ns
                if "estop" not in self.holds:  # else it is released for its safe state
                    self.next_ns = NEVER
                self.show_hold()

    def initialised(self) -> None:
        """init() has returned."""
        with self._guard:
            self.enter(NodeState.RUNNING)
            if "pause" in self.holds:
                self.show_hold()

    def let_go(self, why: str, now_ns: int) -> bool:
        """That reason is gone; without another one it ticks again, on its grid. False when it was none."""
        with self._guard:
            if why not in self.holds:
                return False
            self.holds -= {why}
            if why == "estop":
                super().divert(self._later)
                self._later = None
                self.node._horus_flags &= ~_HELD
            if not self.holds and self.live:
                later = now_ns < self._wake_ns < NEVER
                super().rest_until(self._wake_ns if later else now_ns)
            if not self.holds and self.info.state() is NodeState.PAUSED:
                self.enter(self.paused_state)
            return True

    def show_hold(self) -> None:
        """A node that is kept from ticking says so; one that hangs, restarts or stops says that."""
        state = self.info.state()
        if state in (NodeState.RUNNING, NodeState.ERROR):
            self.paused_state = state
            self.enter(NodeState.PAUSED)

    def detain(self, call: Callable[[], object], now_ns: int) -> None:
        """While it is held: release it now for this call, which is no tick, and for nothing else.

        What it waited for, its restart maybe, comes when it is let go.
        """
        with self._guard:
            if self.diverted is not None:  # else a failure may have said meanwhile what comes later
                self._later = self.diverted
            super().divert(call)
            self.next_ns = now_ns

    def park(self) -> None:
        """Inside what it was detained for: that is all."""
        with self._guard:
            if not self.holds:
                return
            self.next_ns = NEVER
            if self.safe_state == "entering":  # another thread is inside
                return
            if self.safe_state == "failed":
                self.enter(NodeState.ERROR)
                return
            self.show_hold()
            if "estop" in self.holds:
                self.node._horus_flags |= _HELD

    def rest_until(self, wake_ns: int, /) -> None:
        """Be released no more before that time; while it is held, that time is kept for later."""
        with self._guard:
            if self.holds:
                self._wake_ns = wake_ns
            else:
                super().rest_until(wake_ns)

    def skip(self, now_ns: int, /) -> None:
        """Leave out the next tick, and the releases that went by; of a node that messages wake, the next wake."""
        if self.on_demand:
            self.skips_wake = True
        else:
            super().skip(now_ns)

    def pass_over(self) -> None:
        """This is the wake that is left out: count it."""
        self.skips_wake = False
        with self._guard:
            if not self.holds:
                self.next_ns = 0
                super().skip(0)
                self.next_ns = NEVER

    def divert(self, to: Callable[[], object] | None, /) -> None:
        """Let releases call something else; during an e-stop, afterwards."""
        with self._guard:
            if "estop" in self.holds:
                self._later = to
            else:
                super().divert(to)

    def claim_safe_state(self, *, anew: bool = False) -> bool:
        """Whether the caller is the one to call enter_safe_state(): nobody has since it was left.

        `anew`: nor since it last ticked or was initialised.
        """
        with self._guard:
            if self.safe_state and not (anew and self.has_moved):
                return False
            self.safe_state = "entering"
            self.node._horus_safe_ticks = self.ticks
            return True

    @property
    def has_moved(self) -> bool:
        """Whether it has ticked, or was initialised, since its enter_safe_state() was called."""
        return self.safe_state != "entering" and self.node._horus_safe_ticks != self.ticks

    def move(self) -> None:
        """It is initialised: whatever safe state it was in, init() may have moved it."""
        self.node._horus_safe_ticks = NEVER

    @property
    def is_safe(self) -> bool:
        """Whether its enter_safe_state() has returned, and no tick has begun since."""
        node = self.node
        return bool(node._horus_flags & _SAFE_STATE) and not (self.has_moved or node._horus_started_ns)

    def flag(self, bits: int, *, on: bool = True) -> None:
        """Set flags of its row (enum horus_row_flag), or take them away. From any thread."""
        with self._guard:
            flags = self.node._horus_flags
            self.node._horus_flags = flags | bits if on else flags & ~bits

    def forget(self) -> None:
        """A new run: no failures or misses are behind it, and its ladder is at the bottom. A pause stays."""
        if self.step:
            self.set_rate(self.nominal_rate, 0)
        self.holds &= {"pause"}
        self.step, self.safe_mode, self.safe_state = 0, False, ""
        self.degraded, self.pace, self.skips_wake = 0, 0.0, False
        self.forgive()
        self.node._horus_flags = int(self.config.critical)  # HORUS_ROW_CRITICAL
        self.node._horus_ladder = self.node._horus_safe_state_ns = 0
        super().divert(None)
        self._later = None

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
