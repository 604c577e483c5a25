"""Values as strict JSON from which exactly they come back: what `topic echo --json` prints and `topic pub` reads.

JSON's own types stand for themselves; an object whose only key begins with `$` for what JSON lacks:

    {"$float": "nan"}                  also inf, -inf, and nan:7ff8000000000001 with the 64 bits of a NaN
    {"$bytes": "aGVsbG8="}             base64
    {"$array": {"dtype": "<f4", "shape": [2, 3], "data": "…"}}    a numpy array, its elements in C order as base64
    {"$scalar": {"dtype": "<f4", "data": "…"}}                    a numpy scalar
    {"$dict": [[key, value], …]}       a dict with keys that are no text, or that begin with "$"
    {"$list": […]}                     a list as a key of such a dict
    {"$ext": {"code": 5, "data": "…"}} another extension of MessagePack

A line is a value of a dict topic; or `{"$type": "CmdVel", …}`, the fields of a message class; or either as
`"$message"` of an object that says more about it. The text is ASCII: nothing in it can steer a terminal.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import sys
from typing import Any

import msgspec

from horus_core.messages import codec
from horus_plugins.echo.record import BadValueError, Record, shown

TYPE, MESSAGE = "$type", "$message"
_NAN = 0x7FF8_0000_0000_0000
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(record: Record, about: dict[str, Any] | None = None) -> str:
    """One line, without its end. `about` stands beside the message in an object around it."""
    return _encode(plain(record, about))


def plain(record: Record, about: dict[str, Any] | None = None) -> Any:
    """The same as values that JSON has."""
    said = {TYPE: record.type} | _fields(record.value) if record.type else tagged(record.value)
    return said if about is None else about | {MESSAGE: said}


def value(anything: Any) -> str:
    """A single value, such as that of a field."""
    return _encode(tagged(anything))


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tagged(value) for name, value in values.items()}


def tagged(value: Any) -> Any:
    """A value as those of JSON; TypeError for what no topic carries."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else {"$float": _not_finite(value)}
    if kind in _PLAIN:
        return value
    if kind is list:
        return [tagged(item) for item in value]
    if kind is dict:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: tagged(item) for key, item in value.items()}
        return {"$dict": [[_key(key), tagged(item)] for key, item in value.items()]}
    return _unusual(value)


_PLAIN = {str, int, bool, type(None)}


def _key(key: Any) -> Any:
    return {"$list": [_key(part) for part in key]} if type(key) is tuple else tagged(key)


def _not_finite(value: float) -> str:
    if value == math.inf:
        return "inf"
    if value == -math.inf:
        return "-inf"
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    return "nan" if bits == _NAN else f"nan:{bits:016x}"


