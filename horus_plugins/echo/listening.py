"""A subscriber that hardly touches the publishers: it never sleeps on the topic, it looks now and then.

A publisher that wakes a sleeper pays a system call for each message. Who looks costs it at most the cache lines that
were read: the slots, once each.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core import _native
from horus_core.errors import HorusError, RegionError
from horus_core.shm import upkeep
from horus_plugins.echo.known import KnownTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from horus_core.topics import types
    from horus_core.topics.topic import Info

NODE = "horus-echo"
"""What stands for it among a topic's subscribers."""

_FROM_LAST = 1
_SLOWEST_S, _FASTEST_S = 0.02, 0.001
_UPKEEP_S = 1.0
_NS = 1_000_000_000


class Looked(KnownTopic):
    """A handle that makes no topic, and may begin with the newest message."""

    __slots__ = ("_newest",)

    def __init__(self, name: str, *, newest: bool = False) -> None:
        self._newest = newest
        super().__init__(name, backend="shm", _node=NODE)

    def _attach(self, wanted: types.TopicType | None, start: int | None = None) -> bool:
        """Bind to whatever is there by now, also when it has become of another type; never make it."""
        del wanted
        if start is None and self._newest and not self._waited:
            start = _FROM_LAST
        return super()._attach(None, start)


class Seen(NamedTuple):
    """A message that came."""

    message: Any
    info: Info | None
    """With what is known of it, if that was asked for."""


@dataclass(frozen=True)
class Limits:
    """When to end. None: not for this reason."""

    count: int | None = None
    duration_s: float | None = None
    timeout_s: float | None = None
    """Without a message for so long."""


