"""What a run leaves to read: the record of what happened, and what was granted and refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from horus_core.control import flights
from horus_core.plugins import lifecycle as observers

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_MAX_NOTE = 14_000  # bytes; what one event of a record holds
_TROUBLE = frozenset({"failure", "miss", "ladder", "hung", "estop"})


class Report:
    """Of the run under way, or of the last one. From any thread."""

    def __init__(self, scheduler: Scheduler, *, shared: bool) -> None:
        """`shared`: the record is in shared memory while the scheduler runs."""
        self._scheduler = scheduler
        self._shared = shared
        self._lock = threading.Lock()  # threads of several nodes report at once
        self._degradations: list[dict[str, str]] = []
        self._granted: dict[str, list[str]] = {}
        self.record = flights.private()
        """The nodes' figures and what happened last."""
        self.trouble = False
        """Whether anything happened in this run that somebody may want to read about afterwards."""

    def begin(self, name: str, nodes: list[str]) -> None:
        """A run of the scheduler of that name begins, with these nodes."""
        self.trouble = False
        self._degradations.clear()
        self._granted.clear()
        if nodes:
            make = flights.create if self._shared else flights.private
            self.record = make(name, len(nodes))
        self.note("start", f"{len(nodes)} nodes: {', '.join(nodes)}")

    def end(self, error: BaseException | None) -> None:
        """The run has ended, as asked or by an error."""
        self.note("stop", "as asked" if error is None else f"by {type(error).__name__}: {error}")
        # A run without trouble leaves nothing behind: nobody would look for it, and memory is dear.
        self.record.end(keep=self.trouble or error is not None)

    def note(self, kind: str, text: str = "", entry: Entry | None = None, detail: int = 0) -> None:
        """Put what happened into the record (the kinds: enum horus_event_kind). Of long texts the end is kept."""
        self.trouble = self.trouble or kind in _TROUBLE
        row = -1 if entry is None else entry.row
        self.record.flight.event(kind, text.encode("utf-8", "backslashreplace")[-_MAX_NOTE:], row, detail)
        if kind == "estop":
            observers.tell_apart("horus_estop", scheduler=self._scheduler, text=text)

    def granted(self, entry: Entry, asked: str) -> None:
        """Remember what a node asked the kernel for and got."""
        with self._lock:
            self._granted.setdefault(entry.node.name, []).append(asked)

    def degraded(self, entry: Entry, asked: str, why: str, fix: str) -> None:
        """Remember what a node asked for and does not have; the first of a kind is said aloud."""
        one = {"node": entry.node.name, "asked": asked, "why": why, "fix": fix}
        with self._lock:
            known = any(other["asked"] == asked and other["why"] == why for other in self._degradations)
            self._degradations.append(one)
        if not known:
            entry.journal.warning(f"asked for {asked}, and runs without it: {why}. {fix}")
        self.note("note", f"runs without {asked}: {why}", entry)

    def forget(self, entry: Entry) -> None:
        """The node was removed: what it got and did not get is of no interest any more."""
        name = entry.node.name
        with self._lock:
            self._granted.pop(name, None)
            self._degradations = [one for one in self._degradations if one["node"] != name]

    def capabilities(self) -> dict[str, list[str]]:
        """What was granted, by node."""
        with self._lock:
            return {name: list(granted) for name, granted in self._granted.items()}

    def degradations(self) -> list[dict[str, str]]:
        """What was refused."""
        with self._lock:
            return [dict(one) for one in self._degradations]
