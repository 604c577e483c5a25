"""Every extension point of HORUS, on one page.

A plugin is a module (or object) named by an entry point; `@horus.hookimpl` marks the functions in it that are
called. Contribution hooks get a `register` function; plugins are called one by one, so that everything is
attributed to the distribution that gave it, and one that raises harms no other. API_VERSION is that of all hooks
together: a plugin's module may say `HORUS_PLUGIN_API = 1`, and is refused where that is another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from horus_core.plugins import kinds
from horus_core.plugins.marks import PROJECT, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from horus_core.abc import Backend, Bridge, ExecutionClass, Runner
    from horus_core.messages.message import Message
    from horus_core.nodes.node import Node
    from horus_core.scheduler.scheduler import Scheduler

API_VERSION = kinds.API_VERSION
hookspec = pluggy.HookspecMarker(PROJECT)
__all__ = ["API_VERSION", "hookimpl", "hookspec"]


@hookspec
def horus_register_messages(register: Callable[[type[Message]], None]) -> None:
    """Supply message types: call `register(cls)` for each.

    Entry points: group `horus.messages`. Called once, in the thread that first asks by name for a type that
    no other plugin supplies, or on one of its own when the plugin is not called like the type; an exception marks the
    plugin as failed and keeps what it had registered.
    """


@hookspec
def horus_register_backends(register: Callable[[type[Backend | Bridge]], None]) -> None:
    """Supply backends: call `register(cls)` for each.

    Entry points: group `horus.backends`. Called once, in the thread that first opens a topic with a backend that
    HORUS has not (`Topic(backend="mqtt")`, HORUS_BACKEND), or on one of its own when the plugin is not called
    like it; an exception marks the plugin as failed and keeps what it had registered. The topic cannot be opened
    then: the error says why the plugin failed.
    """


@hookspec
def horus_register_execution(register: Callable[[type[ExecutionClass]], None]) -> None:
    """Supply execution classes: call `register(cls)` for each.

    Entry points: group `horus.execution`. Called once, in the thread that starts the first scheduler with a
    node that names a class which HORUS has not, or on one of its own when the plugin is not called like the class; an
    exception marks the plugin as failed and keeps what it had registered. A node whose class was not supplied cannot
    start: the error says why the plugin failed.
    """


@hookspec
def horus_register_runners(register: Callable[[Runner], None]) -> None:
    """Supply ways to run a target: call `register(runner)` for each, with an object.

    Entry points: group `horus.runners`, called as the suffix of the files that the runner runs (`ipynb`), or as the
    word before the colon of what else it runs. Called once, in the thread of `horus run`, when it meets such a target
    that no runner of HORUS's own accepts; an exception marks the plugin as failed and keeps what it had registered.
    """


# Observers. Entry points: group `horus.lifecycle`, imported when the first scheduler of the process starts, or for a
# launcher; or `horus.observe(observer)`. A function takes those of the arguments that it names. It is called between
# two ticks on the thread that is named there, which does nothing else meanwhile: be quick. One that raises is said
# once, and none of its observer's functions is called any more; the nodes go on.


@hookspec
def horus_node_added(scheduler: Scheduler, node: Node) -> None:
    """A scheduler takes a node in: before its init().

    On the thread that called run(), for each node in order when the run starts, and for one that is added later.
    """


@hookspec
def horus_node_started(scheduler: Scheduler, node: Node) -> None:
    """A node's init() has returned: it is to tick from now on.

    On the thread that called init(): that of run(), after a restart the one that ticks the node.
    """


@hookspec
def horus_node_failed(scheduler: Scheduler, node: Node, error: Exception) -> None:
    """A tick or an init() of a node has raised `error`; before on_error() and the failure policy see to it.

    On the thread that called it, each time.
    """


@hookspec
def horus_node_missed(scheduler: Scheduler, node: Node, in_row: int) -> None:
    """A tick of a node has ended after its deadline, `in_row` times in a row.

    On the thread that ticks the node, each time.
    """


@hookspec
def horus_node_stopped(scheduler: Scheduler, node: Node) -> None:
    """A node's shutdown() has returned, its name and topics are free.

    On the thread that called shutdown(): that of run(), for a node that was isolated the one that ticked it.
    """


@hookspec
def horus_estop(scheduler: Scheduler, text: str) -> None:
    """A scheduler has met an emergency stop: `text`, as its record has it, says how, why and of whom.

    On a thread of its own, so that no observer holds up a stop. The end of a run waits for it, a second at most.
    """


# Of processes: launchers (`horus launch`, and `horus run` with several targets) tell plugins alone, in a process of
# their own, which is started when the group has plugins and ends with the launcher: no observer holds a launcher up.


@hookspec
def horus_process_spawned(session: str, name: str, pid: int, command: Sequence[str], restarts: int) -> None:
    """A launcher has started the process of a node; `restarts`: how often it had been started before.

    On the main thread of the observers' process, in the order of events, for each start. `session` is the launch
    session's name (of `horus run`: the id that it prints), `name` the node's in the launch file, or the label.
    """


@hookspec
def horus_process_exited(
    session: str,
    name: str,
    pid: int,
    exit_code: int | None,
    signal: str | None,
    reason: str,
    asked: bool,
    restarts: int,
) -> None:
    """The process of a node has ended: with `exit_code`, or by the `signal` of that name; before it is restarted.

    On the same thread, for each end. `reason` says it in words, and whether the kernel was out of memory; `asked`:
    somebody had stopped it. The end of a session waits for these, two seconds at most.
    """


NAMES = tuple(name for name in list(globals()) if name.startswith("horus_"))
"""Of all hooks."""
