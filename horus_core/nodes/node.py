"""The node: a name, topics, and callbacks that a scheduler calls."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from horus_core import _native, prefix
from horus_core.control.logs import NodeLog
from horus_core.errors import NodeError
from horus_core.nodes import config, options, placement, policy
from horus_core.nodes.callbacks import Callbacks
from horus_core.nodes.info import NodeInfo
from horus_core.nodes.options import DEFAULT_RATE
from horus_core.nodes.parts import Parts
from horus_core.nodes.wiring import Wiring
from horus_core.scheduler import clock as clocks

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT_SLICE_S = 0.05
_anonymous = itertools.count(1)
_DEFAULT_ORDER = 100
_DEFAULT_POLICY = "fatal"


class Node(_native.NodeBase):
    """A part of a robot's program that is called at a rate and talks over topics.

    Pass functions (`tick=fn`), or subclass and override `tick`, `init`, `shutdown`, `on_error` and
    `enter_safe_state`. Callbacks take the node or nothing; `on_error` takes `(node, exception)` or
    `(exception)`. `send`, `recv` and `has_msg` work on any topic name or message class, declared in `pubs`
    and `subs` or not.

    Raises ConfigError for unknown keywords and bad values.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        tick: Callable[..., Any] | None = None,
        init: Callable[..., Any] | None = None,
        shutdown: Callable[..., Any] | None = None,
        on_error: Callable[..., Any] | None = None,
        enter_safe_state: Callable[..., Any] | None = None,
        pubs: Any = None,
        subs: Any = None,
        rate: float = DEFAULT_RATE,
        order: int = _DEFAULT_ORDER,
        budget: float | None = None,
        deadline: float | None = None,
        on_miss: str = "warn",
        failure_policy: str | policy.Restart | policy.Skip = _DEFAULT_POLICY,
        compute: bool | Literal["process"] = False,
        on: str | list[str] | None = None,
        priority: int | None = None,
        core: int | None = None,
        rt: bool | Literal["require"] = False,
        watchdog: float | None = None,
        critical: bool = False,
        ladder: policy.Ladder | None = config.DEFAULTS["ladder"],
        capacity: int | None = None,
        execution: str | None = None,
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            known = [key for key in Node.__init__.__annotations__ if key not in ("unknown", "return")]
            raise options.unknown("Node", unknown, known)
        timing = {
            "budget": budget,
            "deadline": deadline,
            "on_miss": on_miss,
            "compute": compute,
            "on": on,
            "priority": priority,
            "core": core,
            "rt": rt,
            "watchdog": watchdog,
            "critical": critical,
            "ladder": ladder,
            "execution": execution,
        }
        options.refuse_class_attributes(
            type(self),
            Node,
            {
                "name": (name, None),
                "pubs": (pubs, None),
                "subs": (subs, None),
                "rate": (rate, DEFAULT_RATE),
                "order": (order, _DEFAULT_ORDER),
                "failure_policy": (failure_policy, _DEFAULT_POLICY),
                "capacity": (capacity, None),
                **{key: (timing[key], default) for key, default in config.DEFAULTS.items()},
            },
        )
        given = {
            "tick": tick,
            "init": init,
            "shutdown": shutdown,
            "on_error": on_error,
            "enter_safe_state": enter_safe_state,
        }
        name = prefix.node(name if name is not None else self._horus_own_name(tick))
        callbacks = Callbacks(self, Node, given, in_process=compute == "process")
        parsed = config.parse(timing, is_async=callbacks.is_async)
        self._horus = Parts(
            name=name,
            config=parsed,
            rate=placement.own_rate(rate),
            rate_given=rate is not DEFAULT_RATE,
            order=options.order(order),
            policy=policy.parse(failure_policy),
            callbacks=callbacks,
            wiring=Wiring(
                self,
                name,
                pubs,
                subs,
                options.capacity(capacity),
                on=parsed.on,
                elsewhere=parsed.compute == "process",
            ),
            info=NodeInfo(self),
            journal=NodeLog(name),
        )
        self._horus_bind_log(self._horus.journal.levels, self._horus.journal.write)

    # What subclasses override; never called where a keyword gives a function instead.

    def tick(self) -> None:
        """Do one step of the node's work. Override this, or pass `tick=`."""

    def init(self) -> None:
        """Get ready, once, before the first tick."""

    def shutdown(self) -> None:
        """Let go of hardware and files, once, after the last tick."""

    def on_error(self, error: Exception) -> None:
        """Handle an exception of a tick; when overridden, the node goes on."""

    def enter_safe_state(self) -> None:
        """Bring the hardware into a safe state: on an emergency stop, in safe mode, and when isolated."""

    # Who and what

    @property
    def name(self) -> str:
        """The node's name, unique in its namespace while it runs."""
        return self._horus.name

    @property
    def rate(self) -> float:
        """How often the node ticks, in Hz."""
        return self._horus.rate

    @property
    def order(self) -> int:
        """The node's place among those that are due together: lower runs first."""
        return self._horus.order

    @property
    def info(self) -> NodeInfo | None:
        """State and figures of the node; None outside its callbacks."""
        return self._horus.info if self._horus_in_callback else None

    def publishers(self) -> list[str]:
        """The names of the topics that this node declared for publishing, or published."""
        return self._horus.wiring.publishers()

    def subscribers(self) -> list[str]:
        """The names of the topics that this node declared for subscribing, or received from."""
        return self._horus.wiring.subscribers()

    get_publishers = publishers
    get_subscribers = subscribers

    # Topics and logs; send, recv, get, has_msg and log_* are native

    def recv_all(self, topic: str | type) -> list[Any]:
        """All messages that waited at the time of the call, oldest first."""
        return self._horus.wiring.inlet(topic).recv_all()

    get_all = recv_all

    def latest(self, topic: str | type) -> Any:
        """The newest message still in the ring, or None; consumes nothing."""
        return self._horus.wiring.inlet(topic).latest()

    def wait(self, topic: str | type, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a message; False when none came or the run is to stop.

        In a deterministic run it returns at once: time stands still inside a tick.
        """
        opened = self._horus.wiring.inlet(topic)
        if clocks.stands_still():
            return opened.has_msg()
        until = time.monotonic() + timeout
        while not opened.wait(min(_WAIT_SLICE_S, max(0.0, until - time.monotonic()))):
            scheduler = self._horus.scheduler
            if (scheduler is not None and scheduler.is_stopping()) or time.monotonic() >= until:
                return False
        return True

    def is_stale(self, topic: str | type, max_age: float) -> bool:
        """Whether the newest message is older than `max_age` seconds, or none was ever published."""
        return self._horus.wiring.inlet(topic).is_stale(max_age)

    def request_stop(self) -> None:
        """End the run that this node is part of: current ticks finish, then all nodes shut down."""
        scheduler = self._horus.scheduler
        if scheduler is None:
            raise NodeError(
                f"request_stop() failed: expected a running node, got an idle one (node={self.name!r})."
            )
        scheduler.request_stop()

    def emergency_stop(self, reason: str) -> None:
        """Stop the robot: every scheduler of the namespace enters the safe state of its nodes, and ticks none.

        The latched order stands until `horus estop --release`. The reason is cut at 63 bytes.
        """
        scheduler = self._horus.scheduler
        if scheduler is None:
            raise NodeError(
                f"emergency_stop() failed: expected a running node, got an idle one (node={self.name!r}). "
                f"Use `horus estop` from outside."
            )
        scheduler.emergency_stop(reason, self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # What the native part calls for a topic that it does not know yet

    def _horus_open_to_send(self, key: str | type) -> None:
        self._horus.wiring.open_to_send(key)

    def _horus_open_to_receive(self, key: str | type) -> None:
        self._horus.wiring.open_to_receive(key)

    def _horus_own_name(self, tick: object) -> str:
        base = getattr(tick, "__name__", "node") if type(self) is Node else type(self).__name__
        if not base.isidentifier() or not base.isascii():
            base = "node"
        return f"{base[:100]}_{os.getpid()}_{next(_anonymous)}"
