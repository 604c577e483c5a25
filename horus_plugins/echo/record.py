"""Any message as plain values, and back: what stands between a topic and its text, JSON or MessagePack.

A message of a dict topic is its own value. A typed message becomes a dict of its fields in their order, numbers and
lists all the way down; Image and its kin what `to_dict()` says of them, and `data`, the payload's bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.errors import HorusError
from horus_core.messages import pooled
from horus_core.messages.depth_image import DepthImage
from horus_core.messages.image import Image
from horus_core.messages.message import Message
from horus_core.messages.pooled import Pooled
from horus_core.messages.raster import encoding_row, raster_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_core import _native

_BULK = 1024
"""Arrays of bytes with room for more elements stay arrays: a compressed picture is no list of numbers."""

DATA = "data"
_REFUSALS = (TypeError, ValueError, OverflowError, KeyError, AttributeError, HorusError)


class Record(NamedTuple):
    """A message as plain values."""

    type: str
    """The name of its message class; "" for a value of a dict topic."""
    value: Any


class BadValueError(ValueError):
    """A value that no message can be made of: `field: expected X, got Y`."""


def of(message: Any) -> Record:
    """The message as plain values. Arrays inside a dict topic's value stay numpy arrays."""
    if isinstance(message, Message):
        return Record(type(message).__name__, fields(message))
    if isinstance(message, Pooled):
        return Record(type(message).__name__, message.to_dict() | {DATA: message.tobytes()})
    return Record("", message)


def fields(message: Message) -> dict[str, Any]:
    """The fields of a typed message: numbers, text, lists, dicts; numpy arrays where there are many bytes."""
    if not has_bulk(type(message)):
        return message.to_dict()
    return {one.name: _field(message, one) for one in type(message).__descriptors__ if not one.alias}


def has_bulk(cls: type[Message]) -> bool:
    """Whether the class has an array of bytes that is large, at any depth."""
    found = _bulky.get(cls)
    if found is None:
        found = any(_is_bulk(one) or _has_inner_bulk(one) for one in cls.__descriptors__)
        _bulky[cls] = found
    return found


_bulky: dict[type, bool] = {}


def _is_bulk(one: _native.FieldDescriptor) -> bool:
    return one.shape != "one" and one.kind in {"u8", "i8"} and one.type is None and one.capacity > _BULK


def _has_inner_bulk(one: _native.FieldDescriptor) -> bool:
    return one.kind == "message" and has_bulk(one.type)


def _field(message: Message, one: _native.FieldDescriptor) -> Any:
    value = getattr(message, one.name)
    if one.kind == "message":
        return fields(value) if one.shape == "one" else [fields(part) for part in value]
    if one.shape == "one":
        return int(value) if one.type is not None else value
    if _is_bulk(one):
        return value.copy()
    return value.tolist() if hasattr(value, "tolist") else [_element(one, part) for part in value]


def _element(one: _native.FieldDescriptor, value: Any) -> Any:
    return int(value) if one.type is not None else value


# ---- and back ----


def build(record: Record, cls: type) -> Any:
    """A message of the class, which may be dict. Raises BadValueError, naming the field."""
    if cls is dict:
        if record.type:
            raise BadValueError(f"expected a value for a topic of dicts, got a {record.type}")
        return record.value
    if record.type and record.type != cls.__name__:
        raise BadValueError(f"expected a {cls.__name__}, got a {record.type}")
    if not isinstance(record.value, dict):
        raise BadValueError(f"expected the fields of a {cls.__name__}, got {shown(record.value)}")
    if issubclass(cls, Pooled):
        return _payload(cls, record.value)
    return _message(cls, record.value, cls.__name__)


def shown(value: Any) -> str:
    """A value for an error's text, not longer than a line."""
    text = ascii(value) if isinstance(value, (str, int, float, type(None))) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - a line's room


def _message(cls: Any, values: Mapping[str, Any], path: str) -> Any:
    """Make the message field by field, so that an error can name the path to the one that is wrong."""
    descriptors = {one.name: one for one in cls.__descriptors__}
    converted = {
        name: _converted(descriptors[name], value, f"{path}.{name}") if name in descriptors else value
        for name, value in values.items()
    }
    try:
        return cls(**converted)
    except _REFUSALS as error:
        raise BadValueError(_at(path, cls.__name__, error)) from None


