"""Message types by name: those that this process defined, and those that plugins bring."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from horus_core.errors import PluginError
from horus_core.messages import layout
from horus_core.plugins import record
from horus_core.plugins.group import Group

if TYPE_CHECKING:
    from horus_core.messages.message import Message
    from horus_core.plugins.group import Offer

_by_name: dict[str, weakref.ref[type[Message]]] = {}
_by_hash: dict[bytes, weakref.ref[type[Message]]] = {}


def register(cls: type[Message]) -> None:
    """Know the class by its name; the last one defined wins, as in a notebook. Defining a class does this.

    Not so while a plugin is imported: what the process itself has defined keeps its name.
    """
    if not (record.is_importing() and _local(cls.__name__)):
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
    local = _local(name)
    if local is not None:
        return local
    offers = types.find(name)
    if len(offers) > 1:
        raise _conflict(name, offers)
    return offers[0].thing if offers else None


def _local(name: str) -> type[Message] | None:
    """The class of that name which this process has and no plugin gave it."""
    reference = _by_name.get(name)
    found = reference() if reference is not None else None
    return None if found is None or types.supplied(found) else found


def find_same(name: str, type_hash: bytes) -> type[Message] | None:
    """Return the class that a region's name and hash tell; where two plugins give the name, the one that fits.

    A name that comes out of a region was chosen by another process: plugins that are not called so are left alone.
    """
    known = by_hash(type_hash)
    if known is not None:
        return known
    offers = types.find(name, search=False)
    return next((offer.thing for offer in offers if offer.thing.__type_hash__ == type_hash), None)


def all_types() -> dict[str, type[Message]]:
    """Return every type that can be found, by name; where two plugins give one name, the first's."""
    found: dict[str, type[Message]] = {}
    for offer in types.all():
        found.setdefault(offer.name, offer.thing)
    local = ((name, reference()) for name, reference in list(_by_name.items()))
    found |= {name: cls for name, cls in local if cls is not None and name not in found}
    return dict(sorted(found.items()))


def _check_contribution(cls: Any) -> None:
    from horus_core.messages.message import Message  # noqa: PLC0415 - imports this module

    if not (isinstance(cls, type) and issubclass(cls, Message) and cls.__type_hash__):
        raise PluginError(
            f"Cannot register a message type: expected a subclass of horus.Message, got {cls!r}."
        )


def _conflict(name: str, offers: list[Offer[type[Message]]]) -> PluginError:
    who = " and ".join(f"{offer.plugin.distribution} ({offer.thing.__module__})" for offer in offers)
    return PluginError(
        f"Cannot tell which type '{name}' is: expected one distribution to bring it, got {who}. "
        f"Uninstall one, or name it as '{offers[0].thing.__module__}:{name}'."
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


def _name(cls: type[Message]) -> str:
    return cls.__name__


types: Group[type[Message]] = Group(
    "horus.messages", "horus_register_messages", "a message type", _check_contribution, _name
)
"""The plugins, and what they supply."""
