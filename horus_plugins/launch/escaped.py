"""What left its process group, and so its session: nothing of a run outlives it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from horus_plugins.launch import system

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_S = 5.0
_PATIENCE_S = (GRACE_S, GRACE_S, 2.0, 0.0)
"""By how often a stop was asked for."""


def end_escaped(
    mark: bytes,
    turn: Callable[[], object],
    step: Callable[[str], None],
    asked: Callable[[], int],
    guard: int,
) -> None:
    """End whoever carries the mark of a run and still lives: SIGTERM, and SIGKILL after 5 s.

    `turn` waits a moment and moves output; `step` is told what is done. `asked` is how often a stop was asked for:
    after the second time they have 2 s more, after the third none. `guard` is the child that is no part of the run.
    """
    if not system.has_descendants(guard):  # as ever: it saves a look at each process of the machine
        return
    escaped = system.family(set(), mark)
    if not escaped:
        return
    step(f"SIGTERM to what left its group: pid {', '.join(map(str, sorted(escaped)))}")
    system.signal_all(escaped, signal.SIGTERM)
    heard, deadline = 0, time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        if asked() != heard:
            heard = asked()
            patience_s = _PATIENCE_S[min(heard, len(_PATIENCE_S) - 1)]
            deadline = min(deadline, time.monotonic() + patience_s)
        turn()
        escaped = system.family(set(), mark)
        if not escaped:
            return
    step("SIGKILL to those that did not heed it")
    system.signal_all(escaped, signal.SIGKILL)
