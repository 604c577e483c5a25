"""Every extension point of HORUS, on one page.

A plugin is a module (or object) named by an entry point; `@horus.hookimpl` marks the functions in it that are
called. Contribution hooks get a `register` function; plugins are called one by one, so that everything is
attributed to the distribution that gave it, and one that raises harms no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import ExecutionClass
    from horus_core.messages.message import Message

PROJECT = "horus"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def horus_register_messages(register: Callable[[type[Message]], None]) -> None:
    """Supply message types: call `register(cls)` for each.

    Entry points: group `horus.messages`. Called once, in the thread that first asks for a type by name; an
    exception marks the plugin as failed and keeps what it had registered.
    """


@hookspec
def horus_register_execution(register: Callable[[type[ExecutionClass]], None]) -> None:
    """Supply execution classes: call `register(cls)` for each.

    Entry points: group `horus.execution`. Called once, in the thread that starts the first scheduler of the
    process; an exception marks the plugin as failed and keeps what it had registered. A node whose class was
    not supplied cannot start: the error says why the plugin failed.
    """
