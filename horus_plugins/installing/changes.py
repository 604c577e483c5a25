"""What HORUS has gained and lost, between two looks at the metadata of what is installed. Imports nothing of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from horus_core.plugins import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {
    "horus.nodes": "node",
    "horus.messages": "messages",
    "horus.commands": "command",
    "horus.execution": "execution class",
    "horus.backends": "backend",
    "horus.runners": "runner",
    "horus.lifecycle": "observer",
}


class State(NamedTuple):
    """A distribution that has something for HORUS."""

    name: str
    version: str
    gives: frozenset[tuple[str, str]]
    """(group, name) of each of its entry points."""


class Change(msgspec.Struct):
    """What one distribution has for HORUS, more or less than before."""

    distribution: str
    before: str | None
    """Its version; None: it was not there."""
    after: str | None
    gained: list[str]
    lost: list[str]


class Outcome(msgspec.Struct):
    """What an installer was told, and what HORUS has of it."""

    command: list[str]
    exit_code: int | None
    """None: it was only to be shown."""
    changes: list[Change]


def look() -> dict[str, State]:
    """By canonical name: the distributions with entry points of HORUS's."""
    importlib.invalidate_caches()
    found: dict[str, State] = {}
    for one in metadata.scan().entry_points:
        key = metadata.canonical(one.distribution)
        known = found.get(key) or State(one.distribution, one.version, frozenset())
        found[key] = known._replace(gives=known.gives | {(one.group, one.name)})
    return found


def between(before: dict[str, State], after: dict[str, State]) -> list[Change]:
    """What changed, by the names of distributions."""
    return [
        _change(before.get(key), after.get(key))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def told(changes: list[Change]) -> Iterator[str]:
    """The same line by line."""
    if not changes:
        yield "Nothing changed for HORUS: no plugin and no node came, went or has another version."
    for change in changes:
        yield f"{change.distribution} {_versions(change)}"
        yield from (f"  - {thing}" for thing in change.lost)
        yield from (f"  + {thing}" for thing in change.gained)


def _change(old: State | None, new: State | None) -> Change:
    had, has = (one.gives if one is not None else frozenset() for one in (old, new))
    name = (new or old or State("", "", frozenset())).name
    return Change(
        name,
        old.version if old is not None else None,
        new.version if new is not None else None,
        [_thing(*one) for one in sorted(has - had)],
        [_thing(*one) for one in sorted(had - has)],
    )


def _versions(change: Change) -> str:
    if change.before is None:
        return f"{change.after}: new"
    if change.after is None:
        return f"{change.before}: gone"
    if change.before == change.after:
        return f"{change.after}: changed"
    return f"{change.before} -> {change.after}"


def _thing(group: str, name: str) -> str:
    return f"{_WORDS.get(group, group)} {name}"
