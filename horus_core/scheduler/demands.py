"""What a node asks of the kernel, held against the class that runs it: nothing is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.errors import NodeError

if TYPE_CHECKING:
    from horus_core.abc import ExecutionClass
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host

_FIX = "Leave out what chooses that class, or rt=, priority= and core=."


def check(host: Host, entry: Entry, cls: type[ExecutionClass]) -> None:
    """Report what `cls` does not ask the kernel for, though the node, or rt="require" of its scheduler, wants it.

    Raises NodeError for a node with rt="require".
    """
    if cls.real_time or host.scheduler.deterministic:
        return
    config = entry.config
    why = f"class {cls.name!r} gives its nodes no real-time thread"
    if config.rt == "require":
        raise NodeError(
            f"Starting node {entry.node.name!r} failed: expected real-time scheduling, as rt='require' asks for, got "
            f"none: {why} (node={entry.node.name!r}). {_FIX}"
        )
    wanted = {"rt": config.rt, "priority": config.priority is not None, "core": config.core is not None}
    for keyword, asked in wanted.items():
        if asked:
            host.degraded(entry, f"{keyword}=", why, _FIX)
    if host.scheduler.rt == "require":
        host.degraded(
            entry, "rt='require' of its scheduler", why, "Let it run so, or leave out what chooses it."
        )
