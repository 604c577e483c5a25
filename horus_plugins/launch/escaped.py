"""What left its process group, and so its session: nothing of a run outlives it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from horus_plugins.launch import system

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_S = 5.0


def end_escaped(mark: bytes, turn: Callable[[], object], step: Callable[[str], None]) -> None:
    """End whoever carries the mark of a run and still lives: SIGTERM, and SIGKILL after 5 s.

    `turn` waits a moment and moves output; `step` is told what is done.
    """
    escaped = system.family(set(), mark)
    if not escaped:
        return
    step(f"SIGTERM to what left its group: pid {', '.join(map(str, sorted(escaped)))}")
    system.signal_all(escaped, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        turn()
        escaped = system.family(set(), mark)
        if not escaped:
            return
    step("SIGKILL to those that did not heed it")
    system.signal_all(escaped, signal.SIGKILL)
