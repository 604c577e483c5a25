"""Accounts of every message, from what publishers and subscribers wrote down themselves.

HORUS promises each subscriber: accepted since it joined = delivered + missed + skipped + pending. Which sends were
accepted stands in the publishers' journals, with the times before and after each. A join, and a look at the
counters, lie between two times as well. So for every look there is a least number of messages (sent for certain
after the join, and stored for certain before the look) and a most; where nobody was sending at just that time they
are the same number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from endurance.journal import ACCEPTED, BEGIN, REFUSED

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEVER = np.uint64(2**64 - 1)
_UNKNOWN = 0


@dataclass
class Sends:
    """The sends on one topic, ordered by publisher and number."""

    publisher: NDArray[Any]
    number: NDArray[Any]
    before: NDArray[Any]
    after: NDArray[Any]
    outcome: NDArray[Any]

    def __post_init__(self) -> None:
        self.key = self.publisher.astype(np.uint64) << np.uint64(32) | self.number
        stored = self.outcome == ACCEPTED
        self._stored_before = np.sort(self.before[stored])
        self._stored_after = np.sort(self.after[stored])
        possible = self.outcome != REFUSED
        self._possible_before = np.sort(self.before[possible])
        self._possible_after = np.sort(self.after[possible])

    def accepted(self) -> int:
        """How many were, as far as their senders lived to write it down."""
        return int((self.outcome == ACCEPTED).sum())

    def stored_until(self, ns: int) -> int:
        """How many were stored for certain before this moment."""
        return _rank(self._stored_after, ns)

    def between(self, join: tuple[int, int], look: tuple[int, int]) -> tuple[int, int]:
        """The least and the most that were stored after the join and before the look."""
        least = self.stored_until(look[0]) - _rank(self._stored_before, join[1] + 1)
        most = _rank(self._possible_before, look[1] + 1) - _rank(self._possible_after, join[0])
        return max(least, 0), most

    def find(self, publisher: int, first: int, last: int) -> NDArray[Any]:
        """The places of the sends with these numbers."""
        return np.arange(
            _rank(self.key, publisher << 32 | first), _rank(self.key, (publisher << 32 | last) + 1)
        )


def _rank(ordered: NDArray[np.uint64], value: int) -> int:
    """How many are below the value."""
    return int(np.searchsorted(ordered, np.uint64(value)))  # a plain int would make floats of them all


def sends_by_topic(records: NDArray[Any], topics: int) -> list[Sends]:
    """The journals of all publishers, by topic."""
    order = np.lexsort((records["what"], records["number"], records["publisher"], records["topic"]))
    rows = records[order]
    begins = np.flatnonzero(rows["what"] == BEGIN)
    outcome = np.full(len(begins), _UNKNOWN)
    after = np.full(len(begins), _NEVER, np.uint64)
    nxt = np.minimum(begins + 1, max(len(rows) - 1, 0))
    same = np.ones(len(begins), bool)
    for name in ("topic", "publisher", "number"):
        same &= rows[name][nxt] == rows[name][begins]
    same &= rows["what"][nxt] != BEGIN
    outcome[same] = rows["what"][nxt][same]
    after[same] = rows["ns"][nxt][same]
    cut = np.searchsorted(rows["topic"][begins], np.arange(topics + 1))
    made = []
    for low, high in pairwise(cut):
        part = rows[begins[low:high]]
        made.append(Sends(part["publisher"], part["number"], part["ns"], after[low:high], outcome[low:high]))
    return made


@dataclass
class Ledger:
    """What the accounts came to."""

    accepted: int = 0
    unknown: int = 0
    """Sends whose publisher was killed before it wrote what came of them."""
    refused: int = 0
    ears: int = 0
    closed: int = 0
    """Ears that ended with a last account; the others were killed."""
    closed_exact: int = 0
    """Those whose last account adds up to the message."""
    looks: int = 0
    exact: int = 0
    """Looks at the counters for which the least and the most were the same."""
    widest: int = 0
    """The largest difference between the least and the most."""
    pairs: int = 0
    """Publisher and subscriber, where something arrived."""
    delivered: int = 0
    missed: int = 0
    skipped: int = 0
    faults: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)
    """Looks at the counters that do not add up."""


@dataclass
class _Ear:
    opened: dict[str, Any]
    looks: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)


def close(records: NDArray[Any], events: list[dict[str, Any]], names: list[str]) -> Ledger:
    """Hold what publishers and subscribers wrote down against each other, and against the counters."""
    sends = sends_by_topic(records, len(names))
    ledger = Ledger()
    ledger.accepted = sum(one.accepted() for one in sends)
    ledger.unknown = int(sum((one.outcome == _UNKNOWN).sum() for one in sends))
    ledger.refused = int(sum((one.outcome == REFUSED).sum() for one in sends))
    ears: dict[str, _Ear] = {}
    for event in events:
        kind = event["event"]
        if kind == "open":
            ears[event["ear"]] = _Ear(event)
        elif kind == "stats":
            ears[event["ear"]].looks.append(event)
        elif kind == "run":
            ears[event["ear"]].runs.append(event)
        elif kind == "fault":
            ledger.faults.append(f"{event['ear']}: {event['text']}")
        elif kind == "sends":
            _check_sender(event, ledger, names)
    for name, ear in ears.items():
        _Check(name, ear, sends[ear.opened["topic"]], ledger).run()
    return ledger


def _check_sender(event: dict[str, Any], ledger: Ledger, names: list[str]) -> None:
    theirs = event["sent"], event["refused"] + event["dropped"]
    own = event["own_sent"], event["own_refused"]
    if theirs != own:
        ledger.faults.append(
            f"{event['file']} on {names[event['topic']]}: counters say (sent, refused) {theirs}, its own count {own}"
        )


class _Check:
    """One ear against the journals of all publishers of its topic."""

    def __init__(self, name: str, ear: _Ear, sends: Sends, ledger: Ledger) -> None:
        self._name, self._ear, self._sends, self._ledger = name, ear, sends, ledger
        self._join = ear.opened["t0"], ear.opened["t1"]

    def run(self) -> None:
        ledger = self._ledger
        ledger.ears += 1
        received = self._check_runs()
        last = self._ear.looks[-1] if self._ear.looks else None
        for number, look in enumerate(self._ear.looks):
            self._check_look(look, last if number == len(self._ear.looks) - 2 else None)
        if last is None or not last.get("final"):
            return
        ledger.closed += 1
        ledger.delivered += last["delivered"]
        ledger.missed += last["missed"]
        ledger.skipped += last["skipped"]
        ledger.pairs += len({run["publisher"] for run in self._ear.runs})
        if not received == last["delivered"] == last["got"]:
            self._fault(f"delivered {last['delivered']}, but {last['got']} came, {received} of them whole")

    def _check_runs(self) -> int:
        """That what was received was sent, once, in order, and not before the join; how many that is."""
        total = 0
        ends: dict[int, int] = {}
        early = 0
        for run in sorted(self._ear.runs, key=lambda run: (run["publisher"], run["first"])):
            who, first, last = run["publisher"], run["first"], run["last"]
            if first <= ends.get(who, 0):
                self._fault(f"{first} to {last} of {who} came twice or out of order")
            ends[who] = last
            found = self._sends.find(who, first, last)
            good = int((self._sends.outcome[found] != REFUSED).sum())
            if good != last - first + 1:
                self._fault(f"of {first} to {last} of {who} only {good} were sent")
            early += int((self._sends.after[found] < self._join[0]).sum())
            total += last - first + 1
        if early > self._latched()[1]:
            self._fault(f"{early} came that were sent before it joined")
        return total

    def _latched(self) -> tuple[int, int]:
        """Whether the join gave it a message of before: at least, at most."""
        if not self._ear.opened["latched"]:
            return 0, 0
        there = int(self._sends.stored_until(self._join[0]) > 0)
        return there, there

    def _check_look(self, look: dict[str, Any], final: dict[str, Any] | None) -> None:
        ledger = self._ledger
        told = look["delivered"] + look["missed"] + look["skipped"] + look["pending"]
        least, most = self._sends.between(self._join, (look["t0"], look["t1"]))
        extra = self._latched()
        least, most = least + extra[0], most + extra[1]
        # Numbers that were given up and stand before the reader still are pending until it comes to them.
        voids = final["void"] - look["void"] if final is not None else look["pending"]
        ledger.looks += 1
        ledger.exact += int(least == most)
        ledger.closed_exact += int(least == most and look.get("final", False))
        ledger.widest = max(ledger.widest, most - least)
        if not least <= told <= most + voids:
            kind = "last" if look.get("final") else "earlier"
            counts = ", ".join(
                f"{key} {look[key]}" for key in ("delivered", "missed", "skipped", "pending", "void")
            )
            ledger.unclosed.append(
                f"{self._name}: {kind} account of {told} ({counts}), but {least} to {most} messages were accepted"
            )

    def _fault(self, text: str) -> None:
        self._ledger.faults.append(f"{self._name}: {text}")
