"""Those who want to be told what becomes of nodes and processes: plugins of `horus.lifecycle`, and code by observe().

Nobody is asked per event: which functions are to be called is worked out when observers come and go.
"""

from __future__ import annotations

import logging
import os
import time
from threading import Event, Lock, RLock, Thread, current_thread
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.errors import ConfigError, PluginError
from horus_core.plugins import record, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from queue import SimpleQueue

    from horus_core.plugins.hooks import Hook
    from horus_core.plugins.record import Plugin

GROUP = "horus.lifecycle"
HOOKS = (
    "horus_node_added",
    "horus_node_started",
    "horus_node_failed",
    "horus_node_missed",
    "horus_node_stopped",
    "horus_estop",
    "horus_process_spawned",
    "horus_process_exited",
)
OF_PROCESSES = HOOKS[-2:]
"""Called by launchers, in a process of their own: plugins hear of it, and those of observe() never."""

_PATIENCE_S = 1.0

_log = logging.getLogger("horus")
_lock = RLock()
_slow: set[Plugin] = set()
"""Plugins that were waited for in vain: once is enough."""
_observers: list[_Observer] = []


class _Listener(NamedTuple):
    """One function of an observer."""

    hook: Hook
    observer: _Observer


class _Observer(NamedTuple):
    """An object with functions marked by @horus.hookimpl."""

    target: Any
    called: str
    functions: dict[str, Hook]
    plugin: Plugin | None


listeners: dict[str, tuple[_Listener, ...]] = dict.fromkeys(HOOKS, ())
"""Who is called for each hook: empty tuples when nobody listens."""


def observe(observer: object) -> None:
    """Tell an observer what becomes of nodes from now on: each of its functions marked with @horus.hookimpl.

    The hooks: horus_core/plugins/hookspecs.py. Raises ConfigError for an observer without any, or with one that is
    misspelt or takes other arguments, or with those alone that only plugins are told (OF_PROCESSES).
    """
    try:
        _add(observer, repr(observer), None)
    except PluginError as error:
        raise ConfigError(f"Observing {observer!r} failed: {error}") from error


def unobserve(observer: object) -> None:
    """Tell it nothing any more. Nothing happens when it is no observer."""
    with _lock:
        _observers[:] = [other for other in _observers if other.target is not observer]
        _work_out()


def may_listen(hooks: Iterable[str]) -> bool:
    """Whether somebody listens to one of these, or a plugin is being imported that may."""
    if any(plugin.state == record.LOADING for plugin in plugins()):
        return True
    return any(listeners[hook] for hook in hooks)


def load_plugins(patience_s: float = _PATIENCE_S) -> None:
    """Import the plugins of the group, all at once and each on a thread of its own; wait for them so long at most.

    One that takes longer is said in the log, and told from when its import ends; one that fails is left out. Raises
    PluginError for it if HORUS_STRICT says so, and ConfigError for settings that are wrong.
    """
    if switches.is_strict():
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        discovery.check_settings()
    end = time.monotonic() + patience_s
    found = [plugin for plugin in plugins() if plugin not in _slow]
    for plugin in found:
        plugin.prepare(0)
    for plugin in found:
        if not plugin.prepare(max(end - time.monotonic(), 0)):
            _slow.add(plugin)
            _log.warning("%s is not imported after %g s: it is told nothing until then", plugin, patience_s)


def plugins() -> list[Plugin]:
    """What may listen through entry points. Imports none."""
    from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

    return [plugin for plugin in discovery.entry_points(GROUP) if plugin.state != record.DISABLED]


def tell(hook: str, **arguments: Any) -> None:
    """Call all who listen. Worth asking before, where it costs: `if listeners[hook]`."""
    for listener in listeners[hook]:
        _call(listener, hook, arguments)


def tell_apart(hook: str, **arguments: Any) -> None:
    """Call all who listen on a thread of their own, in the order of these calls; returns at once.

    For what a slow observer must not hold up: an emergency stop.
    """
    if listeners[hook]:
        _apart.put(lambda: tell(hook, **arguments))


def settle() -> None:
    """Wait until observers were told apart of what has happened so far, but no longer than a second."""
    _apart.settle()


class _Apart:
    """A thread that tells observers, started when there is something to tell."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], object]] | None = None
        self._starting = Lock()
        self._thread: Thread | None = None

    def put(self, call: Callable[[], object]) -> None:
        from queue import SimpleQueue  # noqa: PLC0415 - only where somebody listens

        with self._starting:
            if self._queue is None:
                self._queue = SimpleQueue()
                self._thread = Thread(
                    target=self._run, args=(self._queue,), name="horus observers", daemon=True
                )
                self._thread.start()
            self._queue.put(call)

    def settle(self) -> None:
        if self._queue is not None and self._thread is not current_thread():
            told = Event()
            self._queue.put(told.set)
            told.wait(_PATIENCE_S)

    def _run(self, queue: SimpleQueue[Callable[[], object]]) -> None:
        while True:
            queue.get()()


_apart = _Apart()


def _start_anew_in_child() -> None:
    global _apart, _lock  # noqa: PLW0603 - threads of the parent may have held them, and are not here
    _apart = _Apart()
    _lock = RLock()


os.register_at_fork(after_in_child=_start_anew_in_child)


def _call(listener: _Listener, hook: str, arguments: dict[str, Any]) -> None:
    try:
        function, takes = listener.hook
        function(**{name: arguments[name] for name in takes})
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        _disable(listener.observer, hook, error)


def _add(target: Any, called: str, plugin: Plugin | None) -> None:
    from horus_core.plugins import hooks  # noqa: PLC0415 - imports pluggy

    functions = {name: hook for name, hook in hooks.read(target).items() if name in HOOKS}
    if not functions:
        raise PluginError(
            f"expected functions marked with @horus.hookimpl, got none in {called}. The hooks: {', '.join(HOOKS)}."
        )
    if plugin is None and functions.keys() <= set(OF_PROCESSES):
        raise PluginError(
            f"expected functions that are called in this process, got {', '.join(functions)} alone in {called}. "
            f"Launchers call these in plugins: make it one of the group {GROUP}."
        )
    with _lock:
        _observers[:] = [other for other in _observers if other.target is not target]
        _observers.append(_Observer(target, called, functions, plugin))
        # Plugins in the same order in each run, whichever was imported first.
        _observers.sort(key=lambda one: str(one.plugin) if one.plugin is not None else "~")
        _work_out()
    if plugin is not None:
        plugin.gave += functions


def _work_out() -> None:
    for hook in HOOKS:
        listeners[hook] = tuple(
            _Listener(observer.functions[hook], observer)
            for observer in _observers
            if hook in observer.functions
        )


def _disable(observer: _Observer, hook: str, error: BaseException) -> None:
    with _lock:
        if not any(other is observer for other in _observers):
            return  # another thread met it at the same time, or it has gone meanwhile
        unobserve(observer.target)
    if observer.plugin is not None:
        observer.plugin.state, observer.plugin.cause = record.FAILED, error
        observer.plugin.error = f"{hook}() raised {type(error).__name__}: {error}"
    _log.error("%s raised in %s(), and is told nothing any more", observer.called, hook, exc_info=error)


def _use(plugin: Plugin) -> None:
    _add(plugin.target, str(plugin), plugin)


record.uses[GROUP] = _use
