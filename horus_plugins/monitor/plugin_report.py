"""What became of a plugin in the process that loaded it."""

from __future__ import annotations

import msgspec


class Report(msgspec.Struct):
    """What became of a plugin."""

    state: str
    gave: list[str] = []
    error: str | None = None
    notes: list[str] = []
    load_s: float | None = None
    api: int | str | None = None
    """The API version that its module says it was made for."""
    file: str | None = None
    traceback: str | None = None
    said: str = ""
    """What it wrote to stdout and stderr, at most 4000 characters."""
