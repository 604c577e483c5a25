"""Message classes made from the layout in a region's header, for processes that lack the class."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from horus_core._native import MessageMeta
from horus_core.errors import RegionError
from horus_core.messages import layout as layouts
from horus_core.messages.fields import SCALARS, array, field, text
from horus_core.messages.message import Message

if TYPE_CHECKING:
    from horus_core.messages.layout import Layout

_MAX_DEPTH = 16


def class_from_layout(layout: Layout) -> type[Message]:
    """Make the class. What stands in a region is not trusted: the places are worked out again and compared.

    Raises:
        RegionError: the layout makes no sense, or has other places than C's rules give.
    """
    try:
        return _build(layout, 0)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RegionError(
            f"Cannot make a message class from a region's layout: expected fields by the rules of C, "
            f"got one that fails with '{error}'. Install the package that has the class."
        ) from error


def _build(layout: Layout, depth: int) -> type[Message]:
    name = layout["name"]
    if depth > _MAX_DEPTH or not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"the name {name!r} or too much nesting")
    body: dict[str, Any] = {"__annotations__": {}, "__generated__": True, "__module__": __name__}
    body["__doc__"] = "Made from the layout in a region's header: this process has no class of that name."
    for entry in layout["fields"]:
        if not isinstance(entry["name"], str):
            raise TypeError(f"the field name {entry['name']!r}")
        annotation, body[entry["name"]] = _field(entry, depth)
        body["__annotations__"][entry["name"]] = annotation
    made: Any = MessageMeta(name, (Message,), body, size=layout["size"])
    if layouts.hash_of(layouts.of(made)) != layouts.hash_of(layout):
        raise ValueError(
            "; ".join(layouts.diff(layout, layouts.of(made), here="in the region", there="in C"))
        )
    return made  # type: ignore[no-any-return]


def _members(said: dict[str, int]) -> dict[str, int]:
    for name, value in said.items():
        if name[:1] == name[-1:] == "_" or type(value) is not int:  # such names are an enum's own methods
            raise ValueError(f"the enum member {name!r} = {value!r}")
    return said


def _field(entry: Layout, depth: int) -> tuple[Any, Any]:
    said = {"unit": str(entry.get("unit", "")), "doc": str(entry.get("doc", ""))}
    storage: Any = None
    default: Any = 0
    element: Any
    if entry["kind"] == "text":
        element = text(entry["size"], doc=said["doc"])
        if "count" not in entry:
            return str, element
    elif entry["kind"] == "message":
        element = _build(entry["layout"], depth + 1)
        default = element()
    elif "members" in entry:
        storage = SCALARS[entry["kind"]]
        element = enum.IntEnum("Values", _members(entry["members"]))  # type: ignore[misc, no-redef]
    else:
        element = SCALARS[entry["kind"]]
    if "count" in entry:
        return None, array(
            element, entry["count"], bounded=bool(entry.get("bounded")), **said, storage=storage
        )
    kw_only = bool(entry.get("kw_only"))
    return element, field(default=default, storage=storage, kw_only=kw_only, **said)
