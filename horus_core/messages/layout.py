"""The layout of a message class as plain data: where each field lies, by the rules of C.

A layout goes as JSON into a region's header, so that tools and processes without the class can read the
messages. The type's hash is made from the name and the layout; units, docs and enum members are not in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from horus_core.errors import ConfigError
from horus_core.messages.fields import SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from horus_core.messages.message import Message

Layout: TypeAlias = dict[str, Any]

_COUNT_SIZE = 4
_BOUNDED_ALIGN = 8
_IN_HASH = ("name", "kind", "offset", "size", "count", "bounded", "count_offset")


class Value(NamedTuple):
    """One field before it has a place."""

    name: str
    kind: str
    size: int
    align: int
    elements: int | None = None
    bounded: bool = False
    unit: str = ""
    doc: str = ""
    kw_only: bool = False
    members: dict[str, int] | None = None
    nested: Layout | None = None


def place(name: str, values: Iterable[Value], base: Layout | None = None, size: int | None = None) -> Layout:
    """Lay the values out in the order given, as a C compiler does; those of a base class come first.

    `size` in bytes keeps room behind the last one; it is at least what C gives, and aligned as C wants it.
    """
    fields: list[Layout] = list(base["fields"]) if base else []
    offset = end(fields[-1]) if fields else 0
    align = base["align"] if base else 1
    for value in values:
        entry: Layout = {"name": value.name, "kind": value.kind}
        if value.bounded:
            entry["count_offset"] = _round_up(offset, _COUNT_SIZE)
            offset = _round_up(entry["count_offset"] + _COUNT_SIZE, _BOUNDED_ALIGN)
            align = max(align, _BOUNDED_ALIGN)
        offset = _round_up(offset, value.align)
        align = max(align, value.align)
        entry["offset"] = offset
        entry.update(_described(value))
        fields.append(entry)
        offset += value.size * (value.elements or 1)
    least = max(_round_up(offset, align), _round_up(base["size"], align) if base else 0)
    return {"name": name, "size": _size(name, size, least, align), "align": align, "fields": fields}


def _size(name: str, said: int | None, least: int, align: int) -> int:
    if said is None:
        return least
    if type(said) is not int or said < least or said % align != 0:
        raise ValueError(f"{name}: expected a size of {least} or more, a multiple of {align}, got {said!r}.")
    return said


def end(entry: Layout) -> int:
    """Return the byte behind a field: of a bounded array, behind all its elements."""
    size = (
        entry["layout"]["size"] if entry["kind"] == "message" else SIZES.get(entry["kind"]) or entry["size"]
    )
    return int(entry["offset"] + size * entry.get("count", 1))


def _described(value: Value) -> Layout:
    said: Layout = {}
    if value.kind == "text":
        said["size"] = value.size
    if value.elements is not None:
        said["count"] = value.elements
    if value.bounded:
        said["bounded"] = True
    if value.nested is not None:
        said["layout"] = value.nested
    if value.members is not None:
        said["members"] = value.members
    if value.unit:
        said["unit"] = value.unit
    if value.doc:
        said["doc"] = value.doc
    if value.kw_only:
        said["kw_only"] = True
    return said


def of(cls: type) -> Layout:
    """Return the layout of a message class. Raises ConfigError when it has no fields."""
    found: Layout | None = getattr(cls, "__layout__", None)
    if found is None:
        raise ConfigError(f"Bad message class {cls.__name__}: expected at least one field, got none.")
    return found


def type_hash(cls: Any) -> bytes:
    """Return the 16 bytes that tell the type of a message class."""
    return bytes(cls.__type_hash__)


def wire_max(cls: Any) -> int:
    """Return the most bytes that a message of the class has on the wire."""
    return int(cls.__wire_max__)


def class_from_layout(layout: Layout) -> type[Message]:
    """Make a message class from the layout in a region's header; RegionError when it makes no sense."""
    from horus_core.messages import generated  # noqa: PLC0415 - it defines classes, which need this module

    return generated.class_from_layout(layout)


def hash_of(layout: Layout) -> bytes:
    """Return 16 bytes that are equal exactly when name, fields and places are."""
    try:
        from _blake2 import blake2b  # noqa: PLC0415 - hashlib's, without OpenSSL, which takes 3 ms to load
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415

    text = json.dumps(_essence(layout), separators=(",", ":"), sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()


def _essence(layout: Layout) -> Layout:
    fields = []
    for entry in layout["fields"]:
        kept = {key: entry[key] for key in _IN_HASH if key in entry}
        if "layout" in entry:
            kept["layout"] = _essence(entry["layout"])
        fields.append(kept)
    return {"name": layout["name"], "size": layout["size"], "fields": fields}


def describe(entry: Layout) -> str:
    """Return the type of a field for people: `f32`, `u8[16]`, `f32[<=4096]`, `text(32)`, `Pose2D`."""
    kind = entry["kind"]
    if kind == "text":
        kind = f"text({entry['size']})"
    elif kind == "message":
        kind = entry["layout"]["name"]
    if "count" not in entry:
        return str(kind)
    return f"{kind}[{'<=' if entry.get('bounded') else ''}{entry['count']}]"


def diff(ours: Layout, theirs: Layout, *, here: str = "here", there: str = "there") -> list[str]:
    """Say in lines for people how two layouts differ; empty when their hashes are equal."""
    try:
        return _diff(ours, theirs, here, there)
    except (KeyError, TypeError, AttributeError):  # what stands in a region may be anything
        return ["one of the two layouts cannot be read"]


def _diff(ours: Layout, theirs: Layout, here: str, there: str) -> list[str]:
    lines = []
    if ours["name"] != theirs["name"]:
        lines.append(f"name: {ours['name']} {here}, {theirs['name']} {there}")
    lines += _diff_fields("", ours, theirs, here, there)
    if not lines and hash_of(ours) != hash_of(theirs):
        lines.append(f"size or places: {ours['size']} bytes {here}, {theirs['size']} bytes {there}")
    return lines


def _diff_fields(path: str, ours: Layout, theirs: Layout, here: str, there: str) -> Iterator[str]:
    mine = {entry["name"]: entry for entry in ours["fields"]}
    others = {entry["name"]: entry for entry in theirs["fields"]}
    for name, entry in mine.items():
        other = others.get(name)
        if other is None:
            yield f"{path}{name}: {describe(entry)} {here}, missing {there}"
        elif describe(entry) != describe(other):
            yield f"{path}{name}: {describe(entry)} {here}, {describe(other)} {there}"
        elif entry["offset"] != other["offset"]:
            yield f"{path}{name}: at byte {entry['offset']} {here}, at byte {other['offset']} {there}"
        elif entry["kind"] == "message":
            yield from _diff_fields(f"{path}{name}.", entry["layout"], other["layout"], here, there)
    for name, entry in others.items():
        if name not in mine:
            yield f"{path}{name}: missing {here}, {describe(entry)} {there}"


def _round_up(value: int, to: int) -> int:
    return -(-value // to) * to