def _at(path: str, name: str, error: Exception) -> str:
    """The error of a class's constructor, with the path to this message in the place of the class's name."""
    text = str(error).rstrip(".")
    return path + text[len(name) :] if text.startswith((f"{name}.", f"{name}:")) else f"{path}: {text}"


def _converted(one: _native.FieldDescriptor, value: Any, path: str) -> Any:
    if one.kind == "message":
        return _nested(one, value, path)
    if one.type is not None:
        members = getattr(one.type, "__members__", {})
        if isinstance(value, list):
            return [_member(members, part, f"{path}[{index}]") for index, part in enumerate(value)]
        return _member(members, value, path)
    if isinstance(value, (bytes, bytearray)) and one.kind in {"u8", "i8"} and one.shape != "one":
        import numpy as np  # noqa: PLC0415 - only for arrays

        return np.frombuffer(value, "u1" if one.kind == "u8" else "i1")
    return value


def _nested(one: _native.FieldDescriptor, value: Any, path: str) -> Any:
    if one.shape == "one":
        if not isinstance(value, dict):
            raise BadValueError(f"{path}: expected the fields of a {one.type.__name__}, got {shown(value)}")
        return _message(one.type, value, path)
    if not isinstance(value, list):
        raise BadValueError(f"{path}: expected a list of {one.type.__name__}, got {shown(value)}")
    parts = []
    for index, part in enumerate(value):
        place = f"{path}[{index}]"
        if not isinstance(part, dict):
            raise BadValueError(f"{place}: expected the fields of a {one.type.__name__}, got {shown(part)}")
        parts.append(_message(one.type, part, place))
    return parts


def _member(members: Mapping[str, Any], value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value
    if value not in members:
        raise BadValueError(f"{path}: expected one of {', '.join(members)}, got {shown(value)}")
    return members[value]


def _payload(cls: type[Pooled], values: dict[str, Any]) -> Any:
    known = {"frame_id", "timestamp_ns", DATA}
    known |= {"height", "width", "encoding"} if issubclass(cls, (Image, DepthImage)) else {"shape", "dtype"}
    for name in values:
        if name not in known:
            raise BadValueError(f"{cls.__name__}: expected one of {', '.join(sorted(known))}, got {name!r}")
    try:
        return _filled(cls, values)
    except BadValueError:
        raise
    except _REFUSALS as error:
        raise BadValueError(f"{cls.__name__}: {str(error).rstrip('.')}") from None


def _filled(cls: type[Pooled], values: dict[str, Any]) -> Any:
    shape, dtype, encoding = _geometry(cls, values)
    data = _bytes(cls, values.get(DATA))
    message = pooled.restored(
        cls,
        shape,
        dtype,
        encoding,
        data,
        _plain(cls, values, "frame_id", str, ""),
        _plain(cls, values, "timestamp_ns", int, 0),
    )
    if message is None:
        raise BadValueError(
            f"{cls.__name__}.data: expected as many bytes as its shape {list(shape)} takes, got {len(data)}"
        )
    return message


def _bytes(cls: type, data: Any) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if hasattr(data, "tobytes"):
        return bytes(data.tobytes())
    raise BadValueError(f"{cls.__name__}.data: expected bytes or an array, got {shown(data)}")


def _geometry(cls: type[Pooled], values: dict[str, Any]) -> tuple[tuple[int, ...], int, int]:
    """(shape, code of the elements, code of the encoding or 0)."""
    if issubclass(cls, (Image, DepthImage)):
        code, dtype, channels = encoding_row(_plain(cls, values, "encoding", str, None))
        size = (_plain(cls, values, "height", int, None), _plain(cls, values, "width", int, None))
        if issubclass(cls, DepthImage) and values["encoding"] not in {"mono32f", "depth16"}:
            raise BadValueError(
                f"{cls.__name__}.encoding: expected mono32f or depth16, got {shown(values['encoding'])}"
            )
        return raster_shape(*size, channels), dtype, code
    shape = _plain(cls, values, "shape", list, None)
    if not all(type(side) is int and side >= 0 for side in shape):
        raise BadValueError(f"{cls.__name__}.shape: expected numbers from 0, got {shape!r}")
    dtype = _plain(cls, values, "dtype", str, None)
    return tuple(shape), pooled.dtype_code(dtype), 0


def _plain(cls: type, values: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = values.get(name, default)
    if type(value) is not kind:
        got = "none" if name not in values else shown(value)
        raise BadValueError(f"{cls.__name__}.{name}: expected {kind.__name__}, got {got}")
    return value
