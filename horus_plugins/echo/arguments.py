"""Values that a user types: `linear=0.5 target.x=1`, or one JSON value, into what a topic carries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.messages.message import Message
from horus_plugins.echo import json_text, paths, record
from horus_plugins.echo.record import BadValueError, Record, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_core import _native

_FLOATS = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}


def parse(words: Sequence[str], cls: type) -> Record:
    """What the words say, for a topic of the class, which may be dict. Raises BadValueError."""
    if not words:
        if cls is dict:
            raise BadValueError("expected a value as KEY=VALUE … or as JSON, got none")
        return Record("", {})
    if len(words) == 1:
        whole = _json(words[0])
        if whole is not None:
            return json_text.decode(words[0])
    values: dict[Any, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadValueError(
                f"expected KEY=VALUE, or one value as JSON, got {shown(word)}: text as JSON has quotes, '\"text\"'"
            )
        _put(values, key, value, cls)
    return Record("", values)


def _json(word: str) -> Any:
    """The value in a list of its own; None for what is no JSON."""
    try:
        return [json_text.parse(word)]
    except BadValueError:
        if word[:1] in {"{", "["}:  # that cannot have been meant as anything else
            raise
        return None


def _put(values: dict[Any, Any], key: str, value: str, cls: type) -> None:
    try:
        path = paths.parse(key)
    except ConfigError as error:
        raise BadValueError(str(error)) from None
    field = _field(cls, path)
    _prepare(values, cls, path)
    try:
        paths.put(values, path, _value(value, field, key))
    except ValueError as error:
        raise BadValueError(str(error)) from None


def _value(text: str, field: _native.FieldDescriptor | None, path: str) -> Any:
    if field is not None and field.kind == "text" and text[:1] not in {'"', "["}:
        return text
    if field is not None and field.kind in {"f32", "f64"} and text.lower() in _FLOATS:
        return _FLOATS[text.lower()]
    try:
        parsed = json_text.parse(text)
    except BadValueError:
        return text
    return json_text.untagged(parsed, path)


def _field(cls: type, path: paths.Path) -> _native.FieldDescriptor | None:
    """The field that the path names, of a message class."""
    found = None
    for step in path:
        if isinstance(step, int):
            continue
        if not (isinstance(cls, type) and issubclass(cls, Message)):
            return None
        found = next((one for one in cls.__descriptors__ if one.name == step), None)
        if found is None:
            return None
        cls = found.type
    return found


def _prepare(values: dict[Any, Any], cls: type, path: paths.Path) -> None:
    """Before an element of an array is set, have the other ones: those of a message without arguments."""
    first = path[0]
    indexed = len(path) > 1 and isinstance(path[1], int)
    if not (indexed and isinstance(first, str) and first not in values and issubclass(cls, Message)):
        return
    try:
        default = record.fields(cls()).get(first)
    except TypeError:  # a field without a default
        return
    if default is not None:
        values[first] = default.tolist() if hasattr(default, "tolist") else default
