"""What one process does at each of its steps, whatever its style."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endurance import misbehaviour
from endurance.board import Board, Column, Phase
from endurance.journal import EVENTS, SENDS, EventJournal, SendJournal
from endurance.ports import Ports
from endurance.workload import Channel, Role

_FLUSH_NS = 1_000_000_000
_ACCOUNT_NS = 10_000_000_000


@dataclass(frozen=True)
class Order:
    """What the supervisor tells a process that it starts."""

    folder: str
    row: int
    processes: int
    life: int
    publisher: int
    """The number under which it sends; for a nursery the first of many."""
    life_s: float | None
    """When it is to end by itself."""
    role: dict[str, Any]
    channels: list[dict[str, Any]]


class Actor:
    """Sends, receives, and writes down what it did."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.role = Role.from_dict(order.role)
        self.channels = [Channel(**one) for one in order.channels]
        folder = Path(order.folder)
        self.name = f"{self.role.name}.{order.life}"
        self.sends = SendJournal(folder / f"{self.name}{SENDS}")
        self.events = EventJournal(folder / f"{self.name}{EVENTS}")
        self._board = Board(folder / "board", order.processes)
        self._row = self._board.rows[order.row]
        self._base = self._row[Column.SENT : Column.SKIPPED + 1].copy()
        self.ports = Ports(self.role, self.channels, self.sends, self.name)
        self._end_ns = 2**63 if order.life_s is None else time.monotonic_ns() + int(order.life_s * 1e9)
        self._flush_ns = 0
        self._account_ns = time.monotonic_ns() + _ACCOUNT_NS
        self.steps = 0
        self._finished = False
        self._misbehave = misbehaviour.of(self.role)

    def begin(self, lines: list[dict[str, Any]]) -> None:
        """All topics are open: say so."""
        self.events.write({"event": "begin", "pid": os.getpid(), "ns": time.monotonic_ns()}, *lines)
        for source, target in self.role.relays:
            self.ports.ears[source].on_message = self.ports.mouths[target].pass_on
        self._row[Column.BEAT] = time.monotonic_ns()
        self._row[Column.LIFE] = self.order.life

    @property
    def phase(self) -> Phase:
        """What all are to do."""
        return self._board.phase

    def is_over(self) -> bool:
        """Whether this process is to end now."""
        return self._board.phase is Phase.FINISH or time.monotonic_ns() >= self._end_ns

    def step(self) -> None:
        """Send what is due, receive what is there."""
        now_ns = time.monotonic_ns()
        phase = self._board.phase
        if phase is Phase.RUN:
            self._speak()
        self._listen(now_ns)
        self._misbehave(self)
        self.steps += 1
        if now_ns >= self._flush_ns:
            self._flush_ns = now_ns + _FLUSH_NS
            self._flush()
        if now_ns >= self._account_ns:
            self._account_ns = now_ns + _ACCOUNT_NS
            self.events.write(*(ear.account() for ear in self.ports.ears.values()))
        self._row[Column.BEAT] = time.monotonic_ns()
        self._row[Column.PHASE] = phase

    def _speak(self) -> None:
        if self.role.style == "nursery":
            return  # its children do
        for one in self.role.sends:
            if self.steps % one.every == 0:
                for _ in range(one.burst):
                    self.ports.mouths[one.topic].say()

    def _listen(self, now_ns: int) -> None:
        for ear in self.ports.ears.values():
            if self.steps % ear.how.every == 0:
                ear.listen(ear.how.most)
                ear.let_go(now_ns)

    def _flush(self) -> None:
        lines = []
        for name, ear in self.ports.ears.items():
            lines += ear.news()
            if name == self.role.wait_on and ear.latencies_ns:
                lines.append(_latency(ear.latencies_ns))
            ear.latencies_ns.clear()
        self.events.write(*lines)
        self._show()

    def _show(self) -> None:
        mouths, ears = self.ports.mouths.values(), self.ports.ears.values()
        figures = (
            sum(mouth.sent for mouth in mouths),
            sum(mouth.refused for mouth in mouths),
            sum(ear.got for ear in ears),
            sum(ear.counts["missed"] for ear in ears),
            sum(ear.counts["skipped"] for ear in ears),
        )
        self._row[Column.SENT : Column.SKIPPED + 1] = self._base + figures

    def count_child(self) -> None:
        """One more process was forked."""
        self._row[Column.CHILDREN] += 1

    def finish(self) -> None:
        """The last lines."""
        if self._finished:
            return
        self._finished = True
        self.events.write(*account_of(self.ports), {"event": "end", "ns": time.monotonic_ns()})
        self._show()
        self._row[Column.PHASE] = self._board.phase


def account_of(ports: Ports) -> list[dict[str, Any]]:
    """The last lines of all ears and mouths."""
    lines = [line for ear in ports.ears.values() for line in ear.finish()]
    return lines + [line for mouth in ports.mouths.values() if (line := mouth.account())]


def _latency(found_ns: list[int]) -> dict[str, Any]:
    ordered = sorted(found_ns)
    return {
        "event": "latency",
        "ns": time.monotonic_ns(),
        "count": len(ordered),
        "p50_us": ordered[len(ordered) // 2] / 1e3,
        "p99_us": ordered[len(ordered) * 99 // 100] / 1e3,
        "max_us": ordered[-1] / 1e3,
    }
