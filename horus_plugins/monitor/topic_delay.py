"""`horus topic delay`: how old messages are when they are published, and how long they wait to be taken.

*Own*: publish time less the message's own `timestamp_ns`, where the type has one: what the sender needed from the
moment that it stamps (a sensor's, by custom) to the send. Stamps may be of the machine's monotonic clock, as
`time.monotonic_ns()`, or of the calendar, as `time.time_ns()`: the one that fits is taken, and named.

*Waiting*: the age of the oldest message that a subscriber has not taken, looked at 50 times a second; 0 where it has
taken all. It says how far behind a subscriber is, not how long one message took: nobody notes when it is taken.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core import _native
from horus_core.topics import types
from horus_plugins.monitor.topic_watch import NO_WORD, Watch
from horus_plugins.monitor.topic_window import Spread, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.topic_watch import Look

MONOTONIC, CALENDAR = "monotonic", "calendar"
_REPORT_S = 1.0
_STAMP = "timestamp_ns"
_STAMP_IN_DESCRIPTOR = 48
_NEAR_NS = 3600 * 10**9


class Waiting(msgspec.Struct):
    """How far behind one living subscriber is."""

    node: str
    pid: int
    messages: int
    """That it has not taken, now."""
    age_ms: Spread
    """Of the oldest message that it had not taken, over the window; 0 where it had taken all."""


class Delay(msgspec.Struct):
    """What `topic delay` tells each second."""

    topic: str
    there: bool
    messages: int
    """Looked at in the window."""
    window_s: float
    own_ms: Spread | None
    """Publish time less the message's own timestamp; None where no message says one."""
    clock: str
    """Of the messages' timestamps: monotonic, calendar; empty where there are none."""
    unset: int
    """Messages whose timestamp is 0."""
    why_not: str
    """Why there are no timestamps; empty where there are."""
    subscribers: list[Waiting]
    anew: bool = False
    """Whether the topic appeared, or was made anew, since the report before."""
    error: str = ""
    """Why it cannot be read; empty where it can."""


def stamp_offset(ring: _native.Ring) -> tuple[int, str]:
    """Where a message's own timestamp lies in the slot; NO_WORD with the reason when nobody can tell."""
    if ring.kind == _native.DESCRIPTOR:
        return _STAMP_IN_DESCRIPTOR, ""
    if ring.kind == _native.MSGPACK:
        return NO_WORD, "a dict has no place where its timestamp would stand"
    layout = types.read_description(ring).get("layout")
    fields: Any = layout.get("fields") if isinstance(layout, dict) else None
    for entry in fields if isinstance(fields, list) else ():
        if not isinstance(entry, dict) or entry.get("bounded"):
            break  # what follows an array of which only the used part travels has no fixed place
        if entry.get("name") == _STAMP and entry.get("kind") in ("u64", "i64"):
            offset = entry.get("offset")
            return (
                (offset, "") if isinstance(offset, int) and 0 <= offset < NO_WORD else (NO_WORD, "no place")
            )
    return NO_WORD, f"the type has no {_STAMP} at a fixed place"


class _Moment:
    """What one look brought."""

    __slots__ = ("ages_ns", "own_ns", "seen", "time_ns", "unset")

    def __init__(self, time_ns: int) -> None:
        self.time_ns, self.seen, self.unset = time_ns, 0, 0
        self.own_ns: dict[str, Tally] = {}
        self.ages_ns: dict[tuple[int, str, int], float] = {}