class Listener:
    """Messages of a topic as they come, and what became of the others.

    `rate` in Hz shows at most so many, the newest each time; the others are skipped, not missed. `tell` is given
    lines for people: what is waited for, what was missed, what could not be read. `wanted` says which count.
    """

    def __init__(
        self,
        topic: str,
        tell: Callable[[str], None],
        *,
        newest: bool = False,
        rate: float | None = None,
        with_info: bool = False,
        waiting: Callable[[KnownTopic], str] | None = None,
        wanted: Callable[[Any], bool] | None = None,
    ) -> None:
        self.topic = Looked(topic, newest=newest)
        self._tell = tell
        self._gap_ns = 0 if rate is None else int(_NS / rate)
        self._with_info = with_info
        self._waiting = waiting
        self._wanted = wanted
        self._pause_s = _FASTEST_S  # until it is known how fast messages come
        self._started_ns = _native.now_ns()
        self._next_upkeep_ns = 0
        self._lost = Losses(tell, exact=rate is None)
        self._enough = False
        self.count = 0
        self.timed_out = False

    def listen(self, limits: Limits) -> Iterator[list[Seen]]:
        """What came since the last look, until a limit is reached; also when that is nothing, some 50 times a second.

        Sleeps between the looks. Raises RegionError when the topic cannot be opened.
        """
        last_ns = self._started_ns
        while True:
            batch = self._look(None if limits.count is None else limits.count - self.count)
            now_ns = _native.now_ns()
            if batch:
                last_ns = now_ns
                self.count += len(batch)
            elif self._waiting is not None and self.count == 0 and now_ns - self._started_ns > 2 * _NS:
                self._say_what_is_waited_for()
            yield batch
            if self._is_over(limits, last_ns, now_ns):
                return
            self._lost.look(self.topic, now_ns)
            self._keep_up(now_ns)
            time.sleep(self._nap(limits, last_ns, now_ns))

    def _look(self, most: int | None) -> list[Seen]:
        batch: list[Seen] = []
        if self._gap_ns:
            self.topic.skip_to_newest()
            most = 1
        ring = self.topic.ring
        room = None if ring is None else ring.capacity
        # As many as may be there: a publisher that is faster than we must not keep us from showing what came.
        for _ in range(min(most or 1 << 20, room or 1)):
            seen = self._take()
            if seen is None:
                break
            if self._wanted is None or self._wanted(seen.message):
                batch.append(seen)
        if most is not None and len(batch) >= most:
            self._lost.note(self.topic)  # what is overwritten from now on was not to be shown
            self._enough = True
        self._adapt(len(batch), room)
        return batch

    def _take(self) -> Seen | None:
        while True:
            try:
                return self._received()
            except (HorusError, ValueError, TypeError, RecursionError, MemoryError) as error:  # noqa: PERF203 - seldom more than once
                if not self.topic.attached:  # it was the topic that could not be opened
                    raise
                self._lost.unreadable(error)

    def _received(self) -> Seen | None:
        if self._with_info:
            got = self.topic.recv_info()
            return None if got is None else Seen(*got)
        message = self.topic.recv()
        return None if message is None else Seen(message, None)

    def _adapt(self, came: int, room: int | None) -> None:
        """Look so often that the ring never fills by more than a quarter between two looks, if we can."""
        if room is None or self._gap_ns:
            self._pause_s = _SLOWEST_S
        elif came * 4 >= room:
            self._pause_s = max(_FASTEST_S, self._pause_s / 2)
        elif came * 16 < room:
            self._pause_s = min(_SLOWEST_S, self._pause_s * 1.25)

    def _nap(self, limits: Limits, last_ns: int, now_ns: int) -> float:
        """Seconds to sleep: to the next look, or to a limit that comes before."""
        nap_s = self._pause_s
        if self._gap_ns and self.count:
            due_s = (last_ns + self._gap_ns - now_ns) / _NS
            nap_s = max(_FASTEST_S, due_s if due_s > 0 else min(_SLOWEST_S, self._gap_ns / _NS))
        if limits.duration_s is not None:
            nap_s = min(nap_s, limits.duration_s - (now_ns - self._started_ns) / _NS)
        if limits.timeout_s is not None:
            nap_s = min(nap_s, limits.timeout_s - (now_ns - last_ns) / _NS)
        return max(0.0, nap_s)

    def _is_over(self, limits: Limits, last_ns: int, now_ns: int) -> bool:
        if limits.count is not None and self.count >= limits.count:
            return True
        if limits.duration_s is not None and now_ns - self._started_ns >= limits.duration_s * _NS:
            return True
        self.timed_out = limits.timeout_s is not None and now_ns - last_ns >= limits.timeout_s * _NS
        return self.timed_out

    def _keep_up(self, now_ns: int) -> None:
        if now_ns >= self._next_upkeep_ns:
            self._next_upkeep_ns = now_ns + int(_UPKEEP_S * _NS)
            upkeep.look()

    def _say_what_is_waited_for(self) -> None:
        if self._waiting is not None:
            self._tell(self._waiting(self.topic))
            self._waiting = None

    def unreadable(self, error: Exception) -> None:
        """Count a message that could not be shown, and tell of the first."""
        self.count -= 1
        self._lost.unreadable(error)

    def close(self) -> None:
        """Leave the topic, and tell what was lost in all."""
        if not self._enough:
            self._lost.note(self.topic)
        self._lost.end(self.count)
        self.topic.close()


class Losses:
    """Tells of messages that were missed or could not be read: once a second at most, and all at the end.

    Not `exact`: not all were to be shown, so none was missed.
    """

    def __init__(self, tell: Callable[[str], None], *, exact: bool = True) -> None:
        self._tell = tell
        self._exact = exact
        self._before = 0  # in regions that others have replaced since
        self._here = 0
        self._told = 0
        self._next_ns = 0
        self._bad = 0

    def look(self, topic: KnownTopic, now_ns: int) -> None:
        """Tell what was missed since the last time."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _NS
        missed = self.note(topic)
        if missed > self._told:
            self._tell(f"missed {missed - self._told} messages: they came faster than they could be shown")
            self._told = missed

    def note(self, topic: KnownTopic) -> int:
        """Bring the account up to date: how many were missed in all."""
        if self._exact and topic.attached:
            here = topic.missed
            if here < self._here:
                self._before += self._here
            self._here = here
        return self._before + self._here

    def unreadable(self, error: Exception) -> None:
        """Tell of the first message that could not be read; the others are counted."""
        self._bad += 1
        if self._bad == 1:
            kind = "" if isinstance(error, RegionError) else f"{type(error).__name__}: "
            self._tell(f"a message cannot be read: {kind}{error}")

    def end(self, shown: int) -> None:
        """Tell what was lost in all, if anything was."""
        missed = self._before + self._here
        if missed or self._bad:
            bad = f", {self._bad} could not be read" if self._bad else ""
            self._tell(f"{shown} messages, {missed} missed{bad}")
