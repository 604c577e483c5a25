"""Which plugins there are: one pass over the metadata of all distributions, cached. Imports none of them."""

from __future__ import annotations

import os
import sys
import threading
import time

from horus_core.plugins import metadata, switches
from horus_core.plugins.record import BOX, DISABLED, Plugin

_lock = threading.RLock()
_path: tuple[str, ...] | None = None
_plugins: dict[metadata.EntryPoint, Plugin] = {}
_hidden: dict[str, tuple[str, ...]] = {}


def entry_points(group: str) -> tuple[Plugin, ...]:
    """The plugins of a group, disabled ones too: HORUS's own first, then by distribution and name."""
    return tuple(plugin for plugin in every() if plugin.group == group)


def every() -> tuple[Plugin, ...]:
    """The plugins of all groups, in that order. Looked for again when sys.path has changed."""
    with _lock:
        if _path != tuple(sys.path):
            _look()
        return tuple(_plugins.values())


def hidden(distribution: str) -> tuple[str, ...]:
    """Other versions of a distribution that are installed, too, and not used: `1.0 in folder`."""
    every()
    return _hidden.get(metadata.canonical(distribution), ())


def forget() -> None:
    """Look again at the next use: a distribution was installed or removed meanwhile. What is loaded stays loaded."""
    global _path  # noqa: PLW0603 - the one cache of this module
    with _lock:
        _path = None


def _look() -> None:
    global _path, _plugins, _hidden  # noqa: PLW0603 - as above
    start = time.perf_counter()
    _path = tuple(sys.path)
    found = metadata.scan()
    _hidden = found.hidden
    ordered = sorted(
        found.entry_points, key=lambda one: (one.distribution != BOX, one.distribution, one.name)
    )
    _plugins = {one: _plugins.get(one) or _plugin(one) for one in ordered}
    took_ms = (time.perf_counter() - start) * 1e3
    switches.trace(f"found {len(_plugins)} entry points in {took_ms:.1f} ms")
    for plugin in _plugins.values():
        if not plugin.is_box:
            switches.trace(f"found {plugin}{', disabled' if plugin.state == DISABLED else ''}")


def _plugin(found: metadata.EntryPoint) -> Plugin:
    plugin = Plugin(found.group, found.name, found.value, found.distribution, found.version)
    if not plugin.is_box and not switches.allow(plugin):
        plugin.state = DISABLED
    return plugin


def _start_anew_in_child() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may hold it
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_start_anew_in_child)
