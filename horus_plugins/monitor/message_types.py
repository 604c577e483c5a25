"""Message types as data: what each is called, who brings it, and what lies where in it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core import _native
from horus_core.messages import layout as layouts
from horus_core.messages import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_core._native import FieldDescriptor
    from horus_core.messages.layout import Layout
    from horus_core.messages.message import Message

_DESCRIPTOR_BYTES = 136
_POOLED = {
    "DepthImage": "horus_core.messages.depth_image",
    "Image": "horus_core.messages.image",
    "PointCloud": "horus_core.messages.point_cloud",
    "Tensor": "horus_core.messages.tensor",
}
_FEW = 9


class Field(msgspec.Struct):
    """A field, and where it lies. In a message inside another one, offsets count from the outer one's start."""

    name: str
    type: str
    """As `f32`, `u8[16]`, `f32[<=4096]`, `text(32)`, `Pose2D`; an enum's is the number that it is stored as."""
    offset: int
    size: int
    """Bytes; of a bounded array with all its elements."""
    unit: str
    doc: str
    default: str
    """As text; empty where there is none, or it is not known."""
    required: bool
    kw_only: bool
    members: dict[str, int] | None
    """Of an enum."""
    fields: list[Field]
    """Of a message inside this one; of an array of messages those of the first."""


class MessageType(msgspec.Struct):
    """A message type."""

    name: str
    topic: str | None
    """Its default topic."""
    size: int
    """Bytes of the struct; of what crosses the topic, for a pool-backed type."""
    bounded: bool
    """Whether it has bounded arrays, of which the used part travels: the size is the most, then."""
    pooled: bool
    """Whether its payload lies in the pool."""
    hash: str
    """Two types are the same when name and hash are."""
    distribution: str
    version: str
    module: str
    doc: str
    fields: list[Field]
    aliases: dict[str, str]
    """Other names of values inside, with what each is."""


class MessageTypes(msgspec.Struct):
    """All that are installed."""

    types: list[MessageType]


def listed() -> list[MessageType]:
    """All types that can be found: those of every plugin, two of one name both, and the pool-backed ones."""
    found = [describe(one.thing, one.plugin.distribution, one.plugin.version) for one in registry.types.all()]
    return sorted([*found, *map(pooled, _POOLED)], key=lambda one: (one.name, one.distribution))


def failures() -> list[str]:
    """Why plugins that should supply message types do not, a line each."""
    return [f"{plugin}: {plugin.error}" for plugin in registry.types.plugins() if plugin.error is not None]


def supplier(cls: type[Message]) -> tuple[str, str]:
    """Distribution and version of the plugin that brings the class; empty when none does."""
    plugin = registry.types.giver(cls, cls.__module__.partition(".")[0])
    return (plugin.distribution, plugin.version) if plugin is not None else ("", "")


def pooled(name: str) -> MessageType:
    """One of the pool-backed types, by its name."""
    from importlib import import_module  # noqa: PLC0415 - only here
    from importlib.metadata import version  # noqa: PLC0415 - reads files

    cls = getattr(import_module(_POOLED[name]), name)
    doc = _sentence(cls.__doc__)
    return MessageType(
        name, cls.__topic__, _DESCRIPTOR_BYTES, False, True, "", "horus-core", version("horus-core"),
        cls.__module__, doc, [], {},
    )  # fmt: skip


def is_pooled(name: str) -> bool:
    """Whether a pool-backed type has that name."""
    return name in _POOLED


def describe(cls: type[Message], distribution: str = "", version: str = "") -> MessageType:
    """What a message class is. One that was made from a region's layout has no defaults that are known."""
    layout = layouts.of(cls)
    known = "__generated__" not in cls.__dict__
    values = cls.__new__(cls).to_dict() if known else {}
    return MessageType(
        name=cls.__name__,
        topic=cls.__topic__,
        size=layout["size"],
        bounded=_is_bounded(layout),
        pooled=False,
        hash=layouts.type_hash(cls).hex(),
        distribution=distribution,
        version=version,
        module=cls.__module__ if known else "",
        doc=_sentence(cls.__doc__) if known else "",
        fields=list(_fields(cls, layout, 0, values)),
        aliases={one.name: _said(one) for one in cls.__descriptors__ if one.alias},
    )


def _is_bounded(layout: Layout) -> bool:
    return any(
        entry.get("bounded") or _is_bounded(entry.get("layout", {"fields": ()})) for entry in layout["fields"]
    )


def _sentence(doc: str | None) -> str:
    return " ".join((doc or "").partition("\n\n")[0].split())


def _said(one: FieldDescriptor) -> str:
    return ", ".join(said for said in (one.kind, one.unit, one.doc) if said)


def _fields(cls: type[Message], layout: Layout, start: int, values: dict[str, Any]) -> Iterator[Field]:
    descriptors = {one.name: one for one in cls.__descriptors__}
    for entry in layout["fields"]:
        name = entry["name"]
        one = descriptors[name]
        value = values.get(name)
        inner: list[Field] = []
        if isinstance(one.type, _native.MessageMeta):
            first = value if isinstance(value, dict) else (value or [{}])[0]
            inner = list(_fields(one.type, entry["layout"], start + one.offset, first))  # type: ignore[arg-type]
        yield Field(
            name, layouts.describe(entry), start + one.offset, one.size * one.capacity, one.unit, one.doc,
            _default(entry, one, value), one.required, one.kw_only, entry.get("members"), inner,
        )  # fmt: skip


def _default(entry: Layout, one: FieldDescriptor, value: Any) -> str:
    if value is None or one.required or entry["kind"] == "message":
        return ""
    if isinstance(value, list):
        shown = [_number(entry["kind"], item) for item in value]
        return f"[{' '.join(shown)}]" if 0 < len(value) <= _FEW and any(value) else ""
    if isinstance(one.type, type) and issubclass(one.type, enum.Enum):
        return next((member.name for member in one.type if member.value == value), str(value))
    return repr(value) if value and isinstance(value, str) else _number(entry["kind"], value)


def _number(kind: str, value: Any) -> str:
    return f"{value:.7g}" if kind in {"f32", "f64"} else str(value)
