"""From files to the nodes in them: includes are read, groups opened, loops written out. Nodes stay as they are."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_plugins.launch.file import format as spec
from horus_plugins.launch.file.checking import check
from horus_plugins.launch.file.problems import shown
from horus_plugins.launch.file.reading import read
from horus_plugins.launch.file.substitution import Scope, substitute
from horus_plugins.launch.file.values import Entry, Mapping, Scalar, Sequence, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.launch.file.problems import Place, Problems

MAX_NODES = 5_000
MAX_INCLUDES = 20
GROUP = ("foreach", "nodes", "include", "prefix")
"""The keys that make an item of `nodes` a group."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FREE = "x-"
"""What keys start with that are the user's own: where anchors are put."""


class Bound(NamedTuple):
    """An entry, and what the names in it stand for."""

    entry: Entry
    scope: Scope


@dataclass(frozen=True)
class Context:
    """What holds at one place of a file."""

    path: Path
    shown: str
    """The file as errors name it."""
    scope: Scope
    prefixes: tuple[str, ...] = ()
    params: dict[str, Bound] = field(default_factory=dict)
    env: dict[str, Bound] = field(default_factory=dict)
    chain: tuple[Path, ...] = ()
    """The files that include this one, the first one first."""

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.path.parent

    def with_layer(self, mapping: Mapping) -> Context:
        """With the `params` and `env` of a mapping above those that there are."""
        layers = {}
        for key in ("params", "env"):
            value = mapping.get(key)
            own = value.entries if isinstance(value, Mapping) else {}
            layers[key] = {**getattr(self, key), **{k: Bound(entry, self.scope) for k, entry in own.items()}}
        return replace(self, params=layers["params"], env=layers["env"])

    def with_prefix(self, prefix: str) -> Context:
        """Inside a group of that prefix."""
        parts = tuple(part for part in prefix.split("/") if part)
        return replace(self, prefixes=(*self.prefixes, *parts))


class Draft(NamedTuple):
    """A node as it is written, and what holds there."""

    mapping: Mapping
    context: Context


class TooMany(Exception):  # noqa: N818 - the problem is noted
    """There are more nodes than any robot has."""


