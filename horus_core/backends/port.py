"""One topic of a bridge: what nodes of this process send goes out by its link, what the link hears comes in."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from horus_core.backends import packet as packets
from horus_core.backends.ends import Ends
from horus_core.errors import TopicTypeError
from horus_core.topics import types

if TYPE_CHECKING:
    from horus_core._native import Ring
    from horus_core.abc import Link
    from horus_core.backends.bridged import Bridged
    from horus_core.backends.ends import Tap

_log = logging.getLogger("horus")

_KEPT_S = 10.0
"""For how long others may learn the type and the last message once this process has died."""
_AGAIN_S = _KEPT_S / 3
_IN_ONE_TURN = 256
_SENDERS_MOST = 1000
_SAYINGS_MOST = 32
_SAME_AGE_MS = 100  # more than a packet takes


class Port:
    """What a Link is given: the topic's name, and `deliver`. All else is for HORUS."""

    def __init__(self, backend: Bridged, topic: str) -> None:
        self.topic = topic
        """The topic's name."""
        self.namespace = backend.namespace
        """Its namespace."""
        self.link: Link | None = None
        self.wanted = time.monotonic()
        """When a handle last asked for the topic."""
        self.refusal: TopicTypeError | None = None
        """Why nothing is carried: others use the topic with another type."""
        self._backend = backend
        self._arriving = threading.Lock()
        self._ends: Ends | None = None
        self._since = time.monotonic()
        self._heard: dict[bytes, int] = {}
        self._disputed: dict[bytes, int] = {}
        self._counts = dict.fromkeys(("sent", "received", "dropped", "lost", "rejected"), 0)
        self._said: set[str] = set()
        self._held: tuple[str | None, bytes] | None = None
        self._last: bytes | None = None
        self._kept = 0.0

    # ---- for the link, on any thread ----

    def deliver(self, packet: bytes | bytearray | memoryview) -> bool:
        """Put another process's packet into the ring; what this process sent itself is passed over.

        False when nothing was stored: it is no packet of this version, of another type, or came twice. Never raises.
        """
        found = packets.decode(packet)
        if found is None:
            self._counts["rejected"] += 1
            return False
        if found.sender == self._backend.sender:
            return False
        try:
            with self._arriving:
                return self._described(found) if found.number == 0 else self._arrived(found)
        except Exception as error:  # noqa: BLE001 - whatever others send, the link goes on
            return self._reject(f"{type(error).__name__}: {error}")

    def _described(self, packet: packets.Packet) -> bool:
        details = packets.details_of(packet)
        kind = None if details is None else packets.type_of(packet, details.layout)
        if details is None or kind is None:
            return self._reject(f"no class for type {packet.type!r} is installed here")
        ends = self._ends
        if ends is None:
            self._backend.adopt(self, kind, details)
            self._since = time.monotonic() - packet.age_ms / 1e3
        elif kind != ends.type:
            self._dispute(packet, ends.type, kind, details)
        else:
            self._since = min(self._since, time.monotonic() - packet.age_ms / 1e3)
        return True

    def _dispute(
        self, packet: packets.Packet, ours: types.TopicType, kind: types.TopicType, details: packets.Details
    ) -> None:
        """Two types: the one that the topic has had for longer stands; of two as old, the same one everywhere."""
        older_ms = packet.age_ms - self._age_ms()
        lost = packet.sender > self._backend.sender if abs(older_ms) < _SAME_AGE_MS else older_ms > 0
        if not lost or not self._answers(packet):
            self._kept = 0.0  # tell them at once
            self._backend.wake()
        elif self.refusal is None:
            fields = types.difference(kind, ours)
            self.refusal = TopicTypeError(
                f"Type mismatch on topic {self.topic!r}: expected {ours}, got {kind}"
                f"{': ' + fields if fields else ''} (pid={os.getpid()}; over {self._backend.name!r} the topic is in "
                f"use by node {details.node!r}, pid {details.pid}). Use the same type on both sides, or another "
                "topic name."
            )
            _log.error("%s", self.refusal)
            self._backend.member().bump()

    def _answers(self, packet: packets.Packet) -> bool:
        """Whether who disagrees lives: it says so again. What a dead process has left behind only comes once."""
        before = self._disputed.get(packet.sender)
        if len(self._disputed) < _SENDERS_MOST:
            self._disputed[packet.sender] = packet.age_ms
        return before is not None and packet.age_ms > before

    def _arrived(self, packet: packets.Packet) -> bool:
        if self._ends is None and (kind := packets.type_of(packet)) is not None:
            self._backend.adopt(self, kind, None)
        ends = self._ends
        if ends is None:
            return self._reject("its type is not known here yet")
        if (packet.kind, packet.type, packet.hash) != (ends.type.kind, ends.type.name, ends.type.hash):
            return self._reject(f"node {packet.node!r} sends type {packet.type!r}")
        if not self._is_news(packet):
            return False
        stored = ends.put(packet.node, packet.body)
        if stored is None:
            return self._reject(f"node {packet.node!r} sends bytes that are no {packet.type}")
        self._counts["received" if stored else "dropped"] += 1
        return stored

    def _is_news(self, packet: packets.Packet) -> bool:
        """Whether it did not come before; what is missing in between is counted."""
        last = self._heard.pop(packet.sender, 0)
        self._heard[packet.sender] = max(last, packet.number)  # the last of the table is who was heard last
        if len(self._heard) > _SENDERS_MOST:
            del self._heard[next(iter(self._heard))]
        if packet.number <= last:
            return False
        if last:
            self._counts["lost"] += packet.number - last - 1
        return True

    def _reject(self, why: str) -> bool:
        self._counts["rejected"] += 1
        if why not in self._said and len(self._said) < _SAYINGS_MOST:
            self._said.add(why)
            _log.warning(
                "Topic %r over %r: a message of another process was passed over: %s",
                self.topic,
                self._backend.name,
                why,
            )
        return False

    # ---- for the backend ----

    def bind(self, ring: Ring) -> None:
        """The topic has a ring, or another one. The caller holds the backend's lock."""
        if self._ends is None or self._ends.ring is not ring:
            self._ends = Ends(self._backend, self.topic, ring)
            self._since, self._kept, self._last, self.refusal = time.monotonic(), 0.0, None, None

    def stats(self) -> dict[str, Any]:
        """What `Topic.stats()["bridge"]` shows."""
        counts = dict(self._counts)
        counts["dropped"] += 0 if self._ends is None else self._ends.missed
        return {"connected": self.link is not None, **counts}

    # ---- for the bridge's thread ----

    @property
    def tap(self) -> Tap | None:
        """What is to be slept on: None where nothing can be sent."""
        return None if self._ends is None or self.link is None or self._held is not None else self._ends.tap

    @property
    def stuck(self) -> bool:
        """Whether the link takes nothing now."""
        return self.link is not None and (
            self._held is not None or (self._ends is not None and self._kept == 0.0)
        )

    @property
    def drained(self) -> bool:
        """Whether nothing is left to be sent."""
        return self._held is None and (self._ends is None or not self._ends.tap.has_msg())

    def keep(self) -> None:
        """Tell others the type, and those who come later; and the last message of a latched topic."""
        now = time.monotonic()
        ends = self._ends
        if self.link is None or ends is None or self.refusal is not None or now < self._kept + _AGAIN_S:
            return
        creator = types.read_description(ends.ring).get("creator") or {}
        details = packets.Details(
            ends.type.layout, ends.ring.capacity, ends.ring.latched, str(creator.get("node")), os.getpid()
        )
        packet = packets.description(self._backend.sender, ends.type, details, self._age_ms())
        try:
            told = self.link.keep("type", packet, _KEPT_S)
            if told and self._last is not None:
                told = self.link.keep("last", self._last, _KEPT_S)
            self._kept = now if told else 0.0
        except Exception as error:  # noqa: BLE001 - a stranger's code
            self._failed(error)
            self._kept = now

    def forward(self) -> bool:
        """Give the link what was sent; whether there may be more at once."""
        if self.link is None or self._ends is None or (self._kept == 0.0 and self.refusal is None):
            return False  # who knows nothing of the type could not read it
        for _ in range(_IN_ONE_TURN):
            if self._held is None:
                self._held = self._next(self._ends)
            if self._held is None:
                return False
            if not self._give(*self._held):
                return False
            self._held = None
        return True

    def _next(self, ends: Ends) -> tuple[str | None, bytes] | None:
        """The next message that this process sent, as a packet, and where it is to be kept."""
        while (sent := ends.next()) is not None:
            if self.refusal is not None:
                self._counts["dropped"] += 1
                continue
            packet = packets.message(
                self._backend.sender, sent[0], self._backend.next_number(self.topic), ends.type, sent[1]
            )
            if not ends.ring.latched:
                return None, packet
            self._last = packet
            return "last", packet
        return None

    def _give(self, slot: str | None, packet: bytes) -> bool:
        """False: the link takes nothing now."""
        assert self.link is not None
        try:
            taken = self.link.send(packet) if slot is None else self.link.keep(slot, packet, _KEPT_S)
        except Exception as error:  # noqa: BLE001 - a stranger's code
            self._failed(error)
            self._counts["dropped"] += 1
            return True
        self._counts["sent"] += bool(taken)
        return bool(taken)

    def _failed(self, error: Exception) -> None:
        why = f"{type(error).__name__}: {error}"
        if why not in self._said and len(self._said) < _SAYINGS_MOST:
            self._said.add(why)
            _log.warning("Topic %r over %r loses messages: %s", self.topic, self._backend.name, why)

    def _age_ms(self) -> int:
        return round((time.monotonic() - self._since) * 1e3)
