"""Measures a topic from the outside, as any subscriber could."""

import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import horus


@dataclass
class Figures:
    """What was seen of a topic in some stretch of time."""

    messages: int = 0
    lost: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds if self.seconds else 0.0

    def latency(self, part: float = 0.5) -> float:
        """Return the latency in ms that `part` of the messages stayed below; NaN without messages."""
        if not self.latencies_ms:
            return float("nan")
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


class Meter(threading.Thread):
    """A subscriber that sleeps on one topic and notes when it woke: the latency includes the waking."""

    def __init__(self, topic: str) -> None:
        super().__init__(name=f"meter of {topic}", daemon=True)
        self.topic = topic
        self.newest: Any = None
        self._total = Figures()
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        with horus.Topic(self.topic) as topic:
            while not self._ended.is_set():
                topic.wait(0.1)
                self._drain(topic)

    def stop(self) -> None:
        """End the thread and leave the topic."""
        self._ended.set()
        self.join()
