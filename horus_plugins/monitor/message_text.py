"""Message types in lines for people. What was read from a region cannot forge lines, nor steer a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.messages import layout as layouts
from horus_core.text import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from horus_core.messages.message import Message
    from horus_plugins.monitor.message_types import Field, MessageType

_WORDS = ("unit", "doc", "members")


def table(types: Sequence[MessageType]) -> Iterator[str]:
    """One line a type."""
    rows: list[tuple[str, ...]] = [("TYPE", "TOPIC", "BYTES", "FROM")]
    rows += [(one.name, one.topic or "-", _size(one), _origin(one)) for one in types]
    yield from _columns(rows, right=(2,))


def page(one: MessageType, creator: dict[str, Any] | None = None) -> Iterator[str]:
    """Everything about a type. `creator` made the topic that it was read from."""
    topic = f", default topic {one.topic}" if one.topic else ""
    size = f"{one.size} bytes{' at most: bounded arrays travel at their used length' if one.bounded else ''}"
    yield plain_name(f"{one.name}{topic}, {'pool-backed, ' if one.pooled else ''}{size}")
    if one.doc:
        yield plain_name(one.doc)
    if creator is not None:
        who = plain_name(f"{creator.get('node', '?')} (pid {creator.get('pid', '?')})")
        yield f"read from the topic's region, which {who} made"
    else:
        yield plain_name(f"from {_origin(one)}, {one.module}")
    if one.hash:
        yield f"hash {one.hash}"
        yield ""
    yield from fields(one)
    for name, said in one.aliases.items():
        yield plain_name(f"also {name}: {said}")


class Difference(msgspec.Struct):
    """Whether two types are one, and what differs."""

    same: bool
    a: str
    b: str
    lines: list[str]


def fields(one: MessageType) -> Iterator[str]:
    """What lies where in it."""
    rows: list[tuple[str, ...]] = [("OFFSET", "BYTES", "FIELD", "TYPE", "UNIT", "DEFAULT", "ABOUT")]
    rows += list(_rows(one.fields, ""))
    if one.fields:
        yield from _columns(rows, right=(0, 1))


def difference(a: type[Message], b: type[Message], here: str, there: str) -> Iterator[str]:
    """How two types differ, and first whether they do. Units, docs and enum members do not make another type."""
    mine, theirs = layouts.type_hash(a).hex(), layouts.type_hash(b).hex()
    if mine == theirs:
        yield plain_name(f"same type: {a.__name__}, {a.__size__} bytes, hash {mine}")
    else:
        yield plain_name(f"different: {a.__name__} {mine} ({here}), {b.__name__} {theirs} ({there})")
        for line in layouts.diff(layouts.of(a), layouts.of(b), here=f"in {here}", there=f"in {there}"):
            yield plain_name(f"  {line}")
    for line in _words(layouts.of(a), layouts.of(b), ""):
        yield plain_name(f"  {line}")


def _words(a: dict[str, Any], b: dict[str, Any], path: str) -> Iterator[str]:
    others = {entry["name"]: entry for entry in b["fields"]}
    for entry in a["fields"]:
        other = others.get(entry["name"])
        if other is None:
            continue
        name = f"{path}{entry['name']}"
        for what in _WORDS:
            if entry.get(what) != other.get(what):
                yield f"{name}: {what} {_said(entry.get(what))}, {_said(other.get(what))}"
        if "layout" in entry and "layout" in other:
            yield from _words(entry["layout"], other["layout"], f"{name}.")


def _said(value: Any) -> str:
    return "none" if value is None else repr(value)


def _origin(one: MessageType) -> str:
    return f"{one.distribution} {one.version}".rstrip() or "no package"  # a file has no version


def _size(one: MessageType) -> str:
    return "pool" if one.pooled else f"<={one.size}" if one.bounded else str(one.size)


def _rows(fields: Iterable[Field], path: str) -> Iterator[tuple[str, ...]]:
    for field in fields:
        name = f"{path}{field.name}"
        about = field.doc
        if field.members:
            about += f" {', '.join(f'{value} {name}' for name, value in field.members.items())}."
        default = "required" if field.required else field.default
        yield str(field.offset), str(field.size), name, field.type, field.unit, default, about.strip()
        many = "[]" if field.type.endswith("]") else ""
        yield from _rows(field.fields, f"{name}{many}.")


def _columns(rows: Sequence[tuple[str, ...]], right: tuple[int, ...]) -> Iterator[str]:
    cells = [[plain_name(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()
