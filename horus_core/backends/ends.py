"""The two ends of a bridged topic's ring: what leaves the process is tapped, what arrives goes in by outlets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from horus_core import _native, names
from horus_core.errors import InvalidNameError
from horus_core.messages import codec, layout
from horus_core.topics import types

if TYPE_CHECKING:
    from horus_core.backends.private import PrivateBackend

_log = logging.getLogger("horus")
_FROM_NEXT, _FROM_FIRST = 0, 2
_ROWS = 256
_OUTLETS_MOST = 32
_SHARED = "bridge"
"""Who seems to have sent what nodes beyond the first _OUTLETS_MOST sent."""


class _End(_native.TopicBase):
    """A handle of the bridge's own: it knows its ring, and never opens another."""

    def __init__(self, backend: PrivateBackend, topic: str, ring: _native.Ring, start: int) -> None:
        member = backend.member()
        self._member = member
        self._topic = topic
        self._warned = False
        self._enter(member, codec.encode, codec.decode, codec.apart)
        cls = types.class_of_ring(ring)
        fits = ring.kind == _native.TYPED and cls is not None and layout.wire_max(cls) <= ring.payload
        self._bind(ring, cls, None if fits else backend.pool(member), start)
        self._checked(member.epoch)

    def _open_for_recv(self) -> bool:
        self._checked(self._member.epoch)
        return False

    def _warn_dropped(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("Topic %r drops messages that arrive: %s", self._topic, reason)


class Tap(_End):
    """Receives all that is sent on the topic, from the first message on. Tools do not see it."""

    def __init__(self, backend: PrivateBackend, topic: str, ring: _native.Ring) -> None:
        super().__init__(backend, topic, ring, _FROM_FIRST)
        self._announce(None)


class Outlet(_End):
    """Publishes for one node of another process, under that node's name."""

    def __init__(self, backend: PrivateBackend, topic: str, ring: _native.Ring, node: str) -> None:
        super().__init__(backend, topic, ring, _FROM_NEXT)
        self._publish(node)


class Ends:
    """A ring with its tap and its outlets. Another ring of the topic gets others."""

    def __init__(self, backend: PrivateBackend, topic: str, ring: _native.Ring) -> None:
        self.ring = ring
        self.type = types.of_ring(ring)
        self._backend = backend
        self._topic = topic
        self._tap: Tap | None = None
        self._outlets: dict[str, Outlet] = {}
        self._passed = bytes(_ROWS)
        self._names: dict[int, str] = {}

    @property
    def tap(self) -> Tap:
        """What receives everything that is sent here."""
        if self._tap is None:
            self._tap = Tap(self._backend, self._topic, self.ring)
        return self._tap

    @property
    def missed(self) -> int:
        """Messages that were overwritten before they were tapped."""
        return 0 if self._tap is None else self._tap.missed

    def next(self) -> tuple[str, bytes] | None:
        """The next message that a node of this process sent: which node, and the message's bytes."""
        body = self.tap._recv_bytes(self._passed)  # noqa: SLF001 - our own
        return None if body is None else (self._node(self.tap._last()[2]), body)  # noqa: SLF001

    def put(self, node: str, body: bytes) -> bool | None:
        """Publish what a node of another process sent; None for bytes that are no message of the type."""
        return self._outlet(node)._send_bytes(body)  # noqa: SLF001

    def _outlet(self, node: str) -> Outlet:
        try:
            node = names.node_name(node)
        except InvalidNameError:
            node = _SHARED
        if node not in self._outlets and len(self._outlets) >= _OUTLETS_MOST:
            node = _SHARED
        found = self._outlets.get(node)
        if found is None:
            found = self._outlets[node] = Outlet(self._backend, self._topic, self.ring, node)
            passed = bytearray(self._passed)
            passed[found._row] = 1  # noqa: SLF001 - before anything is sent by it
            self._passed = bytes(passed)
        return found

    def _node(self, row: int) -> str:
        if row not in self._names:
            self._names = {end["row"]: end["node"] for end in self.ring.publishers()}
        return self._names.get(row, "")