class Expander:
    """Reads a file and what it includes. Problems are noted, and what they concern is left out."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._read: dict[Path, Mapping | None] = {}
        self._count = 0

    def file(self, context: Context, over: Mapping | None = None) -> tuple[dict[str, Any], list[Draft]]:
        """The keys of a file and its nodes; `over` are the params and env of who includes it."""
        mapping = self._mapping(context)
        if mapping is None:
            return {}, []
        bare = self._without_layers(mapping, context.scope)
        head = check(bare, spec.FileSpec, "the launch file", self._problems, ignored=_FREE)
        self._check_layers(mapping, "the launch file")
        if "nodes" not in mapping.entries and "include" not in mapping.entries:
            self._problems.add(
                mapping.place, "expected `nodes:`, a list of what is to run, or `include:`, got neither."
            )
        inside = context.with_layer(mapping)
        drafts = list(self._members(mapping, inside.with_layer(over) if over is not None else inside))
        return head, drafts

    def _mapping(self, context: Context) -> Mapping | None:
        if context.path not in self._read:
            self._read[context.path] = read(context.path, context.shown, self._problems)
        return self._read[context.path]

    def _without_layers(self, mapping: Mapping, scope: Scope) -> Mapping:
        """The head of a file or group, substituted; nodes, params and env are substituted node by node."""
        entries = {
            key: Entry(entry.place, substitute(entry.value, scope, self._problems))
            for key, entry in mapping.entries.items()
            if key not in ("nodes", "params", "env") and not key.startswith(_FREE)
        }
        nodes = mapping.entries.get("nodes")
        return Mapping(mapping.place, entries if nodes is None else {**entries, "nodes": nodes})

    def _check_layers(self, mapping: Mapping, what: str) -> None:
        for key in ("params", "env"):
            value = mapping.get(key)
            if value is not None and not isinstance(value, Mapping):
                self._problems.add(
                    value.place, f"{key} of {what}: expected names and values, got {shown(value.plain())}."
                )

    def _members(self, mapping: Mapping, context: Context) -> Iterator[Draft]:
        include = mapping.get("include")
        if include is not None:
            for item in include.items if isinstance(include, Sequence) else (include,):
                yield from self._include(item, context)
        nodes = mapping.get("nodes")
        if isinstance(nodes, Mapping):
            self._problems.add(
                nodes.place, "nodes: expected a list, `- name: …` for each node, got a mapping."
            )
        for item in nodes.items if isinstance(nodes, Sequence) else ():
            yield from self._item(item, context)

    def _item(self, item: Value, context: Context) -> Iterator[Draft]:
        if not isinstance(item, Mapping):
            self._problems.add(
                item.place, f"nodes: expected a node, `name: …` with its keys, got {shown(item.plain())}."
            )
        elif any(key in item.entries for key in GROUP):
            yield from self._group(item, context)
        else:
            self._count += 1
            if self._count > MAX_NODES:
                self._problems.add(
                    item.place, f"expected at most {MAX_NODES} nodes, loops written out, got more."
                )
                raise TooMany
            yield Draft(item, context)

    def _group(self, group: Mapping, context: Context) -> Iterator[Draft]:
        # With a loop the prefix may refer to it, and so may what is included.
        later = ("prefix", "include") if "foreach" in group.entries else ()
        own = Mapping(group.place, {key: one for key, one in group.entries.items() if key not in later})
        bare = self._without_layers(own, context.scope)
        found = check(bare, spec.GroupSpec, "the group", self._problems)
        self._check_layers(group, "the group")
        if "nodes" not in group.entries and "include" not in group.entries:
            self._problems.add(group.place, "expected the group to have `nodes` or `include`, got neither.")
        loop = bare.get("foreach")
        if not isinstance(loop, Mapping):
            inside = context.with_layer(group)
            yield from self._members(group, inside.with_prefix(found.get("prefix", "")))
            return
        for values in self._rounds(loop):
            scope = context.scope.inner({key: one for value in values for key, one in value.bound.items()})
            here = replace(context, scope=scope)
            prefix = self._prefix(group, scope, "/".join(value.text for value in values))
            yield from self._members(group, here.with_layer(group).with_prefix(prefix))

    def _prefix(self, group: Mapping, scope: Scope, otherwise: str) -> str:
        written = group.entries.get("prefix")
        if written is None:
            return otherwise
        value = substitute(written.value, scope, self._problems)
        one = Mapping(group.place, {"prefix": Entry(written.place, value)})
        return str(check(one, spec.GroupSpec, "the group", self._problems).get("prefix", ""))

    def _rounds(self, loop: Mapping) -> Iterator[tuple[_Value, ...]]:
        lists = []
        for name, entry in loop.entries.items():
            if not _VARIABLE.fullmatch(name):
                self._problems.add(
                    entry.place, f"foreach: expected a name of letters, digits and _, got {name!r}."
                )
            lists.append(list(self._values(name, entry.value)))
        if not lists:
            self._problems.add(
                loop.place, "foreach: expected names, and a list of values for each, got none."
            )
        return itertools.product(*lists) if lists else iter(())

    def _values(self, name: str, value: Value) -> Iterator[_Value]:
        if not isinstance(value, Sequence) or not value.items:
            self._problems.add(
                value.place, f"foreach: expected a list of values for {name!r}, got {shown(value.plain())}."
            )
            return
        seen: set[str] = set()
        for item in value.items:
            made = _Value.of(name, item)
            if made is None:
                self._problems.add(
                    item.place,
                    f"foreach: expected text of A-Z a-z 0-9 _ . - for {name!r}, or a mapping with such a `name`, "
                    f"got {shown(item.plain())}.",
                )
            elif made.text in seen:
                self._problems.add(item.place, f"foreach: expected each value once, got {made.text!r} again.")
            else:
                seen.add(made.text)
                yield made

    def _include(self, item: Value, context: Context) -> Iterator[Draft]:
        entries = item.entries if isinstance(item, Mapping) else {"file": Entry(item.place, item)}
        raw = Mapping(item.place, entries)
        found = check(
            self._without_layers(raw, context.scope), spec.IncludeSpec, "the include", self._problems
        )
        self._check_layers(raw, "the include")
        if "file" not in found:
            return
        place = raw.entries["file"].value.place
        path = context.folder / Path(found["file"]).expanduser()
        inside = replace(
            context.with_prefix(found.get("prefix", "")),
            path=Path(os.path.realpath(path)),
            shown=os.path.normpath(Path(context.shown).parent / found["file"]),
            chain=(*context.chain, context.path),
        )
        if self._may_include(inside, place):
            yield from self.file(inside, raw)[1]

    def _may_include(self, inside: Context, place: Place) -> bool:
        if inside.path in inside.chain:
            chain = [*inside.chain[inside.chain.index(inside.path) :], inside.path]
            self._problems.add(
                place,
                f"expected files that do not include each other, got {' -> '.join(one.name for one in chain)}.",
            )
        elif len(inside.chain) > MAX_INCLUDES:
            self._problems.add(place, f"expected at most {MAX_INCLUDES} files inside each other, got more.")
        elif not inside.path.is_file():
            self._problems.add(
                place,
                f"include: expected a launch file, got {inside.shown!r}, which is none. "
                f"Paths start at {inside.chain[-1].parent}.",
            )
        else:
            return True
        return False


class _Value(NamedTuple):
    """A value of a loop."""

    text: str
    """In names and topics."""
    bound: dict[str, Any]

    @classmethod
    def of(cls, name: str, item: Value) -> _Value | None:
        """What an item of the list binds; None when it is nothing that a name can be made of."""
        if isinstance(item, Mapping):
            parts = item.plain()
            plain = parts.get("name")
            bound = {name: plain, **{f"{name}.{key}": one for key, one in parts.items()}}
        elif isinstance(item, Scalar):
            plain = item.value
            bound = {name: plain}
        else:
            return None
        if plain is None or isinstance(plain, (bool, dict, list)):
            return None
        text = str(plain)
        return cls(text, bound) if re.fullmatch(r"[A-Za-z0-9_.-]+", text, re.ASCII) else None
