"""The values of a launch file, each with the place where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from horus_plugins.launch.file.problems import Place

Plain = bool | int | float | str | None


@dataclass(frozen=True)
class Scalar:
    """One value."""

    place: Place
    value: Plain
    text: str
    """As it is written."""
    is_text: bool = False
    """Whether it is said to be text, by `!!str`, whatever it looks like."""
    referred: bool = False
    """Whether it came in by a reference: then it may be text, too, where a text is wanted."""
    broken: bool = False
    """Whether it has a problem that was told: nothing more is to be said of it."""

    def plain(self) -> Plain:
        """The value alone."""
        return self.value


@dataclass(frozen=True)
class Sequence:
    """A list."""

    place: Place
    items: tuple[Value, ...]

    def plain(self) -> list[Any]:
        """The values alone."""
        return [item.plain() for item in self.items]


@dataclass(frozen=True)
class Entry:
    """A key, where it stands, and its value."""

    place: Place
    value: Value


@dataclass(frozen=True)
class Mapping:
    """Keys and values, in their order."""

    place: Place
    entries: dict[str, Entry]

    def plain(self) -> dict[str, Any]:
        """The values alone."""
        return {key: entry.value.plain() for key, entry in self.entries.items()}

    def get(self, key: str) -> Value | None:
        """The value of a key; None where there is none."""
        entry = self.entries.get(key)
        return entry.value if entry is not None else None

    def key_place(self, key: str) -> Place:
        """Where the key stands; where the mapping does if it has no such key."""
        entry = self.entries.get(key)
        return entry.place if entry is not None else self.place


Value = Scalar | Sequence | Mapping


def of_plain(value: Any, place: Place) -> Value:
    """A value that stands in no file, such as one of the command line."""
    if isinstance(value, dict):
        return Mapping(place, {str(key): Entry(place, of_plain(one, place)) for key, one in value.items()})
    if isinstance(value, list):
        return Sequence(place, tuple(of_plain(one, place) for one in value))
    return Scalar(place, value, value if isinstance(value, str) else json.dumps(value), referred=True)


def is_broken(value: Value) -> bool:
    """Whether something in it has a problem that was told."""
    if isinstance(value, Scalar):
        return value.broken
    parts = value.items if isinstance(value, Sequence) else tuple(one.value for one in value.entries.values())
    return any(is_broken(one) for one in parts)


def at(value: Value, path: list[str | int]) -> Place:
    """Where the part of a value stands that a path of keys and indexes leads to, as far as it leads."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str) and step in value.entries:
            value = value.entries[step].value
        elif isinstance(value, Sequence) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
        else:
            break
    return value.place
