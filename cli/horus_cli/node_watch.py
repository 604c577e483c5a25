"""`horus node list --watch`: the same table, again and again."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from horus_cli import node_table
from horus_cli.output import echo_all, print_json, safe
from horus_plugins.monitor import screen

if TYPE_CHECKING:
    from horus_plugins.monitor.node_list import NodeList, Observer


def watch(observer: Observer, every_s: float, *, verbose: bool, as_json: bool) -> None:
    """Until Ctrl+C; on a terminal in place, until q, too. Elsewhere one table, or one object, after another."""
    if screen.is_terminal() and not as_json:
        _on_screen(observer, every_s, verbose=verbose)
        return
    while True:
        due_s = time.monotonic() + every_s
        listed = observer.look()
        if as_json:
            print_json(listed)
        else:
            echo_all([*_lines(listed, verbose=verbose), ""])
        sys.stdout.flush()
        time.sleep(max(0.0, due_s - time.monotonic()))


def _on_screen(observer: Observer, every_s: float, *, verbose: bool) -> None:
    with screen.Screen() as terminal:
        while True:
            due_s = time.monotonic() + every_s
            listed = observer.look()
            terminal.show([_head(listed, every_s), "", *_lines(listed, verbose=verbose)])
            key = terminal.wait(due_s)
            if key == "q":
                return
            if key == "v":
                verbose = not verbose
                observer.measure = verbose


def _head(listed: NodeList, every_s: float) -> str:
    now = time.strftime("%H:%M:%S")
    keys = "q quits, v shows more or less, the arrows scroll"
    return click.style(f"namespace {safe(listed.namespace)}, {now}, every {every_s:g} s; {keys}", dim=True)


def _lines(listed: NodeList, *, verbose: bool) -> list[str]:
    bad = [f"{what} cannot be read: {safe(why)}" for what, why in listed.unreadable.items()]
    if listed.nodes:
        return [*node_table.lines(listed, verbose=verbose), *bad]
    return [f"No nodes in namespace {listed.namespace!r}.", *bad]
