"""Which lines of the logs are asked for."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from horus_plugins.monitor.logs import LogLine

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGO = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_EXPECTED = "expected a time ago (90s, 5m, 1h30m, 2d), a time of today (14:05) or a date (2026-01-31 14:05)"


@dataclass(frozen=True)
class Wanted:
    """What `horus logs` was asked for; what is empty or zero leaves nothing out."""

    nodes: tuple[str, ...] = ()
    """Patterns (`arm*`) of nodes' names or other sources; one must fit."""
    level: str = "debug"
    pids: tuple[int, ...] = ()
    grep: re.Pattern[str] | None = None
    since_ns: int = 0
    until_ns: int = 0

    def has(self, line: LogLine) -> bool:
        """Whether the line is asked for."""
        return (
            line.time_ns >= self.since_ns
            and not (self.until_ns and line.time_ns > self.until_ns)
            and line.is_from(self.level)
            and not (self.pids and line.pid not in self.pids)
            and not (self.nodes and not self._fits(line))
            and not (self.grep and not (self.grep.search(line.text) or self.grep.search(line.traceback)))
        )

    def _fits(self, line: LogLine) -> bool:
        names = {line.source, line.node, line.logger}
        return any(fnmatchcase(name, pattern) for pattern in self.nodes for name in names if name)


def time_of(text: str) -> int:
    """A time as people give it, in nanoseconds since 1970. Raises ConfigError for what is none."""
    text = text.strip()
    if _AGO.fullmatch(text):
        ago = sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
        return max(0, time.time_ns() - round(ago * 1e9))
    try:
        date = f"{datetime.now().astimezone():%Y-%m-%d} {text:0>5}" if _CLOCK.fullmatch(text) else text
        return round(datetime.fromisoformat(date).timestamp() * 1e9)  # without a zone: the local one
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"{_EXPECTED}, got {text!r}.") from None


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression. Raises ConfigError for what is none."""
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"expected a regular expression, got {text!r}: {error}.") from None
