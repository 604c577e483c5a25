"""A stream that talks all the time is read every 10 ms, and not at each line.

To wake who reads is most of what a line costs a process that logs a lot, and to be woken all of what it costs the
launcher. One stream rests at a time, and any other one that has something ends its rest: it is read before that one
then, as it would have been.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REST_S = 0.01
"""A line is late by so much at most. Who talks less often never rests."""
MUCH = 1 << 14
"""Bytes of one read: who writes as many before it has rested is read at once, for its pipe may hold only 64 KiB."""


class Rest:
    """Which stream is not polled now, and until when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.fd: int | None = None
        self._until = 0.0
        self._talked = (-1, 0.0)
        self._within = REST_S

    def limit(self, timeout_ms: float | None) -> float | None:
        """How long to poll where that timeout is asked for, in milliseconds; None: for ever."""
        if self.fd is None:
            return timeout_ms
        left_ms = max(0.0, (self._until - self._clock()) * 1e3)
        return left_ms if timeout_ms is None or timeout_ms < 0 else min(timeout_ms, left_ms)

    def over(self, *, others: bool) -> int | None:
        """The stream whose rest ends now, because its time is up or others have something; None: there is none."""
        if self.fd is None or not (others or self._clock() >= self._until):
            return None
        fd, self.fd = self.fd, None
        return fd

    def begins(self, fd: int, taken: int) -> bool:
        """Whether a stream rests now of which, and of which alone, so many bytes came just now."""
        now = self._clock()
        before, then = self._talked
        rests = before == fd and now - then < self._within and 0 < taken < MUCH
        if taken:
            self._talked = (fd, now)
        self._within = 2 * REST_S if rests else REST_S
        if rests:
            self.fd, self._until = fd, now + REST_S
        return rests
