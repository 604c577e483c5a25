"""What a node can learn about itself inside its callbacks."""

# ruff: noqa: SLF001 - this is the node's own view of itself

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from horus_core.nodes.state import NodeState

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.nodes.node import Node

_MS = 1e6  # nanoseconds
_STATES = tuple(NodeState)  # in the order of the native core's
_NUMBERS = {state: number for number, state in enumerate(_STATES)}


class NodeInfo:
    """A live view of one node: its state, its figures and how long it has been running."""

    __slots__ = ("_node", "_now_ns", "_started_ns")

    def __init__(self, node: Node) -> None:
        self._node = node
        self._started_ns = 0
        self._now_ns: Callable[[], int] = time.monotonic_ns

    @property
    def name(self) -> str:
        """The node's name."""
        return self._node.name

    def state(self) -> NodeState:
        """The state now."""
        return _STATES[self._node._horus_state]

    def transition_to_error(self, message: str) -> None:
        """Enter the ERROR state: the node keeps ticking until it, or clear_error(), says otherwise."""
        self._set(NodeState.ERROR)
        self._node.log_error(f"entered the ERROR state: {message}")

    def clear_error(self) -> None:
        """Leave the ERROR state and count failures in a row from zero."""
        self._node._horus_forgive()
        if self.state() is NodeState.ERROR:
            self._set(NodeState.RUNNING)

    def get_metrics(self) -> dict[str, int | float]:
        """Counts of ticks and failures, and durations of ticks in milliseconds; zeros before the first."""
        node = self._node
        return {
            "total_ticks": node._horus_ticks,
            "successful_ticks": self.successful_ticks(),
            "failed_ticks": node._horus_failed,
            "errors_count": node._horus_failed,
            "avg_tick_duration_ms": self.avg_tick_duration_ms(),
            "min_tick_duration_ms": node._horus_min_ns / _MS,
            "max_tick_duration_ms": node._horus_max_ns / _MS,
            "last_tick_duration_ms": node._horus_last_ns / _MS,
            "p50_tick_duration_ms": self.tick_duration_ms(0.50),
            "p99_tick_duration_ms": self.tick_duration_ms(0.99),
        }

    def get_uptime(self) -> float:
        """Seconds since the node's init began; 0.0 before."""
        return (self._now_ns() - self._started_ns) / 1e9 if self._started_ns else 0.0

    def tick_count(self) -> int:
        """How many ticks have ended."""
        return self._node._horus_ticks

    def successful_ticks(self) -> int:
        """How many ticks ended without an exception."""
        return self._node._horus_ticks - self._node._horus_failed

    def failed_ticks(self) -> int:
        """How many ticks raised an exception."""
        return self._node._horus_failed

    def error_count(self) -> int:
        """The same as failed_ticks()."""
        return self._node._horus_failed

    def avg_tick_duration_ms(self) -> float:
        """The mean duration of a tick in milliseconds."""
        ticks = self._node._horus_ticks
        return self._node._horus_total_ns / ticks / _MS if ticks else 0.0

    def tick_duration_ms(self, share: float) -> float:
        """The duration in milliseconds below which that share (0 to 1) of the ticks lies, to a tenth of it."""
        node = self._node
        # A histogram knows no more than its buckets, but the extremes are known exactly.
        bounded = min(max(node._horus_quantile(share), node._horus_min_ns), node._horus_max_ns)
        return bounded / _MS

    def _set(self, state: NodeState) -> None:
        self._node._horus_state = _NUMBERS[state]

    def _enter(self, state: NodeState) -> None:
        """For the scheduler: the node is in another state from now on."""
        if state is NodeState.INITIALIZING:
            scheduler = self._node._horus.scheduler
            self._now_ns = time.monotonic_ns if scheduler is None else scheduler.clock.now_ns
            self._started_ns = self._now_ns()
        self._set(state)
