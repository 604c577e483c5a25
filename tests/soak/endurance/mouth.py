"""Sending on one topic, with a record of every send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from endurance import journal, payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from endurance.journal import SendJournal

_LIE_EVERY = 50


class Mouth:
    """One publisher on one topic: it numbers what it sends from 1."""

    def __init__(
        self,
        send: Callable[[Any], bool],
        stats: Callable[[], dict[str, Any]],
        record: SendJournal,
        topic: tuple[int, str],
        publisher: int,
    ) -> None:
        self._send, self._stats, self._record = send, stats, record
        self._topic, self._kind = topic
        self.publisher = publisher
        self.number = self.sent = self.refused = 0
        self.lies = False

    def say(self) -> None:
        """Send the next message."""
        self.number += 1
        message = payloads.make(self._kind, self.publisher, self.number)
        if self.lies and self.number % _LIE_EVERY == 0:
            self._written(message, self.number, self.publisher, lambda _: True)
        else:
            self._written(message, self.number, self.publisher, self._send)

    def pass_on(self, message: Any, stamp: payloads.Stamp) -> None:
        """Send somebody else's message as it is."""
        self._written(message, stamp.number, stamp.publisher, self._send)

    def _written(self, message: Any, number: int, publisher: int, send: Callable[[Any], bool]) -> None:
        self._record.write(journal.BEGIN, self._topic, publisher, number)
        stored = send(message)
        outcome = journal.ACCEPTED if stored else journal.REFUSED
        self._record.write(outcome, self._topic, publisher, number)
        self.sent += stored
        self.refused += not stored

    def account(self) -> dict[str, Any]:
        """What the counters of HORUS say, beside one's own."""
        if self.sent + self.refused == 0:
            return {}
        stats = self._stats()
        theirs = {key: stats[key] for key in ("sent", "refused", "dropped")}
        return {
            "event": "sends",
            "topic": self._topic,
            **theirs,
            "own_sent": self.sent,
            "own_refused": self.refused,
        }
