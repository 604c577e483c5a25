"""A mapping of a launch file against a struct of the format: key by key, so that every problem is found."""

from __future__ import annotations

import re
import typing
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec

from horus_plugins.launch.file.problems import nearest, shown
from horus_plugins.launch.file.values import Mapping, Scalar, Sequence, Value, at, is_broken

if TYPE_CHECKING:
    from collections.abc import Mapping as AnyMapping

    from horus_plugins.launch.file.problems import Problems

_AS_WRITTEN = {"params", "env", "args"}
"""What keeps its numbers as they are: elsewhere 2.0 is an integer, too, as in JSON Schema."""
_PATH = re.compile(r" - at `\$([^`]*)`$")
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


def check(
    mapping: Mapping, kind: type[msgspec.Struct], what: str, problems: Problems, *, ignored: str | None = None
) -> dict[str, Any]:
    """The keys whose values fit the struct, converted; all else is noted. Keys that start with `ignored` are free."""
    known = _keys(kind)
    for key, entry in mapping.entries.items():
        if key not in known and not (ignored and key.startswith(ignored)):
            hint = nearest(key, known) or f" There are {', '.join(known)}."
            problems.add(entry.place, f"unknown key {shown(key)} in {what}.{hint}")
    missing = [key for key in _required(kind) if key not in mapping.entries]
    for key in missing:
        problems.add(mapping.place, f"expected {what} to have a {key!r}, got none.")
    found = {}
    for key, rule in known.items():
        value = mapping.get(key)
        if value is not None and not is_broken(value):
            good, converted = _fits(key, value, rule, what, problems)
            if good:
                found[key] = converted
    return found


def struct_in(rule: Any) -> type[msgspec.Struct] | None:
    """The struct among the types that a key may have."""
    if isinstance(rule, type):
        return rule if issubclass(rule, msgspec.Struct) else None
    parts = get_args(rule)[:1] if get_origin(rule) is typing.Annotated else get_args(rule)
    if get_origin(rule) not in (typing.Union, typing.Annotated):
        return None
    return next((found for part in parts if (found := struct_in(part)) is not None), None)


@cache
def _keys(kind: type[msgspec.Struct]) -> AnyMapping[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


@cache
def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(one.name for one in msgspec.structs.fields(kind) if one.required)


def _fits(key: str, value: Value, rule: Any, what: str, problems: Problems) -> tuple[bool, Any]:
    inner = struct_in(rule)
    if inner is not None and isinstance(value, Mapping):
        parts = check(value, inner, f"{key} of {what}", problems)
        whole = len(parts) == len(value.entries)
        try:
            return whole, msgspec.convert(parts, inner) if whole else None
        except msgspec.ValidationError:  # a key is missing, which was noted
            return False, None
    plain = value.plain() if key in _AS_WRITTEN else _whole_numbers(value.plain())
    try:
        return True, msgspec.convert(plain, rule)
    except msgspec.ValidationError as error:
        with suppress(msgspec.ValidationError):
            return True, msgspec.convert(_as_texts(value), rule)
        _note(key, value, rule, what, problems, str(error))
        return False, None


def _takes_mappings(rule: Any) -> bool:
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, rule)
        return True
    return False


def _as_texts(value: Value) -> Any:
    """The same with texts for what came in by references: `name: ${N}` may be called 5."""
    if isinstance(value, Scalar):
        return value.text if value.referred else value.value
    if isinstance(value, Sequence):
        return [_as_texts(item) for item in value.items]
    return {key: _as_texts(entry.value) for key, entry in value.entries.items()}


def _note(key: str, value: Value, rule: Any, what: str, problems: Problems, said: str) -> None:
    """A problem for each entry of a mapping that does not fit, else one where msgspec saw it."""
    expected = _expected(rule)
    if isinstance(value, Mapping) and _takes_mappings(rule):
        for name, entry in value.entries.items():
            one = entry.value
            try:
                msgspec.convert({name: _whole_numbers(one.plain())}, rule)
            except msgspec.ValidationError:
                problems.add(
                    one.place,
                    f"{key} of {what}: expected {expected}, got {_got(one)} for {shown(name)}.",
                )
        return
    path = _PATH.search(said)
    steps: list[str | int] = (
        [int(number) if number else name for number, name in _STEP.findall(path[1])] if path else []
    )
    place = at(value, steps)
    wants_text = said.startswith("Expected `str")
    part = _part(value, steps)
    advice = ""
    if wants_text and isinstance(part, Scalar) and part.value is not None and not isinstance(part.value, str):
        advice = f' For text write "{part.text}" in quotes.'
    problems.add(place, f"{key} of {what}: expected {expected}, got {_got(part)}.{advice}")


def _part(value: Value, steps: list[str | int]) -> Value:
    for step in steps:
        if isinstance(value, Sequence) and isinstance(step, int):
            value = value.items[step]
        elif isinstance(value, Mapping) and isinstance(step, str) and step in value.entries:
            value = value.entries[step].value
    return value


def _got(value: Value) -> str:
    if isinstance(value, Scalar):
        return shown(value.value)
    return f"{'a list' if isinstance(value, Sequence) else 'a mapping'} {shown(value.plain())}"


def _expected(rule: Any) -> str:
    if get_origin(rule) is typing.Union:
        return next((found for part in get_args(rule) if (found := _expected(part))), "")
    for meta in getattr(rule, "__metadata__", ()):
        if meta.extra and "expected" in meta.extra:
            return str(meta.extra["expected"])
    return ""


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole_numbers(one) for one in value]
    return {key: _whole_numbers(one) for key, one in value.items()} if isinstance(value, dict) else value
