"""How deeply a value may be nested: as deep as its sender's interpreter allowed, though our steps take more of it."""

from __future__ import annotations

import sys

_LEVELS = 6000
"""Of Python's stack. A message is nested some 1000 levels at most, of which each takes us two or three."""


def allow() -> None:
    """Let this process go down so far. For commands: the limit is the process's."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _LEVELS))
