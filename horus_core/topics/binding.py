"""What one handle on a topic does when something is rare: opening, following a region that was replaced, errors.

The native base calls these methods; horus_core/topics/topic.py adds what users call.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from horus_core import _native, names
from horus_core.backends import registry as backends
from horus_core.errors import HorusError, RegionError, TopicTypeError
from horus_core.messages import layout
from horus_core.shm import upkeep
from horus_core.topics import handles, types
from horus_core.topics.opening import Opening

if TYPE_CHECKING:
    from horus_core.topics import attach

_log = logging.getLogger("horus")

_FROM_NEXT, _FROM_LAST, _FROM_FIRST = 0, 1, 2


class Handle(_native.TopicBase):
    """A handle that opens its topic when it is first used, and again when that is necessary."""

    __slots__ = ("__dict__",)

    def __init__(self, request: attach.Request) -> None:
        self.name = request.topic
        self._request = request
        self._waited = False
        self._warned_dropped = False
        self._thread = threading.get_ident()
        self._opening = Opening()
        with self._opening:
            self._enter_namespace()
            self._attach(request.type)
        handles.add(self)

    def _enter_namespace(self) -> None:
        self._backend = backends.of_request(self._request)
        self._member = self._backend.member()
        # Nothing is encoded or decoded before the handle is bound to a dict topic's region.
        self._enter(self._member, None, None, {})

    def _load_codec(self) -> None:
        from horus_core.messages import codec  # noqa: PLC0415 - msgspec takes 7 ms to import

        self._enter(self._member, codec.encode, codec.decode, codec.apart)

    def _attach(self, wanted: types.TopicType | None, start: int | None = None) -> bool:
        """Bind to the region: False when it does not exist and no type is known to create it with."""
        epoch = self._member.epoch
        request = self._request
        if wanted is not request.type:
            request = request.but(type=wanted)
        ring = self._backend.attach(self._member, request, self._opening)
        if ring is None:
            self._checked(epoch)
            self._waited = (
                True  # whoever waits from before the topic was there gets it from its first message
            )
            return False
        if start is None:
            start = _FROM_LAST if ring.latched else _FROM_FIRST if self._waited else _FROM_NEXT
        cls = request.type.python if request.type is not None else self._class_of(ring)
        if ring.kind == _native.MSGPACK:
            self._load_codec()
        self._bind(ring, None if cls is dict else cls, self._pool_for(ring, cls), start)
        self._checked(epoch)
        self._opening.log(
            logging.DEBUG, "Topic %r attached: %s (node=%r).", self.name, types.of_ring(ring), request.node
        )
        return True

    def _class_of(self, ring: _native.Ring) -> type | None:
        try:
            return types.class_of_ring(ring)
        except RegionError as error:
            raise RegionError(
                f"Opening topic {self.name!r} failed (node={self._request.node!r}, pid={os.getpid()}): {error}"
            ) from error

    def _pool_for(self, ring: _native.Ring, cls: type | None) -> _native.Pool | None:
        """The pool for what does not fit a slot; None for messages that always do."""
        if ring.kind == _native.TYPED and cls is not None and layout.wire_max(cls) <= ring.payload:
            return None
        return self._backend.pool(ring.member)

    def _open_for_send(self, message: object) -> bool:
        with self._opening:
            return self._open_publisher(message)

    def _open_publisher(self, message: object) -> bool:
        if not self._request.framework:
            names.publishable(self.name)
        self._check_usable()
        if self._attached:
            self._check_binding()
        if not self._attached:
            self._attach(self._request.type or types.of_message(message), start=_FROM_NEXT)
        if not self._publishing:
            self._check_type(message)
            self._publish(self._request.node)
        return True

    def _open_for_recv(self) -> bool:
        """Called when nothing is there: True when another look is worth it."""
        with self._opening:
            return self._open_subscriber()

    def _open_subscriber(self) -> bool:
        self._check_usable()
        again = self._check_binding() if self._attached else self._attach(self._request.type)
        if self._attached and not self._receiving:
            self._announce(self._request.node)
            return True
        return again

    def _await_topic(self, until_ns: int) -> None:
        """Sleep until some topic appears that could be this one."""
        epoch = self._member.epoch
        if not self._open_for_recv():
            self._member.wait(epoch, until_ns)

    def _upkeep(self, now_ns: int) -> None:
        """Called once a second by who waits for a message."""
        del now_ns
        upkeep.look()

    def _bound_ring(self) -> _native.Ring:
        """The mapping of a bound handle; another thread may close the handle at any time."""
        ring = self._ring
        if ring is None:
            raise self._is_closed()
        return ring

    def _is_closed(self) -> HorusError:
        return HorusError(f"Topic {self.name!r} is closed (pid={os.getpid()}). Open a new handle.")

    def _check_usable(self) -> None:
        if self._closed:
            raise self._is_closed()
        if self._member.forked or not self._member.linked:
            # A forked child: the parent's rows are the parent's. Or somebody removed our files: start again.
            self._unbind()
            self._enter_namespace()
        self._backend.check(self.name)

    def _check_binding(self) -> bool:
        """Follow the topic when its region was replaced; True when it was."""
        epoch = self._member.epoch
        ring = self._bound_ring()
        if self._backend.is_current(self._member, self.name, ring):
            self._checked(epoch)
            return False
        self._unbind()
        return self._attach(self._request.type or types.of_ring(ring), start=_FROM_FIRST)

    def _check_type(self, message: object) -> None:
        ring = self._bound_ring()
        got = types.of_message(message)
        if got == types.of_ring(ring):
            return
        if self._request.type is not None or not self._is_left_over(ring):
            self._wrong_message(message)
        # Nobody here or elsewhere asked for the type that a dead process gave the topic.
        del ring
        self._unbind()
        self._attach(got, start=_FROM_NEXT)

    def _is_left_over(self, ring: _native.Ring) -> bool:
        """Whether this handle alone uses the region: whoever made it is dead, or has left."""
        return not ring.in_use(True) and all(handle is self for handle in handles.on_ring(ring))

    def _wrong_message(self, message: object) -> None:
        expected, got = types.of_ring(self._bound_ring()), types.of_message(message)
        shown = type(message).__name__ if got.kind == _native.MSGPACK else str(got)
        fields = types.difference(expected, got)
        error = TopicTypeError(
            f"Type mismatch on topic {self.name!r}: expected {expected}, got {shown}"
            f"{': ' + fields if fields else ''} (node={self._request.node!r}, pid={os.getpid()}). "
            "Send the topic's type, or use another topic name."
        )
        with self._opening:
            self._opening.log(logging.ERROR, "%s", error)
        raise error

    def _encode_failed(self, message: object) -> None:
        from horus_core.messages import encode_errors  # noqa: PLC0415 - only when something is wrong

        if types.of_message(message) != types.MSGPACK:
            self._wrong_message(message)
        raise encode_errors.explain(message, self.name, self._request.node) from None

    def _forget_encoding(self) -> None:
        """Ctrl+C or the like came in the middle: the arrays that were put aside are not kept."""
        from horus_core.messages import codec  # noqa: PLC0415 - loaded already, as below

        codec.forget_apart()

    def _encode_again(self, message: object, encoded: bytes) -> bytes:
        """Datetimes travel as text; looked at when the encoded bytes could hold one."""
        from horus_core.messages import codec, encode_errors  # noqa: PLC0415

        del encoded
        codec.forget_apart()
        try:
            return codec.encode(encode_errors.with_datetimes_as_text(message))
        except Exception:  # noqa: BLE001 - too deep for Python's stack, or changed meanwhile
            raise encode_errors.explain(message, self.name, self._request.node) from None

    def _encode_parts(self, encoded: bytes) -> bytes | list[bytes | memoryview]:
        from horus_core.messages import codec  # noqa: PLC0415 - called for large arrays

        return codec.parts(encoded)

    def _warn_dropped(self, reason: str) -> None:
        if not self._warned_dropped:
            self._warned_dropped = True
            _log.warning("Topic %r drops messages (node=%r): %s", self.name, self._request.node, reason)


def _begin_anew_in_child() -> None:
    for handle in handles.every():
        handle._opening = Opening()  # noqa: SLF001 - another thread of the parent may have held it
        handle._unbind()  # noqa: SLF001 - rows and cursor are the parent's


os.register_at_fork(after_in_child=_begin_anew_in_child)
