"""This process's pools of shared memory, one for each namespace it takes part in."""

from __future__ import annotations

import os
import threading

from horus_core import _native
from horus_core.errors import ConfigError
from horus_core.shm import process

VARIABLE = "HORUS_POOL_BUDGET"
"""How much shared memory this process's pool may have, in MiB. Default: 1 GiB, or half of what /dev/shm has free
when the first block is taken, whichever is less."""

_MIB = 2**20
_BUDGET_MAX_MIB = 2**24

_lock = threading.Lock()
_pools: dict[str, _native.Pool] = {}


def pool(namespace: str | None = None) -> _native.Pool:
    """The pool of a namespace (default: the current one, or what HORUS_BACKEND has in its place).

    Raises ConfigError for a bad HORUS_POOL_BUDGET and RegionError when the namespace cannot be joined.
    """
    if namespace is None and os.environ.get("HORUS_BACKEND"):
        from horus_core.backends import registry  # noqa: PLC0415 - only where topics may lie elsewhere

        return registry.default_pool()
    return of_member(process.member(namespace))


def of_member(member: _native.Member) -> _native.Pool:
    """The pool of a membership: one only, since its blocks are named after the member."""
    with _lock:
        found = _pools.get(member.namespace)
        if found is None or found.member is not member:
            found = _pools[member.namespace] = _native.Pool(member, budget_bytes())
        return found


def unmap_dead() -> None:
    """Let go of the memory of processes that died, for example of a camera that does not come back."""
    for one in list(_pools.values()):
        one.unmap_dead()


def budget_bytes() -> int:
    """What HORUS_POOL_BUDGET says, in bytes; 0 where it is not set.

    Raises ConfigError when it is not a number of MiB above 0.
    """
    text = os.environ.get(VARIABLE)
    if text is None:
        return 0
    try:
        mib = float(text)
    except ValueError:
        mib = -1.0
    if not 0 < mib <= _BUDGET_MAX_MIB:
        raise ConfigError(
            f"Bad {VARIABLE}: expected a number of MiB above 0 (like 512), got {text!r} (pid={os.getpid()}). "
            "Correct or unset it."
        )
    return max(1, int(mib * _MIB))


def _forget_lock_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it at the fork
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock_in_child)
