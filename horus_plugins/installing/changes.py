"""What HORUS has gained and lost, between two looks at the metadata of what is installed. Imports nothing of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

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


def look() -> dict[str, State]:
    """By canonical name: the distributions with entry points of HORUS's."""
    importlib.invalidate_caches()
    found: dict[str, State] = {}
    for one in metadata.scan().entry_points:
        key = metadata.canonical(one.distribution)
        known = found.get(key) or State(one.distribution, one.version, frozenset())
        found[key] = known._replace(gives=known.gives | {(one.group, one.name)})
    return found


def told(before: dict[str, State], after: dict[str, State]) -> Iterator[str]:
    """What changed, line by line: distributions with their versions, and what each gives more or less."""
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    if not changed:
        yield "Nothing changed for HORUS: no plugin and no node came, went or has another version."
    for key in changed:
        old, new = before.get(key), after.get(key)
        yield _headline(old, new)
        had = old.gives if old is not None else frozenset()
        has = new.gives if new is not None else frozenset()
        yield from (f"  - {_thing(*one)}" for one in sorted(had - has))
        yield from (f"  + {_thing(*one)}" for one in sorted(has - had))


def _headline(old: State | None, new: State | None) -> str:
    if old is None:
        assert new is not None
        return f"{new.name} {new.version}: new"
    if new is None:
        return f"{old.name} {old.version}: gone"
    if old.version == new.version:
        return f"{new.name} {new.version}: changed"
    return f"{new.name} {old.version} -> {new.version}"


def _thing(group: str, name: str) -> str:
    return f"{_WORDS.get(group, group)} {name}"
