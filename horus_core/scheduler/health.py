"""The steps of a node's ladder, and the one word for how it is; read by tools, too."""

from __future__ import annotations

FINE, WARNED, SLOW, ISOLATED = range(4)
HEALTH = ("healthy", "warned", "slow", "isolated")
_ILL = ("hung", "crashed", "stale")


def of_node(state: str, step: int, failed_in_row: int) -> str:
    """The worst that is true of a node: its state, its step, or that its last tick failed."""
    if state in _ILL or (state == "error" and step < ISOLATED):
        return state
    return "failing" if failed_in_row and step < ISOLATED else HEALTH[min(step, ISOLATED)]
