"""Which plugins there are: one pass over the metadata of all distributions, cached. Imports none of them."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from horus_core.plugins import metadata, reasons, rules, switches
from horus_core.plugins.record import BOX, DISABLED, Plugin, say

if TYPE_CHECKING:
    from horus_core.errors import ConfigError

_lock = threading.RLock()
_path: tuple[str, ...] | None = None
_plugins: dict[object, Plugin] = {}
_hidden: dict[str, tuple[str, ...]] = {}
_said: set[str] = set()
_wrong: ConfigError | None = None


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


def wrong_settings() -> ConfigError | None:
    """What is wrong with the settings, or None. What comes with HORUS works all the same, and nothing else does."""
    every()
    return _wrong


def check_settings() -> None:
    """For whoever needs what only they could give: raises ConfigError when they are wrong, and still are."""
    if wrong_settings() is not None:
        forget()  # a notebook goes on when the file is corrected
    if error := wrong_settings():
        raise error


def forget() -> None:
    """Look again at the next use: a distribution was installed or removed meanwhile. What is loaded stays loaded."""
    global _path  # noqa: PLW0603 - the one cache of this module
    with _lock:
        _path = None


def _look() -> None:
    global _path, _plugins, _hidden, _wrong  # noqa: PLW0603 - as above
    start = time.perf_counter()
    allowed = rules.read()
    _wrong = allowed.wrong
    path = tuple(sys.path)
    found = metadata.scan()
    _hidden = found.hidden
    ordered = sorted(
        found.entry_points, key=lambda one: (one.distribution != BOX, one.distribution, one.name)
    )
    plugins: dict[object, Plugin] = {one: _plugins.get(one) or Plugin(*one[:5]) for one in ordered}
    if allowed.folder is not None:
        from horus_core.plugins import folder  # noqa: PLC0415 - only for projects that have one

        for one in folder.scan(allowed.folder):
            plugins[repr(one)] = _plugins.get(repr(one)) or one
    for plugin in plugins.values():
        plugin.decide(allowed.forbids(plugin))
    _path, _plugins = path, plugins
    _say_wrong(allowed)
    _say_unknown(allowed)
    took_ms = (time.perf_counter() - start) * 1e3
    switches.trace(f"found {len(_plugins)} entry points in {took_ms:.1f} ms")
    for plugin in _plugins.values():
        if not plugin.is_box:
            switches.trace(f"found {plugin}{', disabled' if plugin.state == DISABLED else ''}")


def _say_wrong(allowed: rules.Rules) -> None:
    """Settings that are wrong are no reason to refuse an emergency stop: say so, once."""
    if allowed.wrong is not None and (text := reasons.one_line(allowed.wrong)) not in _said:
        _said.add(text)
        say(f"{reasons.ended(text)} Until then no plugin of others is used{_but(allowed)}.", failed=False)


def _but(allowed: rules.Rules) -> str:
    return f", but those in {rules.ONLY}" if allowed.only else ""


def _say_unknown(allowed: rules.Rules) -> None:
    """A name in HORUS_PLUGINS that no plugin has allows nothing: say so, once."""
    known = {name for plugin in _plugins.values() for name in plugin.names()}
    only = allowed.only if allowed.wrong is None else None  # the folder that has it may be what is wrong
    for name in sorted((only or frozenset()) - known - _said):
        _said.add(name)
        say(
            f"{rules.ONLY} names {name!r}, which no plugin is called.{reasons.nearest(name, known)}",
            failed=False,
        )


def _start_anew_in_child() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may hold it
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_start_anew_in_child)
