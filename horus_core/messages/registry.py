"""Message types by name: those that this process defined, and those that plugins bring."""

from __future__ import annotations

import sys
import weakref
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from horus_core.errors import PluginError
from horus_core.messages import layout

if TYPE_CHECKING:
    from horus_core.messages.message import Message
    from horus_core.plugins.discovery import Plugin

GROUP = "horus.messages"

_by_name: dict[str, weakref.ref[type[Message]]] = {}
_by_hash: dict[bytes, weakref.ref[type[Message]]] = {}
_lock = RLock()
_plugins: list[Plugin] | None = None
_contributed: dict[str, list[tuple[type[Message], Plugin]]] = {}


def register(cls: type[Message]) -> None:
    """Know the class by its name; the last one defined wins, as in a notebook. Defining a class does this."""
    _by_name[cls.__name__] = weakref.ref(cls)
    _by_hash[layout.type_hash(cls)] = weakref.ref(cls)


def by_hash(type_hash: bytes) -> type[Message] | None:
    """Return the class of this process that has the layout; imports nothing."""
    reference = _by_hash.get(type_hash)
    return reference() if reference is not None else None


def find(name: str) -> type[Message] | None:
    """Return the class of that name, or of `module:name`; None when nobody has it.

    A class that this process defined itself comes before those of plugins.

    Raises:
        PluginError: two distributions bring a type of that name.
    """
    if ":" in name:
        return _imported(name)
    _load_plugins()
    contributed = _contributed.get(name, [])
    reference = _by_name.get(name)
    local = reference() if reference is not None else None
    if local is not None and all(local is not cls for cls, _ in contributed):
        return local
    if len(contributed) > 1:
        raise _conflict(name, contributed)
    return contributed[0][0] if contributed else None


def find_same(name: str, type_hash: bytes) -> type[Message] | None:
    """Return the class that a region's name and hash tell; where two plugins give the name, the one that fits."""
    known = by_hash(type_hash)
    if known is not None:
        return known
    _load_plugins()
    fitting = (cls for cls, _ in _contributed.get(name, ()) if cls.__type_hash__ == type_hash)
    return next(fitting, None)


def all_types() -> dict[str, type[Message]]:
    """Return every type that can be found, by name; where two plugins give one name, the first's."""
    _load_plugins()
    types = {name: given[0][0] for name, given in _contributed.items()}
    local = ((name, reference()) for name, reference in list(_by_name.items()))
    types |= {name: cls for name, cls in local if cls is not None and name not in types}
    return dict(sorted(types.items()))


def plugins() -> list[Plugin]:
    """Return what supplies message types, with what each gave or why it failed."""
    _load_plugins()
    return list(_plugins or ())


def reload_plugins() -> None:
    """Look for plugins again at the next use: a distribution was installed meanwhile."""
    global _plugins  # noqa: PLW0603 - the one cache of this module
    with _lock:
        _plugins = None
        _contributed.clear()


def _load_plugins() -> None:
    global _plugins  # noqa: PLW0603 - the one cache of this module
    with _lock:  # re-entrant: a plugin may ask for a type while it is loaded, and sees what came before it
        if _plugins is not None:
            return
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        _plugins = []
        try:
            for plugin in discovery.load(GROUP):
                _plugins.append(plugin)
                discovery.call(plugin, "horus_register_messages", partial(_take, plugin))
        except BaseException:  # Ctrl+C: the next one who asks starts anew
            reload_plugins()
            raise


def _take(plugin: Plugin, cls: type[Message]) -> None:
    _check_contribution(cls)
    given = _contributed.setdefault(cls.__name__, [])
    if all(cls is not other for other, _ in given):
        plugin.gave.append(cls.__name__)
        given.append((cls, plugin))


def _check_contribution(cls: Any) -> None:
    from horus_core.messages.message import Message  # noqa: PLC0415 - imports this module

    if not (isinstance(cls, type) and issubclass(cls, Message) and cls.__type_hash__):
        raise PluginError(
            f"Cannot register a message type: expected a subclass of horus.Message, got {cls!r}."
        )


def _conflict(name: str, given: list[tuple[type[Message], Plugin]]) -> PluginError:
    who = " and ".join(f"{plugin.distribution} ({cls.__module__})" for cls, plugin in given)
    return PluginError(
        f"Cannot tell which type '{name}' is: expected one distribution to bring it, got {who}. "
        f"Uninstall one, or name it as '{given[0][0].__module__}:{name}'."
    )


def _imported(name: str) -> type[Message] | None:
    from importlib import import_module  # noqa: PLC0415 - only for names with a module

    module_name, _, qualified = name.partition(":")
    try:
        found: Any = sys.modules.get(module_name) or import_module(module_name)
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if getattr(found, "__type_hash__", None) else None
