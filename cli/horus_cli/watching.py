"""`--watch`: the same table, again and again."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

import click

from horus_cli.output import echo_all, print_json
from horus_plugins.monitor import screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Looked = TypeVar("Looked")


def watch(
    look: Callable[[], Looked],
    lines: Callable[[Looked], Iterable[str]],
    every_s: float,
    *,
    as_json: bool,
    about: str,
    keys: dict[str, tuple[str, Callable[[], None]]] | None = None,
) -> None:
    """Until Ctrl+C; on a terminal in place, until q, too. Elsewhere one table, or one object, after another.

    `about` stands above the table in place; `keys` says for each key what it does, in words, and does it.
    """
    if screen.is_terminal() and not as_json:
        _in_place(look, lines, every_s, about, keys or {})
        return
    while True:
        due_s = time.monotonic() + every_s
        looked = look()
        if as_json:
            print_json(looked)
        else:
            echo_all([*lines(looked), ""])
        sys.stdout.flush()
        time.sleep(max(0.0, due_s - time.monotonic()))


def _in_place(
    look: Callable[[], Looked],
    lines: Callable[[Looked], Iterable[str]],
    every_s: float,
    about: str,
    keys: dict[str, tuple[str, Callable[[], None]]],
) -> None:
    told = ", ".join(["q quits", *(f"{key} {what}" for key, (what, _) in keys.items()), "the arrows scroll"])
    with screen.Screen() as terminal:
        while True:
            due_s = time.monotonic() + every_s
            shown = list(lines(look()))
            head = f"{about}, {time.strftime('%H:%M:%S')}, every {every_s:g} s; {told}"
            terminal.show([click.style(head, dim=True), "", *shown])
            key = terminal.wait(due_s)
            if key == "q":
                return
            if key in keys:
                keys[key][1]()
