"""What plugins of one entry-point group supply by name: message types, execution classes, backends, runners.

Who asks for a name that comes with HORUS imports nothing of a stranger's. For any other name the entry points that
are called so are imported, whatever time they take; only if none of them supplies it, the rest, for a second each.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from horus_core.errors import PluginError
from horus_core.plugins import reasons, record
from horus_core.plugins.metadata import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from horus_core.plugins.record import Plugin

T = TypeVar("T")

PATIENCE_S = 1.0
"""How long a plugin that nobody named is waited for."""
_LAST_PATIENCE_S = 30.0
"""And how long when nothing else supplies what is needed."""


class Offer(Generic[T]):
    """A thing that a plugin supplies, and which plugin."""

    # No NamedTuple, of which CPython 3.10 makes no generic one; no dataclass, whose module is slow to import.
    __slots__ = ("name", "plugin", "thing")

    def __init__(self, name: str, thing: T, plugin: Plugin) -> None:
        self.name = name
        self.thing = thing
        self.plugin = plugin


class Group(Generic[T]):
    """The plugins of one group, and what they supply.

    `hook` is called with `register`; `what` is the thing's name in errors ("a backend"); `check` raises for a thing
    that is none; `name_of` tells its name.
    """

    def __init__(
        self, group: str, hook: str, what: str, check: Callable[[Any], None], name_of: Callable[[T], str]
    ) -> None:
        self.group = group
        self.hook = hook
        self.what = what
        self._check = check
        self._name_of = name_of
        self._lock = threading.Lock()
        self._offers: tuple[Offer[T], ...] = ()
        self._shadowed: tuple[Offer[T], ...] = ()
        record.uses[group] = self._use

    def named(self, name: str, needed_by: str, remedy: str = "") -> T:
        """The thing of that name. `needed_by` begins the error, as "Running node 'arm'"; `remedy` ends it.

        Raises PluginError when nobody supplies it (the cause is what the plugin raised that should have), or two do.
        """
        found = self.find(name)
        if len(found) == 1:
            return found[0].thing
        if found:
            both = " and ".join(str(offer.plugin) for offer in found)
            raise PluginError(
                f"{needed_by} failed: expected one {self._noun()} named {name!r}, got those of {both}. "
                f"Uninstall one, or `horus plugin disable` it."
            )
        raise self._missing(name, needed_by, remedy)

    def find(self, name: str, *, search: bool = True) -> list[Offer[T]]:
        """Who supplies the name: nobody, one, or several in conflict.

        Without `search` plugins that are not called so are left alone: one that hangs delays nobody who follows a
        name that somebody else chose.
        """
        if found := self._of(name, self.plugins(box=True)):
            return found
        called, rest = self._strangers(name)
        for plugin in called:
            plugin.prepare()
        if (found := self._of(name, called)) or not search:
            return found
        slow = [plugin for plugin in rest if not plugin.prepare(PATIENCE_S)]
        if not (found := self._of(name, rest)) and not called and not self._disabled(name):
            for plugin in slow:
                plugin.prepare(_LAST_PATIENCE_S)
            found = self._of(name, rest)
        return found

    def box(self) -> list[T]:
        """What comes with HORUS. Imports nothing of a stranger's."""
        return [offer.thing for offer in self._given(self.plugins(box=True))]

    def all(self) -> list[Offer[T]]:
        """All that is supplied, what comes with HORUS first; plugins that take longer than a second are left out."""
        everyone = self.plugins()
        for plugin in everyone:
            plugin.prepare(None if plugin.is_box else PATIENCE_S)
        return self._given(everyone)

    def plugins(self, *, box: bool = False) -> list[Plugin]:
        """The plugins of this group that may be used, or those that come with HORUS. Imports none."""
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        found = (plugin for plugin in discovery.entry_points(self.group) if plugin.state != record.DISABLED)
        return [plugin for plugin in found if plugin.is_box or not box]

    def names(self) -> list[str]:
        """What is supplied by the plugins that are imported so far, by name. Waits for none."""
        return sorted({offer.name for offer in self._given(self.plugins())})

    def trouble(self, name: str) -> tuple[str, BaseException | None]:
        """Why nobody supplies a name, of the plugins called so, and what the first raised; empty when none is."""
        from horus_core.plugins import discovery  # noqa: PLC0415 - reads the metadata of all distributions

        called, _ = self._strangers(name)
        failed = [plugin for plugin in (*called, *self.plugins(box=True)) if plugin.error is not None]
        useless = [*failed, *self._disabled(name)]
        wrong = discovery.wrong_settings()
        if wrong is not None and not useless:  # a file in a folder that is not known might have it
            return reasons.ended(reasons.one_line(wrong)), wrong
        return " ".join(str(plugin.failure()) for plugin in useless), failed[0].cause if failed else wrong

    def giver(self, thing: object, package: str) -> Plugin | None:
        """Who supplies this very thing, of HORUS, of plugins imported so far, and of those in that Python package."""
        for plugin in self.plugins():
            if plugin.is_box or plugin.module.partition(".")[0] == package:
                plugin.prepare()
        return next((offer.plugin for offer in self._offers if offer.thing is thing), None)

    def supplied(self, thing: object) -> bool:
        """Whether a plugin gave this very thing, used or shadowed."""
        return any(offer.thing is thing for offer in (*self._offers, *self._shadowed))

    def reload(self) -> None:
        """Look for plugins again at the next use: a distribution was installed meanwhile."""
        from horus_core.plugins import discovery  # noqa: PLC0415 - as above

        discovery.forget()

    def _strangers(self, name: str) -> tuple[list[Plugin], list[Plugin]]:
        called: list[Plugin] = []
        rest: list[Plugin] = []
        for plugin in self.plugins():
            if not plugin.is_box:
                (called if canonical(plugin.name) == canonical(name) else rest).append(plugin)
        return called, rest

    def _of(self, name: str, plugins: Iterable[Plugin]) -> list[Offer[T]]:
        return [offer for offer in self._given(plugins) if offer.name == name]

    def _given(self, plugins: Iterable[Plugin]) -> list[Offer[T]]:
        """What these plugins supply; those that come with HORUS are imported for it."""
        givers = list(plugins)
        for plugin in givers:
            if plugin.is_box:
                plugin.prepare()
        return [offer for offer in self._offers if offer.plugin in givers]

    def _use(self, plugin: Plugin) -> None:
        """Take what a plugin supplies: called once it is imported."""
        with self._lock:  # an earlier attempt may have been cut short by Ctrl+C
            self._offers = tuple(offer for offer in self._offers if offer.plugin is not plugin)
        own = getattr(plugin.target, self.hook, None) if plugin.is_box else None
        if own is not None:  # the tests see to it that nothing there is misspelt
            own(lambda thing: self._take(plugin, thing))
            return
        from horus_core.plugins import hooks  # noqa: PLC0415 - imports pluggy, which takes 8 ms

        hooks.contribute(plugin.target, self.hook, lambda thing: self._take(plugin, thing))

    def _take(self, plugin: Plugin, thing: T) -> None:
        self._check(thing)
        offer = Offer(self._name_of(thing), thing, plugin)
        shadows = not plugin.is_box and self._of(offer.name, self.plugins(box=True))
        with self._lock:
            if self.supplied(thing):
                return  # two entry points name one module
            if shadows:
                self._shadowed += (offer,)
            else:
                self._offers += (offer,)
                plugin.gave.append(offer.name)
        if shadows:
            plugin.note(f"its {offer.name!r} is not used: {record.BOX} has {self.what} of that name")

    def _noun(self) -> str:
        return self.what.partition(" ")[2]

    def _missing(self, name: str, needed_by: str, remedy: str) -> PluginError:
        trouble, cause = self.trouble(name)
        names = self.names()
        listed = ", ".join(map(repr, names)) or "none"
        error = PluginError(
            f"{needed_by} failed: expected {self.what} named {name!r}, got {listed}."
            f"{reasons.nearest(name, names)} {trouble or self._perhaps(remedy)}"
        )
        error.__cause__ = cause
        return error

    def _perhaps(self, remedy: str) -> str:
        """What to do about a name that no entry point is called; others that failed may have had it."""
        failed = [plugin for plugin in self.plugins() if plugin.error is not None]
        others = "".join(
            f"Perhaps {plugin} has it, which failed: {reasons.ended(plugin.error or '')} "
            for plugin in failed
        )
        return f"{others}{remedy or 'Install what supplies it.'}"

    def _disabled(self, name: str) -> list[Plugin]:
        from horus_core.plugins import discovery  # noqa: PLC0415 - as above

        found = discovery.entry_points(self.group)
        return [
            one for one in found if one.state == record.DISABLED and canonical(one.name) == canonical(name)
        ]
