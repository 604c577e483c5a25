"""`horus.Topic`: one handle on a topic, for publishing and subscribing."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core import _native, names, prefix
from horus_core.errors import ConfigError
from horus_core.scheduler import clock as clocks
from horus_core.topics import attach, handles, types
from horus_core.topics.binding import Handle

if TYPE_CHECKING:
    import builtins
    from collections.abc import AsyncIterator
    from types import TracebackType

    from typing_extensions import Self

_log = logging.getLogger("horus")

_CAPACITY_MAX = 1 << 20


class Info(NamedTuple):
    """What is known of a message besides its contents."""

    publish_ns: int
    """When it was sent, as `horus.now_ns()` tells the time where this is read, in nanoseconds.

    CLOCK_MONOTONIC of this machine; inside the callbacks of a deterministic run, simulated time.
    """
    sequence: int
    """Its number in the topic, from 0. Numbers that were given up by a publisher are left out."""
    publisher: str
    """The node that sent it; "" when it has left since."""


class Topic(Handle):
    """A named channel that any number of processes publish and subscribe to.

    `name` is the topic, or a message class for its default topic. `type` is a message class or dict; without it
    the topic gets its type from the first send, and a subscriber learns it from the publisher. `capacity` is how
    many messages the ring keeps (rounded up to a power of two), `latched` gives late joiners the last one; both
    are settled by whoever creates the topic. `backend` names what carries it: "shm", "local", or what a plugin
    supplies; without it HORUS_BACKEND decides, else it is shared memory.

    Raises InvalidNameError, ConfigError, TopicTypeError (another process uses another type), RegionError,
    PluginError (there is no such backend).
    """

    __slots__ = ()

    def __init__(
        self,
        name: str | type,
        type: type | None = None,  # noqa: A002 - the word that the API promises
        *,
        capacity: int | None = None,
        latched: bool = False,
        backend: str | None = None,
        _node: str | None = None,
        _framework: bool = False,
    ) -> None:
        name, type = _name_and_type(name, type)  # noqa: A001
        wanted = None if type is None else types.of_class(type)
        named = _node is not None or _framework  # by a node, or by HORUS itself, who give whole names
        topic = names.topic_name(name) if named else prefix.topic(name)
        capacity = _checked_capacity(topic, capacity)
        super().__init__(
            attach.Request(topic, _node or _script_name(), wanted, capacity, latched, _framework, backend)
        )

    # ---- receiving ----

    def recv_all(self) -> list[Any]:
        """All messages that were waiting at the call."""
        found = []
        for _ in range(max(self.pending, 1)):
            message = self.recv()
            if message is None:
                break
            found.append(message)
        return found

    def recv_info(self) -> tuple[Any, Info] | None:
        """The next message with what is known of it, or None."""
        message = self.recv()
        return None if message is None else (message, self._info())

    def latest(self) -> Any:
        """The newest message in the ring, without consuming it; None when there is none."""
        if not (self._attached and self._receiving):
            self._open_for_recv()
        return self._latest()

    def history(self, n: int) -> list[Any]:
        """The newest messages still in the ring, at most n, oldest first; nothing is consumed."""
        if not (self._attached and self._receiving):
            self._open_for_recv()
        ring = self._ring
        if ring is None or n <= 0:
            return []
        front = ring.front
        first = max(front - n, front - ring.capacity, ring.capacity)
        found = (self._peek(number) for number in range(first, front))
        return [message for message in found if message is not None]

    async def recv_async(self) -> Any:
        """The next message, awaited: the event loop runs on meanwhile."""
        from horus_core.topics import waiter  # noqa: PLC0415 - asyncio only where it is used

        return await waiter.receive(self)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            yield await self.recv_async()

    # ---- what is known ----

    def _info(self) -> Info:
        publish_ns, number, owner = self._last()
        ring = self._ring
        if ring is None:
            return Info(clocks.when(publish_ns), 0, "")
        publish_ns = clocks.when(publish_ns)
        names_by_row = {row["row"]: row["node"] for row in ring.publishers()}
        return Info(publish_ns, number - ring.capacity, names_by_row.get(owner, ""))

    def age(self) -> float | None:
        """Seconds since the message received last was sent; None before the first."""
        publish_ns, number, _ = self._last()
        return None if number == 0 else (clocks.now_ns() - clocks.when(publish_ns)) / 1e9

    def is_stale(self, max_age: float) -> bool:
        """Whether the newest message in the ring is older than `max_age` seconds, or there is none."""
        if not self._attached:
            self._open_for_recv()
        ring = self._ring
        latest_ns = None if ring is None else ring.latest_ns
        return latest_ns is None or clocks.now_ns() - clocks.when(latest_ns) > max_age * 1e9

    def _look(self) -> _native.Ring | None:
        """The topic's region, if there is one by now; looking makes nobody a publisher or subscriber."""
        if not self._attached and not self._closed:
            with self._opening:
                self._check_usable()
                if not self._attached:
                    self._attach(self._request.type)
        return self._ring

    @property
    def type(self) -> builtins.type | None:
        """The class of the topic's messages: a message class, dict, or None while it is not known."""
        ring = self._look()
        if ring is None:
            return None if self._request.type is None else self._request.type.python
        return dict if ring.kind == _native.MSGPACK else self._message_type

    @property
    def capacity(self) -> int | None:
        """How many messages the ring keeps; None while the topic does not exist."""
        ring = self._look()
        return None if ring is None else ring.capacity

    @property
    def publishers(self) -> list[str]:
        """Names of the nodes that publish now."""
        ring = self._look()
        return [] if ring is None else [row["node"] for row in ring.publishers()]

    @property
    def subscribers(self) -> list[str]:
        """Names of the nodes that subscribe now. One that names no type is among them once the topic has one."""
        ring = self._look()
        return [] if ring is None else [row["node"] for row in ring.subscribers()]

    @property
    def backend(self) -> str:
        """What connects the participants now: "same-thread", "same-process" or "cross-process"."""
        ring = self._ring
        if ring is None:
            return "same-thread"
        ends = ring.publishers() + ring.subscribers()
        if any(end["ident"] != self._member.ident for end in ends) or self._backend.stats(self.name):
            return "cross-process"
        return "same-thread" if len(handles.threads_of(ring)) <= 1 else "same-process"

    @property
    def over(self) -> str:
        """The backend that carries the topic: "shm", "local", or a plugin's."""
        return self._backend.name

    def stats(self) -> dict[str, Any]:
        """This handle's figures, JSON-serialisable."""
        delivered, missed, void, skipped, _ = self._settle()
        sent, refused, revoked = self._sent()
        carried = self._backend.stats(self.name)
        return {
            "topic": self.name,
            "type": None if self._ring is None else types.of_ring(self._ring).name,
            "capacity": self.capacity,
            "backend": self.backend,
            "over": self.over,
            "sent": sent,
            "refused": refused,
            "revoked": revoked,
            "dropped": self.dropped,
            "delivered": delivered,
            "missed": missed,
            "skipped": skipped,
            "void": void,
            "pending": self.pending,
            **({"bridge": carried} if carried else {}),
        }

    # ---- life ----

    def close(self) -> None:
        """Leave the topic. Messages stay for others; the handle cannot be used again."""
        self._closed = True
        ring = self._ring
        self._unbind()
        if ring is not None:
            ring.wake()  # a thread of ours may sleep in wait()
        self._backend.left(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: builtins.type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        ring = self._ring
        state = "closed" if self._closed else "waiting" if ring is None else str(types.of_ring(ring))
        return f"<horus.Topic {self.name!r}: {state}>"


def _name_and_type(name: str | type, wanted: type | None) -> tuple[str, type | None]:
    if isinstance(name, str):
        return name, wanted
    default = getattr(name, "__topic__", None)
    if not isinstance(default, str):
        shown = getattr(name, "__name__", repr(name))
        raise ConfigError(
            f"Opening a topic failed: expected a name or a message class with a default topic, got {shown}. "
            f"Give the name: Topic('name', {shown})."
        )
    return default, name if wanted is None else wanted


def _checked_capacity(name: str, capacity: int | None) -> int | None:
    if capacity is not None and (not isinstance(capacity, int) or not 1 <= capacity <= _CAPACITY_MAX):
        raise ConfigError(
            f"Opening topic {name!r} failed: expected a capacity from 1 to {_CAPACITY_MAX}, got {capacity!r}."
        )
    return capacity


def _script_name() -> str:
    """What stands for the node where none is named: the script, or "python"."""
    stem = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] != "-c" else ""
    return names.as_node_name(prefix.current().replace("/", ".") + (stem or "python"))
