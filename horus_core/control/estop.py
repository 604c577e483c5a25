"""The emergency stop: the message, its latched topic, and the one listener of a process.

Who engages it tells the schedulers of its own process first and publishes then: a topic that takes nothing must
not keep the nodes next door from stopping. The last message stands, also for those that come later, until
another one releases it.
"""

# Without `from __future__ import annotations`: the annotations are the fields of a message.
import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from horus_core import _native
from horus_core.errors import HorusError
from horus_core.messages.fields import bool_, field, text, u64
from horus_core.messages.message import Message
from horus_core.shm import namespace as namespaces

if TYPE_CHECKING:
    from typing_extensions import Self

    from horus_core._native import Ring
    from horus_core.topics.topic import Topic

TOPIC = "_horus.estop"
REASON_BYTES, SOURCE_BYTES = 63, 31
_CAPACITY = 16
_RETRY_S = 0.1
_PRIORITY = 1
_log = logging.getLogger("horus")


class EmergencyStop(Message, topic="estop"):
    """An emergency stop, engaged or released."""

    engaged: bool_ = field(default=False, doc="Whether to stop; a release never stops anything.")
    reason: str = text(64, doc="Why.")
    source: str = text(32, doc="Which node.")
    auto_reset: bool_ = field(default=False, doc="Whether it may release itself when its cause is gone.")
    timestamp_ns: u64 = field(default=0, kw_only=True, unit="ns", doc="When it was decided; 0 is unset.")

    @classmethod
    def engage(cls, reason: str, source: str = "") -> "Self":
        """Make the order to stop."""
        return cls(engaged=True, reason=reason, source=source)

    @classmethod
    def release(cls, source: str = "") -> "Self":
        """Make the order that a stop is over."""
        return cls(engaged=False, source=source)


class Hearer(Protocol):
    """What obeys orders."""

    def heard(self, order: EmergencyStop) -> None:
        """Obey; return soon. On the listener's thread, or on that of who engaged it in this process."""

    def follow_up(self) -> None:
        """Afterwards, without any lock held: see to what others have not done."""


def order_to_stop(reason: str, source: str) -> EmergencyStop:
    """The order, with what does not fit cut off."""
    return EmergencyStop(
        engaged=True,
        reason=_cut(reason, REASON_BYTES),
        source=_cut(source, SOURCE_BYTES),
        timestamp_ns=time.monotonic_ns(),
    )


def order_to_release(source: str) -> EmergencyStop:
    """The order that a stop is over."""
    return EmergencyStop(engaged=False, source=_cut(source, SOURCE_BYTES), timestamp_ns=time.monotonic_ns())


def open_topic(node: str, backend: str | None = None) -> "Topic":
    """A handle on the topic of the current namespace; the topic is made if need be.

    Without a backend it goes over what the control topics of this process go over. Raises TopicTypeError or
    RegionError when it cannot be had.
    """
    from horus_core.topics.topic import Topic  # noqa: PLC0415 - a scheduler is imported without topics

    return Topic(
        TOPIC, EmergencyStop, capacity=_CAPACITY, latched=True, backend=backend, _node=node, _framework=True
    )


def stands(ring: "Ring") -> bool:
    """Whether the last message of that region is an order to stop."""
    from horus_core.topics import types  # noqa: PLC0415 - only for cleaners

    if types.of_ring(ring) != types.of_class(EmergencyStop):
        return False
    handle = _native.TopicBase()
    handle._enter(ring.member, None, None, {})  # noqa: SLF001 - a handle that only looks, at what is no dict
    handle._bind(ring, EmergencyStop, None, 0)  # noqa: SLF001
    last = handle._latest()  # noqa: SLF001
    handle._unbind()  # noqa: SLF001
    return last is not None and bool(last.engaged)


class Listener:
    """The thread of a process that hears orders in one namespace, for all its schedulers."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.pid = os.getpid()
        self._hearers: list[Hearer] = []
        self._lock = threading.RLock()
        self._ended = False
        self._topic = open_topic("_horus")
        self._topic.has_msg()  # a subscriber from now on
        self._sender = open_topic("_horus")
        self.standing: EmergencyStop | None = self._topic.latest()
        """The last order of all."""
        self._thread = threading.Thread(target=self._listen, name="horus estop", daemon=True)
        self._thread.start()

    @property
    def ring(self) -> "Ring | None":
        """Where the watchdog publishes what was prepared."""
        return self._sender._ring  # noqa: SLF001 - the native side of our own handle

    def join(self, hearer: Hearer) -> None:
        """Tell it from now on; at once what stands."""
        with self._lock:
            self._hearers.append(hearer)
            if self.standing is not None:
                hearer.heard(self.standing)

    def leave(self, hearer: Hearer) -> bool:
        """Tell it nothing any more; True when nobody is left to tell."""
        with self._lock:
            if hearer in self._hearers:
                self._hearers.remove(hearer)
            return not self._hearers

    def give(self, order: EmergencyStop) -> None:
        """Have it obeyed here, then publish it. Raises HorusError when no other process will hear it."""
        self._tell(order)
        if not self._sender.send(order):
            raise HorusError(f"topic {TOPIC!r} took nothing")

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._topic.close()
        self._sender.close()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _listen(self) -> None:
        # Before all that is ordinary, after every Rt node, which its looks once a second must not hold up. The thread
        # works for a millisecond in an emergency; where the kernel refuses it waits its turn.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
        while not self._ended:
            self._hear_one()

    def _hear_one(self) -> None:
        try:
            if self._topic.wait(None):
                for order in self._topic.recv_all():
                    self._tell(order)
                self._follow_up()
        except Exception as error:  # noqa: BLE001 - whatever it is, who listens must go on listening
            if not self._ended:
                _say(logging.ERROR, "Listening for emergency stops failed, and goes on: %s", error)
                time.sleep(_RETRY_S)

    def _tell(self, order: EmergencyStop) -> None:
        with self._lock:
            self.standing = order
            for hearer in list(self._hearers):
                hearer.heard(order)

    def _follow_up(self) -> None:
        with self._lock:
            hearers = list(self._hearers)
        for hearer in hearers:
            hearer.follow_up()


_listeners: dict[str, Listener] = {}
_guard = threading.Lock()


def listen(hearer: Hearer) -> Listener:
    """The process's listener in the current namespace, started if need be, with one more to tell."""
    here = namespaces.current()
    with _guard:
        listener = _listeners.get(here)
        if listener is None:
            listener = _listeners[here] = Listener(here)
        listener.join(hearer)
        return listener


def ignore(listener: Listener, hearer: Hearer) -> None:
    """Tell it no more; without anybody to tell the listener ends."""
    with _guard:
        if not listener.leave(hearer) or listener.pid != os.getpid():
            return
        if _listeners.get(listener.namespace) is listener:
            del _listeners[listener.namespace]
    listener.close()


def _cut(said: str, most: int) -> str:
    return str(said).encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _say(level: int, *what: object) -> None:
    with suppress(Exception):  # a broken stderr, or a handler of somebody else's, must not matter here
        _log.log(level, *what)


def _forget_in_child() -> None:
    """A forked child has no such thread, and runs no scheduler of its parent's."""
    global _guard  # noqa: PLW0603 - another thread of the parent may have held it
    _guard = threading.Lock()
    _listeners.clear()


os.register_at_fork(after_in_child=_forget_in_child)
