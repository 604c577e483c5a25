"""`horus topic hz` and `bw`: how often and how much, once a second, for as long as somebody wants to know."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from horus_core import _native
from horus_plugins.monitor.topic_watch import Watch
from horus_plugins.monitor.topic_window import Spread, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.topic_watch import Look

REPORT_S = 1.0
MISSING, EMPTY, PUBLISHING, SILENT, UNREADABLE = (
    "missing",
    "no messages",
    "publishing",
    "silent",
    "unreadable",
)
_SILENT_S = 1.0
_SILENT_INTERVALS = 3


class PublisherRate(msgspec.Struct):
    """What one living publisher has sent since the report before."""

    node: str
    pid: int
    rate_hz: float


class Rate(msgspec.Struct):
    """What `topic hz` and `bw` tell each second."""

    topic: str
    state: str
    """missing (there is no such topic), unreadable, no messages (since the start of the command), publishing, or
    silent (nothing came for a second and three intervals)."""
    messages: int
    """In the window; exact."""
    total: int
    """Since the start of the command; exact."""
    window_s: float
    """How far back the window reaches."""
    rate_hz: float | None
    """From the first message of the window to the last, by their publish times; None below two messages."""
    silent_s: float | None
    """Since the newest message was sent, also one from before the start of the command."""
    sampled: bool
    """Whether more came than could be looked at: then the spreads are of those that were."""
    interval_ms: Spread | None
    """Between messages that followed each other."""
    bytes: int
    """Of all messages of the window; where sampled, the mean of those seen times their number."""
    bytes_per_s: float | None
    message_bytes: Spread | None
    history: list[int]
    """Messages in each twentieth of the window, the oldest first."""
    publishers: list[PublisherRate]
    anew: bool = False
    """Whether the topic appeared, or was made anew, since the report before."""
    error: str = ""


class Meter:
    """Follows one topic and reports."""

    def __init__(self, namespace: str, topic: str, window_s: float) -> None:
        self._watch = Watch(namespace, topic)
        self._window = Window(window_s, _native.now_ns())
        self._sent: dict[tuple[int, int], int] = {}
        self._sent_ns = _native.now_ns()
        self._anew = False
        self._look: Look | None = None

    def reports(self, *, messages: int | None = None, duration_s: float | None = None) -> Iterator[Rate]:
        """One a second, and one at the end: after so many messages, or so long; else never."""
        begun = due = time.monotonic()
        for look in self._watch.looks():
            self._take(look)
            now = time.monotonic()
            enough = messages is not None and self._window.total >= messages
            if enough or (duration_s is not None and now - begun >= duration_s):
                yield self.report()
                return
            if now - due >= REPORT_S:
                due = now
                yield self.report()

    def _take(self, look: Look) -> None:
        # What is there at the first look is no news.
        self._anew = self._anew or (look.anew and self._look is not None)
        if self._look is None:
            self._publishers()
        self._look = look
        self._window.add(look)

    def report(self) -> Rate:
        """How it stands."""
        window, look = self._window, self._look
        window.correct(self._watch.settle())
        messages, seen, sizes = window.messages, window.seen, window.sizes()
        rate_hz, message_bytes = window.rate_hz, sizes.spread()
        anew, self._anew = self._anew, False
        mean_bytes = message_bytes.mean if message_bytes else 0.0
        return Rate(
            topic=self._watch.topic,
            state=self._state(look),
            messages=messages,
            total=window.total,
            window_s=window.covered_s,
            rate_hz=rate_hz,
            silent_s=self._silent_s(),
            sampled=seen < messages,
            interval_ms=window.gaps().spread(1e-6),
            bytes=round(mean_bytes * messages),
            bytes_per_s=None if rate_hz is None else mean_bytes * rate_hz,
            message_bytes=message_bytes,
            history=window.history(),
            publishers=self._publishers(),
            anew=anew,
            error="" if look is None else look.error,
        )

    def _state(self, look: Look | None) -> str:
        if look is None or not look.there:
            return UNREADABLE if look is not None and look.error else MISSING
        window, silent_s = self._window, self._silent_s()
        if window.total == 0 or silent_s is None:
            return EMPTY
        interval_s = 1 / window.rate_hz if window.rate_hz else 0.0
        return SILENT if silent_s > max(_SILENT_S, _SILENT_INTERVALS * interval_s) else PUBLISHING

    def _silent_s(self) -> float | None:
        ring = self._watch.ring
        latest_ns = None if ring is None else ring.latest_ns
        return None if latest_ns is None else max(0.0, (_native.now_ns() - latest_ns) / 1e9)

    def _publishers(self) -> list[PublisherRate]:
        """From their own counts: which is whose does not depend on what was looked at.

        All that a publisher has sent who was not there the last time is new.
        """
        now_ns = _native.now_ns()
        if self._watch.ring is None:
            self._sent, self._sent_ns = {}, now_ns
            return []
        passed_s = max(1e-9, (now_ns - self._sent_ns) / 1e9)
        rows = self._watch.ring.publishers()
        before, self._sent_ns = self._sent, now_ns
        self._sent = {(row["ident"], row["row"]): row["sent"] for row in rows}
        return [
            PublisherRate(row["node"], row["pid"], max(0, row["sent"] - before.get(key, 0)) / passed_s)
            for key, row in zip(self._sent, rows, strict=True)
        ]
