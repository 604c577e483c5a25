"""The backend around a Bridge: rings in private memory, and the thread between them and the bridge."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from horus_core import _native
from horus_core.backends.port import Port
from horus_core.backends.private import PrivateBackend
from horus_core.topics import handles
from horus_core.topics.attach import Request
from horus_core.topics.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core._native import Member, Ring
    from horus_core.abc import Bridge
    from horus_core.backends.packet import Details
    from horus_core.topics.types import TopicType

_log = logging.getLogger("horus")

_LOOK_S = 1.0
_AGAIN_S = 0.05  # a link that takes nothing now is asked again
_UNUSED_S = 1.0  # so long nobody must have asked for a topic before it is closed
_LAST_S = 1.0  # what may be sent when the process ends
_NS = 1e9


class Bridged(PrivateBackend):
    """Topics of a bridge. `attach` opens nothing on the network: the bridge's thread does, when it can."""

    across_processes: ClassVar[bool] = True

    def __init__(self, bridge: type[Bridge], namespace: str) -> None:
        bridge.check_settings()
        super().__init__(namespace)
        self.name = bridge.name  # type: ignore[misc]  # of the object: one class serves all bridges
        self.sender = os.urandom(16)
        """By which others know packets of this process."""
        self._make_bridge = bridge
        self._bridge: Bridge | None = None
        self._ports: dict[str, Port] = {}
        self._alarm = _native.Alarm()
        self._thread: threading.Thread | None = None
        self._ended = False
        self._numbers: dict[str, int] = {}
        self._said: set[str] = set()
        self._retry_at = 0.0

    # ---- as a backend, on any thread ----

    def attach(self, member: Member, request: Request, opening: Opening) -> Ring | None:
        """The topic's ring in this process; without a type it comes with the first packet of others."""
        with self._lock:
            ring = super().attach(member, request, opening)
            port = self._ports.get(request.topic)
            if port is None:
                port = self._ports[request.topic] = Port(self, request.topic)
            port.wanted = time.monotonic()
            if ring is not None:
                port.bind(ring)
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name=f"horus {self.name}", daemon=True)
                self._thread.start()
        self.wake()
        return ring

    def check(self, topic: str) -> None:
        """Raise TopicTypeError where others use the topic with another type."""
        port = self._ports.get(topic)
        if port is not None and port.refusal is not None:
            raise port.refusal

    def left(self, topic: str) -> None:
        """Whether anybody still uses the topic is looked at by the thread."""
        del topic
        self.wake()

    def stats(self, topic: str) -> dict[str, Any]:
        """What went over the bridge, and what did not."""
        port = self._ports.get(topic)
        return {} if port is None else port.stats()

    def clean(self) -> None:
        """What nobody uses is closed by the thread."""

    def close(self) -> None:
        """Send what is left, for a second at most."""
        self._ended = True
        self.wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LAST_S * 3)

    def wake(self) -> None:
        """Have the thread look at what is to be done."""
        self._alarm.ring()

    def next_number(self, topic: str) -> int:
        """Of the packets that this process sends on the topic, also once it was closed and opened again."""
        number = self._numbers[topic] = self._numbers.get(topic, 0) + 1
        return number

    def adopt(self, port: Port, kind: TopicType, details: Details | None) -> None:
        """Another process has given the topic its type: those who wait for it here get a ring."""
        from horus_core.backends.packet import capacity_of  # noqa: PLC0415 - the port has it already

        capacity, latched = None, False
        if details is not None:
            capacity, latched = capacity_of(details, kind), details.latched
        opening = Opening()
        with self._lock, opening:
            node = "" if details is None else details.node
            request = Request(port.topic, node, kind, capacity, latched=latched)
            ring = super().attach(self._member, request, opening)
            if ring is not None:
                port.bind(ring)
        self.wake()

    # ---- the thread ----

    def _run(self) -> None:
        while not self._ended:
            self._alarm.reset()  # what it rang for is looked at now
            if self._is_over():
                break
            self._turn()
            self._sleep()
        until = time.monotonic() + _LAST_S
        while time.monotonic() < until and any(
            self._has_to_send(port) for port in list(self._ports.values())
        ):
            self._turn()
            time.sleep(0.001)
        self._close_all()

    def _is_over(self) -> bool:
        return self._ended

    def _has_to_send(self, port: Port) -> bool:
        """Whether it is worth another turn at the end: not where nothing could be opened."""
        return not port.drained and (port.link is not None or self._retry_at == 0.0)

    def _turn(self) -> None:
        self._connect()
        for port in list(self._ports.values()):
            self._open(port)
            port.keep()
            if port.forward():
                self.wake()
        self._close_unused()

    def _sleep(self) -> None:
        ports = list(self._ports.values())
        taps = tuple(tap for port in ports if (tap := port.tap) is not None)
        until = time.monotonic() + (_AGAIN_S if any(port.stuck for port in ports) else _LOOK_S)
        _native.wait_any(taps, self._alarm, round(until * _NS))

    def _connect(self) -> None:
        if self._bridge is None and self._ports and time.monotonic() >= self._retry_at:
            self._bridge = self._guarded("connecting", lambda: self._make_bridge(self.namespace))

    def _open(self, port: Port) -> None:
        bridge = self._bridge
        if port.link is None and bridge is not None and time.monotonic() >= self._retry_at:
            port.link = self._guarded(f"opening topic {port.topic!r}", lambda: bridge.open(port))

    def _guarded(self, what: str, call: Callable[[], Any]) -> Any:
        """What a stranger's code returned; None where it raised, which is said once, and tried again in a second."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - as it says
            self._retry_at = time.monotonic() + _LOOK_S
            why = f"{what} failed: {type(error).__name__}: {str(error).rstrip('.')}"
            if why not in self._said:
                self._said.add(why)
                _log.warning("Backend %r: %s. It is tried again; what is sent waits.", self.name, why)
        return None

    def _close_unused(self) -> None:
        used = handles.of_backend(self)
        for topic, port in list(self._ports.items()):
            if topic in used or not port.drained:
                continue
            with self._lock:
                if time.monotonic() < port.wanted + _UNUSED_S:
                    continue
                del self._ports[topic]
                self.forget(topic)
            self._close_link(port)

    def _close_link(self, port: Port) -> None:
        link, port.link = port.link, None
        if link is not None:
            self._guarded(f"closing topic {port.topic!r}", link.close)

    def _close_all(self) -> None:
        for port in list(self._ports.values()):
            self._close_link(port)
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            self._guarded("closing", bridge.close)