def _unusual(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": _base64(value)}
    if isinstance(value, msgspec.msgpack.Ext):
        return {"$ext": {"code": value.code, "data": _base64(value.data)}}
    if hasattr(value, "isoformat"):  # a timestamp that another program sent as one
        return str(value.isoformat())
    np = sys.modules.get("numpy")
    if np is not None and isinstance(value, (np.ndarray, np.generic)):
        return _array(value)
    raise TypeError(f"expected a value that MessagePack carries, got {type(value).__name__}")


def _array(value: Any) -> dict[str, Any]:
    """An array as the codec of dict topics has it, and so for all types of elements that it knows."""
    parts = codec.parts(codec.encode(value))
    ext = msgspec.msgpack.decode(parts if isinstance(parts, bytes) else b"".join(parts))
    (length,) = struct.unpack_from("<H", ext.data)
    dtype, shape = msgspec.msgpack.decode(ext.data[2 : 2 + length])
    data = _base64(ext.data[2 + length :])
    if ext.code == codec.ARRAY_CODE:
        return {"$array": {"dtype": dtype, "shape": shape, "data": data}}
    return {"$scalar": {"dtype": dtype, "data": data}}


def _base64(data: Any) -> str:
    return base64.b64encode(data).decode("ascii")


# ---- and back ----


def decode(line: bytes | str) -> Record:
    """A record from one line. Raises BadValueError, with the place of what is wrong."""
    parsed = parse(line)
    if type(parsed) is dict and MESSAGE in parsed:
        parsed = parsed[MESSAGE]
    try:
        return from_plain(parsed)
    except RecursionError:
        raise BadValueError("expected a value that is nested less deeply, got one that is too deep") from None


def parse(line: bytes | str) -> Any:
    """Plain JSON. Raises BadValueError."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadValueError(f"expected JSON, got what is none: {str(error).rstrip('.')}") from None


def from_plain(parsed: Any) -> Record:
    """The same from values that JSON has."""
    if type(parsed) is dict and TYPE in parsed:
        name = parsed[TYPE]
        if type(name) is not str or not name:
            raise BadValueError(f"$.{TYPE}: expected the name of a message class, got {shown(name)}")
        inner = {key: untagged(item, f"$.{key}") for key, item in parsed.items() if key != TYPE}
        return Record(name, inner)
    return Record("", untagged(parsed, "$"))


def untagged(value: Any, path: str) -> Any:
    """The value that `tagged` was given. Raises BadValueError."""
    if type(value) is list:
        return [untagged(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if type(value) is not dict:
        return value
    tags = [key for key in value if key[:1] == "$"]
    if not tags:
        return {key: untagged(item, f"{path}.{key}") for key, item in value.items()}
    (tag, *_) = tags
    reader = _READERS.get(tag)
    if len(value) != 1 or reader is None:
        raise BadValueError(
            f"{path}: expected one of {', '.join(_READERS)} alone in its object, got {shown(tag)}. A dict with "
            'such a key is written as {"$dict": [[key, value]]}'
        )
    try:
        return reader(value[tag], f"{path}.{tag}")
    except BadValueError:
        raise
    except (ValueError, TypeError, KeyError, MemoryError, OverflowError, msgspec.MsgspecError) as error:
        raise BadValueError(f"{path}.{tag}: {str(error).rstrip('.')}") from None


def _read_float(said: Any, path: str) -> float:
    if type(said) is str:
        if said in {"nan", "inf", "-inf"}:
            return float(said)
        if said.startswith("nan:") and len(said) == 20:  # noqa: PLR2004 - 16 digits
            found: float = struct.unpack(">d", struct.pack(">Q", int(said[4:], 16)))[0]
            if math.isnan(found):
                return found
    raise BadValueError(
        f"{path}: expected nan, inf, -inf or nan: and 16 hexadecimal digits, got {shown(said)}"
    )


def _read_bytes(said: Any, path: str) -> bytes:
    if type(said) is not str:
        raise BadValueError(f"{path}: expected base64, got {shown(said)}")
    try:
        return base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadValueError(f"{path}: expected base64, got {shown(said)} ({error})") from None


def _read_array(said: Any, path: str) -> Any:
    dtype, data = _text(said, "dtype", path), _read_bytes(said.get("data"), f"{path}.data")
    shape = said.get("shape")
    if type(shape) is not list or not all(type(side) is int and side >= 0 for side in shape):
        raise BadValueError(f"{path}.shape: expected a list of numbers from 0, got {shown(shape)}")
    return _from_codec(codec.ARRAY_CODE, dtype, shape, data)


def _read_scalar(said: Any, path: str) -> Any:
    dtype = _text(said, "dtype", path)
    return _from_codec(codec.SCALAR_CODE, dtype, [], _read_bytes(said.get("data"), f"{path}.data"))


def _text(said: Any, name: str, path: str) -> str:
    if type(said) is not dict or type(said.get(name)) is not str:
        raise BadValueError(f"{path}: expected an object with {name!r}, got {shown(said)}")
    return str(said[name])


def _from_codec(code: int, dtype: str, shape: list[int], data: bytes) -> Any:
    head = msgspec.msgpack.encode((dtype, shape))
    payload = struct.pack("<H", len(head)) + head + data
    return codec.decode(msgspec.msgpack.encode(msgspec.msgpack.Ext(code, payload)))


def _read_dict(said: Any, path: str) -> dict[Any, Any]:
    if type(said) is not list or not all(type(pair) is list and len(pair) == 2 for pair in said):  # noqa: PLR2004
        raise BadValueError(f"{path}: expected a list of [key, value], got {shown(said)}")
    return {
        untagged(key, f"{path}[{index}][0]"): untagged(item, f"{path}[{index}][1]")
        for index, (key, item) in enumerate(said)
    }


def _read_list(said: Any, path: str) -> tuple[Any, ...]:
    if type(said) is not list:
        raise BadValueError(f"{path}: expected a list, got {shown(said)}")
    return tuple(untagged(item, f"{path}[{index}]") for index, item in enumerate(said))


def _read_ext(said: Any, path: str) -> msgspec.msgpack.Ext:
    if type(said) is not dict or type(said.get("code")) is not int:
        raise BadValueError(f"{path}: expected an object with 'code' and 'data', got {shown(said)}")
    return msgspec.msgpack.Ext(said["code"], _read_bytes(said.get("data"), f"{path}.data"))


_READERS = {
    "$float": _read_float,
    "$bytes": _read_bytes,
    "$array": _read_array,
    "$scalar": _read_scalar,
    "$dict": _read_dict,
    "$list": _read_list,
    "$ext": _read_ext,
}
