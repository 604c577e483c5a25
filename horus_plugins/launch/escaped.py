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
    own: Callable[[], set[int]],
) -> None:
    """End whoever is left of a run when its processes have ended: SIGTERM, and SIGKILL after 5 s.

    These carry its mark, or, if they have put their environment away, are children of this process that are not its
    `own`: orphans are adopted. `turn` waits a moment and moves output; `step` is told what is done. `asked` is how
    often a stop was asked for: after the second time they have 2 s more, after the third none.
    """

    def left() -> set[int]:
        return system.family(set(), mark) | (system.children() - own())

    if not system.has_descendants(own()):  # as ever: it saves a look at each process of the machine
        return
    escaped = left()
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
        for late in (found := left()) - escaped:  # whose parent has ended just now
            system.signal_all({late}, signal.SIGTERM)
        escaped = found
        if not escaped:
            return
    step("SIGKILL to those that did not heed it")
    system.kill_all(escaped, left, turn)
