"""Where something stands in a launch file, and all that is wrong with it, told at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from horus_core.errors import LaunchError
from horus_core.text import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable


class Place(NamedTuple):
    """A position in a file; a problem that stands in none has line 0."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def short(self) -> str:
        """File and line, without the column."""
        return f"{self.file}:{self.line}" if self.line else self.file


class Problems:
    """What was found so far. Each problem is told once, in the order of files and lines."""

    _MOST = 100

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[tuple[Place, str], None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, text: str) -> None:
        """Note a problem: what was expected, what there is, and what to do."""
        self._found[place, text] = None

    def listed(self) -> list[tuple[Place, str]]:
        """All of them, in order."""
        files = list(dict.fromkeys(place.file for place, _ in self._found))
        return sorted(self._found, key=lambda one: (files.index(one[0].file), one[0].line, one[0].column))

    def check(self) -> None:
        """Raise LaunchError with all of them, if there are any."""
        if not self._found:
            return
        ordered = self.listed()
        count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
        lines = [f"{plain_name(str(place))}: {text}" for place, text in ordered[: self._MOST]]
        if len(ordered) > self._MOST:
            lines.append(f"… and {len(ordered) - self._MOST} more")
        raise LaunchError(
            f"Reading {plain_name(self._file)} failed: {count}; nothing was started.\n" + "\n".join(lines)
        )


def shown(value: object, most: int = 60) -> str:
    """A value as errors show it: short, and never more than one line."""
    if value is None:
        return "nothing"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """A hint at the nearest word that is known; "" where none is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
