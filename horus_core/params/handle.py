"""One parameter of this process: its value now, how it was declared, and who wants to be asked and told."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from horus_core.errors import ParamError
from horus_core.params.env import Given
from horus_core.params.values import builtins

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.params.store import Store
    from horus_core.params.values import Rules

T = TypeVar("T")

SET, ENVIRONMENT, ARGUMENT, FILE, DEFAULT = "set", "environment", "argument", "file", "default"
"""Where a value may come from, the strongest first; an argument is what a packaged node was made with."""


class Watcher(NamedTuple):
    """Who declared the parameter, and what that one wants to be asked and told."""

    owner: str
    """The node that declared it; empty for code outside of callbacks."""
    validator: Callable[[Any], object] | None
    on_change: Callable[[Any], object] | None


class RuntimeParam(Generic[T]):
    """A declared parameter: `.value` is what it is now, of the declared type."""

    __slots__ = (
        "_layer", "_origin", "_store", "_value", "asked", "changed", "declared", "given", "name", "rules", "telling",
        "told", "watchers",
    )  # fmt: skip

    def __init__(self, store: Store, name: str, rules: Rules) -> None:
        self._store = store
        self.name = name
        self.rules = rules
        self.declared = False
        self.asked = False
        """Whether code has ever asked for it: what nobody reads is shown as such."""
        self.watchers: tuple[Watcher, ...] = ()
        self.given: Given | None = None
        """What was given, as it was written; None where nobody gave it a value."""
        self._value: Any = rules.default
        self._layer = DEFAULT
        self._origin = DEFAULT
        self.changed = 0
        self.told = 0
        self.telling = False

    if TYPE_CHECKING:

        @property
        def value(self) -> T:
            """The value now. Reading it takes no lock; do not change a list or a dict in place."""

    else:
        value = property(
            attrgetter("_value"), doc="The value now. Takes no lock; do not change a list in place."
        )

    @property
    def origin(self) -> str:
        """Who gave the value: `set`, a variable, a file with its line, or `default`."""
        return self._origin

    @property
    def layer(self) -> str:
        """What kind of origin that is: `set`, `environment`, `argument`, `file` or `default`."""
        return self._layer

    def set(self, value: T) -> None:
        """Set it at runtime, as RuntimeParams.set() does."""
        self._store.set(self.name, Given(value, SET))

    def delete(self) -> bool:
        """Forget what was set, as RuntimeParams.delete() does."""
        return self._store.delete(self.name)

    def put(self, value: Any, layer: str, given: Given | None) -> None:
        """Take the value. Under the store's lock."""
        self.changed += bool(value != self._value or type(value) is not type(self._value))
        self._value = value
        self._layer = layer
        self._origin = layer if given is None else given.origin
        if layer == SET and self._origin != SET:
            self._origin = f"set by {self._origin}"
        self.given = given

    def described(self) -> dict[str, Any]:
        """What tools show of it, of values that MessagePack has."""
        return self.rules.described() | {
            "name": self.name,
            "value": builtins(self._value),
            "layer": self._layer,
            "origin": self._origin,
            "declared": self.declared,
            "asked": self.asked,
            "fixed": False,
            "nodes": sorted({watcher.owner for watcher in self.watchers} - {""}),
        }

    def __repr__(self) -> str:
        return f"<RuntimeParam {self.name}={self._value!r} ({self._origin})>"


def checked(name: str, rules: Rules, watchers: tuple[Watcher, ...], given: Given | None) -> Any:
    """The value that is meant, of the right type; without one the default.

    Raises ParamError when a rule or a validator refuses it. No lock is held: validators may do what they like.
    """
    if given is None and (rules.default is None or rules.type is Any):
        return rules.default
    given = given or Given(rules.default, "its default")
    value = rules.convert(name, given)
    for watcher in watchers:
        _refuse(name, watcher, value, given.origin)
    return value


def _refuse(name: str, watcher: Watcher, value: Any, origin: str) -> None:
    if watcher.validator is None:
        return
    try:
        if watcher.validator(value) is not False:
            return
        why = f"{getattr(watcher.validator, '__name__', 'its validator')}() returned False"
    except Exception as error:  # noqa: BLE001 - whatever it raises is its veto
        why = (
            str(error) if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}"
        )
    who = f"node {watcher.owner!r}" if watcher.owner else "its validator"
    raise ParamError(f"Bad parameter {name!r}: {who} refuses {builtins(value)!r} (from {origin}): {why}")
