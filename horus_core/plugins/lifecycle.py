"""Those who want to be told what becomes of nodes: plugins of the group `horus.lifecycle`, and code by observe().

Nobody is asked per event: which functions are to be called is worked out when observers come and go.
"""

from __future__ import annotations

import logging
import os
from queue import SimpleQueue
from threading import Event, Lock, RLock, Thread, current_thread
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.plugins.discovery import Plugin

GROUP = "horus.lifecycle"
HOOKS = (
    "horus_node_added",
    "horus_node_started",
    "horus_node_failed",
    "horus_node_missed",
    "horus_node_stopped",
    "horus_estop",
)

_PATIENCE_S = 1.0

_log = logging.getLogger("horus")
_lock = RLock()
_plugins: list[Plugin] | None = None
_observers: list[_Observer] = []


class _Listener(NamedTuple):
    """One function of an observer."""

    function: Callable[..., object]
    takes: tuple[str, ...]
    observer: _Observer


class _Observer(NamedTuple):
    """An object with functions marked by @horus.hookimpl."""

    target: Any
    called: str
    functions: dict[str, tuple[Callable[..., object], tuple[str, ...]]]
    plugin: Plugin | None


listeners: dict[str, tuple[_Listener, ...]] = dict.fromkeys(HOOKS, ())
"""Who is called for each hook: empty tuples when nobody listens."""


def observe(observer: object) -> None:
    """Tell an observer what becomes of nodes from now on: each of its functions marked with @horus.hookimpl.

    The hooks: horus_core/plugins/hookspecs.py. Raises ConfigError for an observer without any, or with one that is
    misspelt or takes other arguments.
    """
    _add(observer, repr(observer), None)


def unobserve(observer: object) -> None:
    """Tell it nothing any more. Nothing happens when it is no observer."""
    with _lock:
        _observers[:] = [other for other in _observers if other.target is not observer]
        _work_out()


def load_plugins() -> None:
    """Import the plugins of the group, once a process; one that fails is said in the log and left out."""
    global _plugins  # noqa: PLW0603 - the one cache of this module
    with _lock:
        if _plugins is not None:
            return
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        _plugins = discovery.load(GROUP)
        for plugin in _plugins:
            if plugin.error is None:
                try:
                    _add(plugin.target, repr(plugin), plugin)
                except ConfigError as error:
                    plugin.error = str(error)
            if plugin.error is not None:
                _log.warning("%r was left out: %s", plugin, plugin.error)


def plugins() -> list[Plugin]:
    """What listens through entry points, with the hooks of each, or why it failed."""
    load_plugins()
    return list(_plugins or ())


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
        self._queue: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None

    def put(self, call: Callable[[], object]) -> None:
        self._queue.put(call)
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="horus observers", daemon=True)
                self._thread.start()

    def settle(self) -> None:
        if self._thread is not None and self._thread is not current_thread():
            told = Event()
            self._queue.put(told.set)
            told.wait(_PATIENCE_S)

    def _run(self) -> None:
        while True:
            self._queue.get()()


_apart = _Apart()


def _start_anew_in_child() -> None:
    global _apart, _lock  # noqa: PLW0603 - threads of the parent may have held them, and are not here
    _apart = _Apart()
    _lock = RLock()


os.register_at_fork(after_in_child=_start_anew_in_child)


def _call(listener: _Listener, hook: str, arguments: dict[str, Any]) -> None:
    try:
        listener.function(**{name: arguments[name] for name in listener.takes})
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        _disable(listener.observer, hook, error)


def _add(target: Any, called: str, plugin: Plugin | None) -> None:
    observer = _Observer(target, called, _functions(target, called), plugin)
    if not observer.functions:
        raise ConfigError(
            f"Observing failed: expected functions marked with @horus.hookimpl, got none in {called}. The hooks: "
            f"{', '.join(HOOKS)}."
        )
    if plugin is not None:
        plugin.gave += observer.functions
    with _lock:
        _observers[:] = [other for other in _observers if other.target is not target]
        _observers.append(observer)
        _work_out()


def _functions(target: Any, called: str) -> dict[str, tuple[Callable[..., object], tuple[str, ...]]]:
    """The marked functions, checked by pluggy against the specifications."""
    import pluggy  # noqa: PLC0415 - `import horus` must not pay for it

    from horus_core.plugins import hookspecs  # noqa: PLC0415 - imports pluggy

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(target)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise ConfigError(f"Observing failed: expected hooks as specified, got {called}: {error}.") from error
    implementations = [(hook, getattr(manager.hook, hook).get_hookimpls()) for hook in HOOKS]
    return {hook: (found[0].function, tuple(found[0].argnames)) for hook, found in implementations if found}


def _work_out() -> None:
    for hook in HOOKS:
        listeners[hook] = tuple(
            _Listener(*observer.functions[hook], observer)
            for observer in _observers
            if hook in observer.functions
        )


def _disable(observer: _Observer, hook: str, error: BaseException) -> None:
    with _lock:
        if not any(other is observer for other in _observers):
            return  # another thread met it at the same time, or it has gone meanwhile
        unobserve(observer.target)
    if observer.plugin is not None:
        observer.plugin.error = f"{hook}() raised {type(error).__name__}: {error}"
    _log.error("%s raised in %s(), and is told nothing any more", observer.called, hook, exc_info=error)
