"""The node: a name, topics, and callbacks that a scheduler calls."""

from __future__ import annotations

import itertools
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from horus_core import _native, names
from horus_core.control import logs
from horus_core.errors import ConfigError, NodeError
from horus_core.nodes import callbacks, options, policy, spec
from horus_core.nodes.info import NodeInfo
from horus_core.nodes.options import DEFAULT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.scheduler import Scheduler
    from horus_core.topics.topic import Topic

_WAIT_SLICE_S = 0.05
_UNAVAILABLE = (
    "Real-time, compute, event and async nodes, deadlines and watchdogs are not available in this version."
)
_anonymous = itertools.count(1)
_NO_LADDER_YET: Any = object()


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
        order: int = 100,
        budget: float | None = None,
        deadline: float | None = None,
        on_miss: str = "warn",
        failure_policy: str | policy.Restart | policy.Skip = "fatal",
        compute: bool | Literal["process"] = False,
        on: str | list[str] | None = None,
        priority: int | None = None,
        core: int | None = None,
        rt: bool | Literal["require"] = False,
        watchdog: float | None = None,
        critical: bool = False,
        ladder: Any = _NO_LADDER_YET,
        capacity: int | None = None,
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            known = [key for key in Node.__init__.__annotations__ if key not in ("unknown", "return")]
            raise options.unknown("Node", unknown, known)
        options.refuse_unavailable(
            "Node",
            {
                "budget": (budget, None),
                "deadline": (deadline, None),
                "on_miss": (on_miss, "warn"),
                "compute": (compute, False),
                "on": (on, None),
                "priority": (priority, None),
                "core": (core, None),
                "rt": (rt, False),
                "watchdog": (watchdog, None),
                "critical": (critical, False),
                # There is nothing to switch off: None, which does that, is what every node has.
                "ladder": (None if ladder is _NO_LADDER_YET else ladder, None),
            },
            _UNAVAILABLE,
        )
        self._rate_given = rate is not DEFAULT_RATE
        self._rate = options.rate(rate)
        self._order = options.order(order)
        self._capacity = options.capacity(capacity)
        self._policy = policy.parse(failure_policy)
        self._pubs = spec.parse_pubs(pubs)
        self._subs = spec.parse_subs(subs)
        self._declared_pubs = spec.by_topic(self._pubs)
        self._declared_subs = spec.by_topic(self._subs)
        self._refuse_two_types()
        self._callbacks = callbacks.Callbacks(
            self,
            Node,
            {
                "tick": tick,
                "init": init,
                "shutdown": shutdown,
                "on_error": on_error,
                "enter_safe_state": enter_safe_state,
            },
        )
        self._name = names.node_name(name) if name is not None else self._own_name(tick)
        self._topics: dict[str, Topic] = {}
        self._used_pubs: dict[str, None] = {}
        self._used_subs: dict[str, None] = {}
        self._info = NodeInfo(self)
        self._journal = logs.NodeLog(self._name)
        self._scheduler: Scheduler | None = None

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
        """Bring the hardware into a safe state; called when the node is isolated."""

    # Who and what

    @property
    def name(self) -> str:
        """The node's name, unique in its namespace while it runs."""
        return self._name

    @property
    def rate(self) -> float:
        """How often the node ticks, in Hz."""
        return self._rate

    @property
    def order(self) -> int:
        """The node's place among those that are due together: lower runs first."""
        return self._order

    @property
    def info(self) -> NodeInfo | None:
        """State and figures of the node; None outside its callbacks."""
        return self._info if self._in_callback else None

    def publishers(self) -> list[str]:
        """The names of the topics that this node declared for publishing, or published."""
        return list(dict.fromkeys([*self._declared_pubs, *self._used_pubs]))

    def subscribers(self) -> list[str]:
        """The names of the topics that this node declared for subscribing, or received from."""
        return list(dict.fromkeys([*self._declared_subs, *self._used_subs]))

    get_publishers = publishers
    get_subscribers = subscribers

    # Topics; send, recv, get and has_msg are native

    def recv_all(self, topic: str | type) -> list[Any]:
        """All messages that waited at the time of the call, oldest first."""
        return self._open_to_receive(topic).recv_all()

    get_all = recv_all

    def latest(self, topic: str | type) -> Any:
        """The newest message still in the ring, or None; consumes nothing."""
        return self._open_to_receive(topic).latest()

    def wait(self, topic: str | type, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a message; False when none came or the run is to stop."""
        opened = self._open_to_receive(topic)
        until = time.monotonic() + timeout
        while not opened.wait(min(_WAIT_SLICE_S, max(0.0, until - time.monotonic()))):
            stopping = self._scheduler is not None and self._scheduler.is_stopping()
            if stopping or time.monotonic() >= until:
                return False
        return True

    def is_stale(self, topic: str | type, max_age: float) -> bool:
        """Whether the newest message is older than `max_age` seconds, or none was ever published."""
        return self._open_to_receive(topic).is_stale(max_age)

    # Logs

    def log_debug(self, message: str, every: float | None = None) -> None:
        """Log at level debug; with `every`, this line of code at most once in so many seconds."""
        self._journal.write(logging.DEBUG, message, every)

    def log_info(self, message: str, every: float | None = None) -> None:
        """Log at level info; with `every`, this line of code at most once in so many seconds."""
        self._journal.write(logging.INFO, message, every)

    def log_warning(self, message: str, every: float | None = None) -> None:
        """Log at level warning; with `every`, this line of code at most once in so many seconds."""
        self._journal.write(logging.WARNING, message, every)

    def log_error(self, message: str, every: float | None = None) -> None:
        """Log at level error; with `every`, this line of code at most once in so many seconds."""
        self._journal.write(logging.ERROR, message, every)

    def request_stop(self) -> None:
        """End the run that this node is part of: current ticks finish, then all nodes shut down."""
        if self._scheduler is None:
            raise NodeError(
                f"request_stop() failed: expected a running node, got an idle one (node={self._name!r})."
            )
        self._scheduler.request_stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    # How topics open

    def _open_declared(self) -> None:
        """Open what pubs= and subs= name; classes alone open nothing."""
        for name in self._declared_pubs:
            self._open_to_send(name)
        for name in self._declared_subs:
            self._open_to_receive(name)

    def _open_to_send(self, key: str | type) -> Topic:
        """The topic behind a name or class, from now on found by the native send()."""
        topic = self._open(key)
        self._used_pubs[topic.name] = None
        self._bind_send(key, topic)
        return topic

    def _open_to_receive(self, key: str | type) -> Topic:
        """The topic behind a name or class, from now on found by the native recv()."""
        topic = self._open(key)
        self._used_subs[topic.name] = None
        declared = self._declared_subs.get(topic.name) or spec.Sub(topic.name)
        self._bind_receive(key, topic, declared.native_depth())
        return topic

    def _open(self, key: str | type) -> Topic:
        from horus_core.topics.topic import Topic  # noqa: PLC0415 - nodes are made without topics

        if isinstance(key, str):
            name, message_type = names.topic_name(key), None
        else:
            name, message_type = spec.default_topic(key, self._name), key
        found = self._topics.get(name)
        if found is not None:
            return found
        topic = Topic(name, _node=self._name, **self._wanted(name, message_type))
        opened = self._topics.setdefault(name, topic)
        if opened is not topic:  # another thread was faster
            topic.close()
        return opened

    def _wanted(self, name: str, message_type: type | None) -> dict[str, Any]:
        """What pubs= and subs= say about a topic, as Topic's keywords."""
        pub, sub = self._declared_pubs.get(name), self._declared_subs.get(name)
        return {
            "type": (pub and pub.type) or (sub and sub.type) or message_type,
            "capacity": (pub and pub.capacity) or (sub and sub.capacity) or self._capacity,
            "latched": bool(pub and pub.latched),
        }

    def _close_topics(self) -> None:
        self._unbind()
        topics, self._topics = self._topics, {}
        for topic in topics.values():
            topic.close()

    def _own_name(self, tick: object) -> str:
        base = getattr(tick, "__name__", "node") if type(self) is Node else type(self).__name__
        if not base.isidentifier() or not base.isascii():
            base = "node"
        return names.node_name(f"{base[:100]}_{os.getpid()}_{next(_anonymous)}")

    def _refuse_two_types(self) -> None:
        for name in self._declared_pubs.keys() & self._declared_subs.keys():
            sent, received = self._declared_pubs[name].type, self._declared_subs[name].type
            if sent is not None and received is not None and sent is not received:
                raise ConfigError(
                    f"Bad types of topic {name!r}: expected one type, got {sent.__name__} in pubs and "
                    f"{received.__name__} in subs."
                )
