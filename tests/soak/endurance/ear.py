"""Receiving from one topic: every message is checked, and what was received is written down as runs of numbers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from endurance import payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from endurance.workload import Receiving

_DRAINS = 200
_FORGET_NS = 30_000_000_000
_COUNTS = ("delivered", "missed", "skipped", "pending", "void")


class Run:
    """Numbers of one publisher that came without a gap."""

    __slots__ = ("first", "heard_ns", "last")

    def __init__(self, number: int, heard_ns: int) -> None:
        self.first = self.last = number
        self.heard_ns = heard_ns


class Ear:
    """One subscriber on one topic."""

    def __init__(
        self,
        port: tuple[Callable[[], Any], Callable[[], dict[str, Any]]],
        name: str,
        topic: tuple[int, str],
        how: Receiving,
    ) -> None:
        self._recv, self._stats = port
        self._name = name
        self.topic = topic[0]
        self._read = payloads.KINDS[topic[1]][2]
        self.how = how
        self.got = 0
        self.counts = dict.fromkeys(_COUNTS, 0)
        self._runs: dict[int, Run] = {}
        self._done: list[dict[str, Any]] = []
        self._held: list[tuple[float, Any, payloads.Stamp]] = []
        self.latencies_ns: list[int] = []
        self.faults: list[dict[str, Any]] = []
        self.on_message: Callable[[Any, payloads.Stamp], None] | None = None

    def opened(self, before_ns: int, *, latched: bool) -> dict[str, Any]:
        """The line that says since when it has been listening."""
        return self._line("open", t0=before_ns, t1=time.monotonic_ns(), latched=latched)

    def listen(self, most: int) -> int:
        """Receive what is there, at most so many; how many there were."""
        for count in range(most):
            message = self._recv()
            if message is None:
                return count
            self._take(message)
        return most

    def _take(self, message: Any) -> None:
        self.got += 1
        try:
            stamp = self._read(message)
        except payloads.DamagedError as error:
            self._fault(f"damaged: {error}")
            return
        now_ns = time.monotonic_ns()
        self.latencies_ns.append(now_ns - stamp.sent_ns)
        self._enter(stamp, now_ns)
        if self.on_message is not None:
            self.on_message(message, stamp)
        if self.how.hold_s:
            self._held.append((now_ns + self.how.hold_s * 1e9, message, stamp))
            self.let_go(now_ns)

    def _enter(self, stamp: payloads.Stamp, now_ns: int) -> None:
        run = self._runs.get(stamp.publisher)
        if run is None:
            self._runs[stamp.publisher] = Run(stamp.number, now_ns)
            return
        run.heard_ns = now_ns
        if stamp.number == run.last + 1:
            run.last += 1
            return
        if stamp.number <= run.last:
            self._fault(f"twice or out of order: {stamp.number} of {stamp.publisher} came after {run.last}")
        self._end(stamp.publisher, run)
        self._runs[stamp.publisher] = Run(stamp.number, now_ns)

    def _end(self, publisher: int, run: Run) -> None:
        self._done.append(self._line("run", publisher=publisher, first=run.first, last=run.last))

    def let_go(self, now_ns: int) -> None:
        """Look at what was held long enough, whether it still is what it was, and drop it."""
        while self._held and self._held[0][0] <= now_ns:
            _, message, stamp = self._held.pop(0)
            try:
                same = self._read(message) == stamp
            except payloads.DamagedError:
                same = False
            if not same:
                self._fault(f"changed while held: {stamp}")

    def news(self) -> list[dict[str, Any]]:
        """Lines for the journal since the last time; publishers that are silent for long are forgotten."""
        now_ns = time.monotonic_ns()
        for publisher in [who for who, run in self._runs.items() if now_ns - run.heard_ns > _FORGET_NS]:
            self._end(publisher, self._runs.pop(publisher))
        lines, self._done = [*self._done, *self.faults], []
        self.faults = []
        return lines

    def account(self) -> dict[str, Any]:
        """What the counters say now, and that it is between two moments that they say it."""
        before_ns = time.monotonic_ns()
        stats = self._stats()
        self.counts = {key: stats[key] for key in _COUNTS}
        return self._line("stats", t0=before_ns, t1=time.monotonic_ns(), got=self.got, **self.counts)

    def finish(self) -> list[dict[str, Any]]:
        """The last lines: first with what is pending, then with all of it received."""
        lines = [self.account()]
        for _ in range(_DRAINS):
            self.listen(100_000)
            last = self.account()
            if last["pending"] == 0:
                break
        self.let_go(2**63)
        for publisher, run in self._runs.items():
            self._end(publisher, run)
        self._runs.clear()
        return [*lines, *self.news(), {**last, "final": True}]

    def _line(self, event: str, **fields: Any) -> dict[str, Any]:
        return {"event": event, "ear": self._name, "topic": self.topic, **fields}

    def _fault(self, text: str) -> None:
        self.faults.append(self._line("fault", text=text))
