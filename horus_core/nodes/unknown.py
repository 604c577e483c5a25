"""Keys that a conversion has dropped: msgspec passes over what a dataclass does not have, and a user has misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Dropped(NamedTuple):
    """One key that means nothing."""

    key: str
    owner: str
    """The class that has no such field."""
    known: list[str]
    """The fields that it has."""


def dropped(given: Any, converted: Any) -> Iterator[Dropped]:
    """The keys of dicts in `given` that are not in what was made of it, at any depth."""
    if isinstance(given, dict):
        for key, inside in given.items():
            yield from _of_key(key, inside, converted)
    elif isinstance(given, (list, tuple)) and isinstance(converted, (list, tuple)):
        for one, made in zip(given, converted, strict=False):
            yield from dropped(one, made)


def _of_key(key: Any, inside: Any, converted: Any) -> Iterator[Dropped]:
    fields = _fields(converted)
    if key in fields:
        yield from dropped(inside, fields[key])
    elif not isinstance(converted, dict):  # whose keys may have become another type
        yield Dropped(str(key), type(converted).__name__, list(fields))


def _fields(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    names = getattr(type(value), "__dataclass_fields__", ())
    wire = getattr(type(value), "__struct_encode_fields__", ())  # of a msgspec.Struct: as users write them
    if wire:
        pairs = zip(wire, type(value).__struct_fields__, strict=True)
        return {said: getattr(value, name) for said, name in pairs}
    return {name: getattr(value, name, None) for name in names}
