"""Measures a topic from the outside, as any subscriber could."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import horus

# Latencies that are remembered: the last minute of the fastest topic.
KEPT = 3000


class Figures:
    """What was seen of a topic since some moment."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.messages = 0
        self.lost = 0
        self.latencies_ms: deque[float] = deque(maxlen=KEPT)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    def latency(self, part: float) -> float:
        """Return the latency in ms that `part` of the messages did not exceed; NaN without messages."""
        ordered = sorted(self.latencies_ms)
        return ordered[round(part * (len(ordered) - 1))] if ordered else float("nan")


class Meter(threading.Thread):
    """A subscriber that sleeps on one topic: the latency it takes includes waking up."""

    def __init__(self, topic: str, note: Callable[[Any], None] | None = None) -> None:
        super().__init__(name=f"meter of {topic}", daemon=True)
        self.topic = topic
        self.total: Figures | None = None
        self._note = note
        self._recent = Figures()
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def recent(self) -> Figures:
        """Return the figures since the last call, and begin new ones."""
        with self._lock:
            recent, self._recent = self._recent, Figures()
        return recent

    def stop(self) -> None:
        """End the thread, which leaves the topic."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        with horus.Topic(self.topic) as topic:
            missed = 0
            while not self._ended.is_set():
                topic.wait(0.1)
                while (received := topic.recv_info()) is not None:
                    message, info = received
                    self._count((time.monotonic_ns() - info.publish_ns) / 1e6, topic.missed - missed)
                    missed = topic.missed
                    if self._note:
                        self._note(message)
                    del received, message  # an image is held as long as a name refers to it

    def _count(self, latency_ms: float, lost: int) -> None:
        with self._lock:
            if self.total is None:
                self.total = Figures()
            for figures in (self.total, self._recent):
                figures.messages += 1
                figures.lost += lost
                figures.latencies_ms.append(latency_ms)
