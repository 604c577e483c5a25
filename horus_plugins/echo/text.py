"""Messages in lines for people: a field a line, with its unit; what is long is summarised unless all is wanted.

Text of others cannot forge lines, nor steer a terminal.
"""

from __future__ import annotations

import re
import struct
import sys
from typing import TYPE_CHECKING, Any

from horus_core.messages.message import Message
from horus_core.messages.pooled import Pooled
from horus_core.text import plain_name
from horus_plugins.echo import statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from horus_core import _native

_FEW = 12
"""Elements of a list that are shown of a longer one, half from its beginning and half from its end."""
_LONG = 200
"""Characters of a text, and bytes, that are shown of a longer one."""
_DEEPEST = 60
_GAP = object()
"""Stands for the elements that are left out."""
_BARE = re.compile(r"[^\W\d][\w./-]*")
"""Keys that need no quotes."""


class Text:
    """How messages are shown. `full` leaves nothing out; `paint(text, role)` gives names and units their colours."""

    def __init__(self, *, full: bool = False, paint: Callable[[str, str], str] | None = None) -> None:
        self._full = full
        self._paint = paint or _unpainted

    def lines(self, message: Any) -> Iterator[str]:
        """The message, or a part of one."""
        if isinstance(message, Message):
            yield from self._typed(message, "")
        elif isinstance(message, Pooled):
            yield from self._pooled(message)
        elif isinstance(message, dict) and message:
            yield from self._dict(message, "", 0)
        elif isinstance(message, list) and _is_nested(message):
            yield from self._list(message, "", 0)
        else:
            yield self._inline(message)

    # ---- typed ----

    def _typed(self, message: Message, indent: str) -> Iterator[str]:
        for one in type(message).__descriptors__:
            if one.alias:
                continue
            name = f"{indent}{self._paint(plain_name(one.name), 'name')}:"
            value = getattr(message, one.name)
            if one.kind == "message" and one.shape == "one":
                yield name
                yield from self._typed(value, f"{indent}  ")
            elif one.kind == "message":
                yield from self._parts(value, name, indent)
            else:
                yield f"{name} {self._value(one, value)}{self._unit(one)}"

    def _parts(self, parts: Any, name: str, indent: str) -> Iterator[str]:
        yield f"{name} {'[]' if len(parts) == 0 else ''}".rstrip()
        for part in self._chosen(parts):
            if part is _GAP:
                yield f"{indent}  … {len(parts)} in all"
            else:
                yield from _as_item(list(self._typed(part, "")), indent)

    def _chosen(self, parts: Any) -> list[Any]:
        """All, or a few and _GAP in their middle."""
        if self._full or len(parts) <= _FEW:
            return list(parts)
        return [*parts[: _FEW // 2], _GAP, *parts[-(_FEW // 2) :]]

    def _unit(self, one: _native.FieldDescriptor) -> str:
        return f" {self._paint(plain_name(one.unit), 'unit')}" if one.unit else ""

    def _value(self, one: _native.FieldDescriptor, value: Any) -> str:
        if one.shape != "one":
            return self._array(value) if hasattr(value, "dtype") else self._inline(list(value))
        if one.kind == "f32":
            return f32(value)
        return self._enum(value) if one.type is not None else self._inline(value)

    @staticmethod
    def _enum(value: Any) -> str:
        name = getattr(value, "name", None)  # a number that is no member has none
        return str(int(value)) if name is None else f"{int(value)} ({plain_name(name)})"

    # ---- payloads ----

    def _pooled(self, message: Pooled) -> Iterator[str]:
        for name, value in message.to_dict().items():
            unit = " ns" if name == "timestamp_ns" else ""
            yield f"{self._paint(name, 'name')}: {self._inline(value)}{unit}"
        said = statistics.summary(message.to_numpy()) if message.dtype != "bfloat16" else ""
        yield f"{self._paint('data', 'name')}: {message.nbytes} bytes{', ' if said else ''}{said}"

    # ---- dicts ----

    def _dict(self, values: dict[Any, Any], indent: str, depth: int) -> Iterator[str]:
        for key, value in values.items():
            name = f"{indent}{self._paint(self._key(key), 'name')}:"
            if depth < _DEEPEST and isinstance(value, dict) and value:
                yield name
                yield from self._dict(value, f"{indent}  ", depth + 1)
            elif depth < _DEEPEST and isinstance(value, list) and _is_nested(value):
                yield name
                yield from self._list(value, indent, depth + 1)
            else:
                yield f"{name} {self._inline(value)}"

    def _list(self, values: list[Any], indent: str, depth: int) -> Iterator[str]:
        for value in self._chosen(values):
            if value is _GAP:
                yield f"{indent}  … {len(values)} in all"
            elif depth < _DEEPEST and isinstance(value, dict) and value:
                yield from _as_item(list(self._dict(value, "", depth + 1)), indent)
            elif depth < _DEEPEST and isinstance(value, list) and _is_nested(value):
                yield from _as_item(list(self._list(value, "", depth + 1)), indent)
            else:
                yield f"{indent}  - {self._inline(value)}"

    @staticmethod
    def _key(key: Any) -> str:
        if isinstance(key, str):
            return plain_name(key) if _BARE.fullmatch(key) else _quoted(key)
        return plain_name(repr(key))

    # ---- values in one line ----

    def _inline(self, value: Any, depth: int = 0) -> str:
        if isinstance(value, str):
            return _quoted(value if self._full else value[:_LONG]) + self._rest(value, "characters")
        if isinstance(value, (bytes, bytearray)):
            return repr(bytes(value if self._full else value[:_LONG])) + self._rest(value, "bytes")
        if isinstance(value, (list, tuple, dict)):
            return "…" if depth > _DEEPEST else self._inline_group(value, depth + 1)
        return self._other(value)

    def _inline_group(self, value: Any, depth: int) -> str:
        if isinstance(value, dict):
            pairs = (f"{self._key(key)}: {self._inline(one, depth)}" for key, one in value.items())
            return f"{{{', '.join(pairs)}}}"
        shown = ["…" if one is _GAP else self._inline(one, depth) for one in self._chosen(value)]
        return f"[{', '.join(shown)}]{'' if len(shown) == len(value) else f' ({len(value)})'}"

    def _rest(self, value: Any, what: str) -> str:
        return f"… ({len(value)} {what})" if not self._full and len(value) > _LONG else ""

    def _other(self, value: Any) -> str:
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        np = sys.modules.get("numpy")
        if np is not None and isinstance(value, np.ndarray):
            return self._array(value)
        if np is not None and isinstance(value, np.generic):
            return plain_name(statistics.short(value) if value.dtype.kind in "buif" else str(value))
        if isinstance(value, Message):
            return ", ".join(line.strip() for line in self._typed(value, ""))
        return plain_name(str(value))

    def _array(self, array: Any) -> str:
        """Of one dimension its elements, or a few of them; of more its type and what can be said of all."""
        if array.ndim == 1 and array.dtype.kind in "buif" and (self._full or array.size <= _FEW):
            return f"[{', '.join(map(statistics.short, array))}]"
        if self._full:
            return plain_name(repr(array.tolist()))
        kind = plain_name(str(array.dtype))
        said = statistics.summary(array)
        about = f"({' x '.join(map(str, array.shape))} {kind}{', ' if said else ''}{said})"
        if array.ndim != 1 or array.dtype.kind not in "buif":
            return about
        half = _FEW // 2
        ends = [", ".join(map(statistics.short, part)) for part in (array[:half], array[-half:])]
        return f"[{ends[0]}, …, {ends[1]}] {about}"


def _unpainted(text: str, _role: str) -> str:
    return text


def _as_item(lines: list[str], indent: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{indent}  {'  ' if number else '- '}{line}"


def _is_nested(values: list[Any]) -> bool:
    return any(isinstance(one, (dict, list)) and one for one in values)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{plain_name(escaped)}"'


def f32(value: float) -> str:
    """A short decimal that is this f32."""
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            break
    else:
        text = f"{value:.9g}"
    return text if any(one in text for one in ".en") else f"{text}.0"
