"""From the annotations of a message class to its layout and its C descriptors."""

from __future__ import annotations

import re
from typing import Any

from horus_core import _native
from horus_core.messages import layout as layouts
from horus_core.messages.annotations import fail, own_fields, value_of
from horus_core.messages.fields import MISSING, FieldSpec

_MAX_SIZE = 16 * 1024 * 1024
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*", re.ASCII)
_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d+)\]", re.ASCII)


def define(cls: Any, size: int | None = None) -> bool:
    """Give the class its fields; False when it has none and cannot be made into messages.

    `size` in bytes is that of the whole, with room behind the last field; None: what C gives.
    """
    base = next((one for one in cls.__mro__[1:] if getattr(one, "__type_hash__", None)), None)
    inherited = {one.name: one for one in base.__descriptors__} if base is not None else {}
    specs = own_fields(cls, inherited)
    stored = {name: value_of(cls, name, one) for name, one in specs.items() if one.spec.path is None}
    if not stored and base is None:
        if specs:
            fail(
                cls, next(iter(specs)), "expected a field that it is an alias of, got a class without fields"
            )
        return False
    values = [value for value, _ in stored.values()]
    layout = layouts.place(cls.__name__, values, base and base.__layout__, size)
    if layout["size"] > _MAX_SIZE:
        raise ValueError(
            f"{cls.__name__}: expected a message of at most {_MAX_SIZE} bytes, got {layout['size']}. "
            f"Large payloads travel in horus.Image, PointCloud or Tensor."
        )
    descriptors = dict(inherited)
    for entry in layout["fields"][len(layout["fields"]) - len(stored) :]:
        name = entry["name"]
        required = specs[name].spec.default is MISSING and specs[name].spec.element is None
        descriptors[name] = _descriptor(entry, stored[name][1], specs[name].spec, required=required)
    _check_order(cls, descriptors)
    for name, one in specs.items():
        if one.spec.path is not None:
            descriptors[name] = _alias(cls, name, one.spec, descriptors)
    defaults = {  # by identity: a default may be a numpy array, which compares by element
        name: one.spec.default
        for name, one in specs.items()
        if one.spec.default is not MISSING and one.spec.default is not None
    }
    _native.define_message(
        cls, tuple(descriptors.values()), layout["size"], layouts.hash_of(layout), defaults
    )
    cls.__layout__ = layout
    positional = tuple(name for name, one in descriptors.items() if not one.kw_only)
    cls.__match_args__ = positional  # type: ignore[misc] # mypy wants it in the class body
    return True


def _descriptor(
    entry: layouts.Layout, of: Any, spec: FieldSpec, *, required: bool
) -> _native.FieldDescriptor:
    shape = "one" if "count" not in entry else "bounded" if entry.get("bounded") else "fixed"
    members = {member.value: member for member in of} if entry.get("members") is not None else None
    return _native.FieldDescriptor(
        entry["name"],
        entry["kind"],
        entry["offset"],
        shape=shape,
        count=entry.get("count", 1),
        count_offset=entry.get("count_offset", 0),
        size=entry.get("size", 0),
        type=of,
        members=members,
        unit=spec.unit,
        doc=spec.doc,
        kw_only=spec.kw_only,
        required=required,
    )


def _check_order(cls: type, descriptors: dict[str, _native.FieldDescriptor]) -> None:
    optional = None
    for name, one in descriptors.items():
        if one.kw_only:
            continue
        if one.required and optional is not None:
            fail(cls, name, f"expected a default, as '{optional}' before it has one, got none")
        if not one.required:
            optional = name


def _alias(
    cls: Any, name: str, spec: FieldSpec, descriptors: dict[str, _native.FieldDescriptor]
) -> _native.FieldDescriptor:
    path = spec.path or ""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        fail(cls, name, f"expected a path such as 'pose.x' or 'linear[0]', got '{path}'")
    known, offset = descriptors, 0
    target: _native.FieldDescriptor | None = None
    whole = True
    for step in _STEP.finditer(path):
        attribute, index = step.groups()
        if attribute is not None:
            target = known.get(attribute) if whole else None
            if target is None:
                fail(cls, name, f"expected the path of a field, got '{path}', where '{attribute}' is none")
            offset += target.offset
            whole = target.shape == "one"
            of = target.type
            known = (
                {one.name: one for one in of.__descriptors__} if isinstance(of, _native.MessageMeta) else {}
            )
        else:
            if target is None or whole or int(index) >= target.capacity or target.shape == "bounded":
                fail(cls, name, f"expected an element of a fixed array, got '{path}'")
            offset += int(index) * target.size
            whole = True
    if target is None or not whole:
        fail(cls, name, f"expected the path of one value, got '{path}', an array")
    members = {member.value: member for member in target.type} if _is_enum(target) else None
    return _native.FieldDescriptor(
        name,
        target.kind,
        offset,
        size=target.size,
        type=target.type,
        members=members,
        unit=spec.unit or target.unit,
        doc=spec.doc or target.doc,
        kw_only=True,
        alias=True,
    )


def _is_enum(one: _native.FieldDescriptor) -> bool:
    return one.type is not None and not isinstance(one.type, _native.MessageMeta)
