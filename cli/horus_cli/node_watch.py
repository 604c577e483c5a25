"""`horus node list --watch`: the same table, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_cli import node_table, watching
from horus_cli.output import safe

if TYPE_CHECKING:
    from horus_plugins.monitor.node_list import NodeList, Observer


def watch(observer: Observer, every_s: float, *, verbose: bool, as_json: bool) -> None:
    """Until Ctrl+C; on a terminal in place, until q, too."""

    def more_or_less() -> None:
        nonlocal verbose
        verbose = not verbose
        observer.measure = verbose

    watching.watch(
        observer.look,
        lambda listed: _lines(listed, verbose=verbose),
        every_s,
        as_json=as_json,
        about=f"namespace {safe(observer.namespace)}",
        keys={"v": ("shows more or less", more_or_less)},
    )


def _lines(listed: NodeList, *, verbose: bool) -> list[str]:
    bad = [f"{what} cannot be read: {safe(why)}" for what, why in listed.unreadable.items()]
    if listed.nodes:
        return [*node_table.lines(listed, verbose=verbose), *bad]
    return [f"No nodes in namespace {listed.namespace!r}.", *bad]