class Delays:
    """Follows one topic and reports."""

    def __init__(self, namespace: str, topic: str, window_s: float) -> None:
        self._watch = Watch(namespace, topic, word=self._find_stamp)
        self._window_s, self._begun_ns = window_s, _native.now_ns()
        self._moments: deque[_Moment] = deque()
        self._why_not = ""
        self._look: Look | None = None
        self._anew = False
        self._waiting: dict[tuple[int, str, int], tuple[str, int, int]] = {}
        self.total = 0
        """Messages that were looked at."""

    def reports(self, *, messages: int | None = None, duration_s: float | None = None) -> Iterator[Delay]:
        """One a second, and one at the end: after so many messages, or so long; else never."""
        begun = due = time.monotonic()
        for look in self._watch.looks():
            self._take(look)
            now = time.monotonic()
            enough = messages is not None and self.total >= messages
            if enough or (duration_s is not None and now - begun >= duration_s):
                yield self.report()
                return
            if now - due >= _REPORT_S:
                due = now
                yield self.report()

    def _find_stamp(self, ring: _native.Ring) -> int:
        offset, self._why_not = stamp_offset(ring)
        return offset

    def _take(self, look: Look) -> None:
        self._anew = self._anew or (look.anew and self._look is not None)
        self._look = look
        ring = self._watch.ring
        if look.anew:
            self._moments.clear()
        moment = _Moment(look.time_ns)
        self._moments.append(moment)
        apart_ns = time.time_ns() - _native.now_ns()
        for _, publish_ns, _, _, refers, stamp in look.seen:
            moment.seen += 1
            if stamp is None or (refers and self._watch.at != _STAMP_IN_DESCRIPTOR):
                continue
            if stamp == 0:
                moment.unset += 1
                continue
            clock, own_ns = _own(publish_ns, stamp, apart_ns)
            moment.own_ns.setdefault(clock, Tally()).add(Tally((own_ns,)))
        self.total += moment.seen
        if ring is not None:
            self._look_at_subscribers(ring, moment)
        while self._moments and self._moments[0].time_ns <= look.time_ns - self._window_s * 1e9:
            self._moments.popleft()

    def _look_at_subscribers(self, ring: _native.Ring, moment: _Moment) -> None:
        front, now_ns = ring.front, _native.now_ns()
        self._waiting = {}
        for row in ring.subscribers():
            key = (row["ident"], row["node"], row["row"])
            waiting = max(0, front - row["cursor"])
            oldest = _oldest(ring, row["cursor"], front) if waiting else None
            if oldest is not None or not waiting:
                moment.ages_ns[key] = float(max(0, now_ns - oldest)) if oldest else 0.0
            self._waiting[key] = (row["node"], row["pid"], min(waiting, ring.capacity))

    def report(self) -> Delay:
        """How it stands."""
        own = {clock: Tally() for moment in self._moments for clock in moment.own_ns}
        for moment in self._moments:
            for clock, tally in moment.own_ns.items():
                own[clock].add(tally)
        clock = max(own, key=lambda one: own[one].count, default="")
        seen, unset = sum(one.seen for one in self._moments), sum(one.unset for one in self._moments)
        why_not, anew, self._anew = self._why_not, self._anew, False
        if not own and seen and not why_not:
            why_not = (
                "its messages leave theirs unset" if unset else "they lie in a pool, which is not looked at"
            )
        return Delay(
            topic=self._watch.topic,
            there=self._watch.ring is not None,
            messages=seen,
            window_s=min(self._window_s, (_native.now_ns() - self._begun_ns) / 1e9),
            own_ms=own[clock].spread(1e-6) if clock else None,
            clock=clock,
            unset=unset,
            why_not=why_not,
            subscribers=[self._behind(key, *shown) for key, shown in self._waiting.items()],
            anew=anew,
            error="" if self._look is None else self._look.error,
        )

    def _behind(self, key: tuple[int, str, int], node: str, pid: int, waiting: int) -> Waiting:
        ages = Tally(moment.ages_ns[key] for moment in self._moments if key in moment.ages_ns)
        return Waiting(node, pid, waiting, ages.spread(1e-6) or Spread(0, 0.0, 0.0, 0.0, 0.0))


def _oldest(ring: _native.Ring, cursor: int, front: int) -> int | None:
    """When the oldest message that this reader can still get was sent; it may be gone while we look."""
    for eighths in range(4):
        seen = ring.sight(max(cursor, front - ring.capacity + eighths * ring.capacity // 8))
        if seen is not None:
            return seen[1]
    return None


def _own(publish_ns: int, stamp: int, apart_ns: int) -> tuple[str, float]:
    """The delay by the clock that fits: the times of the two are years apart, unless the machine has just started."""
    by_monotonic, by_calendar = publish_ns - stamp, publish_ns + apart_ns - stamp
    if abs(by_monotonic) <= min(_NEAR_NS, abs(by_calendar)) or abs(by_monotonic) < abs(by_calendar):
        return MONOTONIC, float(by_monotonic)
    return CALENDAR, float(by_calendar)
