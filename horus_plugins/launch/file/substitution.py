"""`${NAME}` in a launch file: of a loop, of the environment, of a parameter.

`${NAME:-default}` where NAME is not set or empty, `$$` for a dollar sign. A value that is one reference and nothing
else keeps the type of what it refers to, in quotes, too: `{x: ${A}}` takes them. What comes from the environment is
what a bare word would be. With `!!str` it is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from horus_plugins.launch.file import scalars
from horus_plugins.launch.file.problems import nearest
from horus_plugins.launch.file.values import Entry, Mapping, Scalar, Sequence, Value, of_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as AnyMapping

    from horus_plugins.launch.file.problems import Problems

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*", re.ASCII)
_PARAM = "param:"
_DEFAULT = ":-"


@dataclass(frozen=True)
class Scope:
    """What names stand for, at one place of a file."""

    environ: AnyMapping[str, str]
    loops: dict[str, Any] = field(default_factory=dict)
    """What `foreach` binds; it goes before the environment."""
    param: Callable[[str], Any] | None = None
    """The value of a node's parameter; raises KeyError. None where there are none yet: those references stay."""

    def inner(self, loops: dict[str, Any]) -> Scope:
        """The same with more loops around it."""
        return replace(self, loops={**self.loops, **loops})


class _Later(Exception):  # noqa: N818 - no error
    """The value refers to parameters, which are not known yet."""


def substitute(value: Value, scope: Scope, problems: Problems) -> Value:
    """The value with all references in it replaced. What cannot be is noted, and stays as it is written."""
    if isinstance(value, Sequence):
        return Sequence(value.place, tuple(substitute(item, scope, problems) for item in value.items))
    if isinstance(value, Mapping):
        return Mapping(
            value.place,
            {
                key: Entry(one.place, substitute(one.value, scope, problems))
                for key, one in value.entries.items()
            },
        )
    if not isinstance(value.value, str) or "$" not in value.value:
        return value
    try:
        parts = _parts(value.value, scope)
    except _Later:
        return value
    except ValueError as error:
        problems.add(value.place, str(error))
        return replace(value, broken=True)
    return _joined(value, parts)


def _joined(value: Scalar, parts: list[Any]) -> Value:
    """One reference alone keeps its type; else everything is text."""
    if len(parts) == 1 and isinstance(parts[0], _Word):
        word = parts[0]
        return Scalar(value.place, str(word) if value.is_text else word.resolved, str(word), referred=True)
    if len(parts) == 1 and not isinstance(parts[0], str) and not value.is_text:
        return of_plain(parts[0], value.place)
    text = "".join(one if isinstance(one, str) else as_text(one) for one in parts)
    return Scalar(value.place, text, text)


class _Word(str):
    """What the environment says, or a default: a number, a boolean or text, by what it looks like."""

    __slots__ = ()

    @property
    def resolved(self) -> Any:
        try:
            return scalars.resolve(str(self)) if self else str(self)
        except ValueError:  # what readers of YAML disagree on: outside of a file it is text
            return str(self)


def as_text(value: Any) -> str:
    """A value in the midst of text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parts(text: str, scope: Scope) -> list[Any]:
    """Texts as they stand, and values that are referred to. Raises ValueError for what is no reference."""
    parts: list[Any] = []
    plain = ""
    at = 0
    while at < len(text):
        if text[at] != "$":
            plain, at = plain + text[at], at + 1
        elif text[at + 1 : at + 2] == "$":
            plain, at = plain + "$", at + 2
        elif text[at + 1 : at + 2] == "{":
            end = _end(text, at + 2)
            if plain:
                parts.append(plain)
            parts, plain, at = [*parts, *_of(text[at + 2 : end], scope)], "", end + 1
        else:
            _require_no_reference(text, at)
            plain, at = plain + "$", at + 1
    return [*parts, plain] if plain or not parts else parts


def _end(text: str, start: int) -> int:
    """Where the brace closes that opened before `start`; defaults may have references in them."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError(f"expected ${{NAME}}, got ${{{text[start:]} without its closing brace.")


def _require_no_reference(text: str, at: int) -> None:
    bare = _NAME.match(text, at + 1)
    if bare is not None:
        raise ValueError(
            f"expected ${{{bare[0]}}} with braces, got ${bare[0]}: there is no shell that would replace it. "
            f"Write $${bare[0]} for the text itself."
        )
    if text[at + 1 : at + 2] == "(":
        raise ValueError(
            "expected ${NAME}, got $(…): there is no shell that would run it. Write $$( for the text itself."
        )


def _of(inner: str, scope: Scope) -> list[Any]:
    """What a reference stands for; several parts where that is a default with references in it."""
    name, has_default, default = inner.partition(_DEFAULT)
    value = _look_up(name, scope)
    if value is not None and not (has_default and value == ""):
        return [value]
    if not has_default:
        raise ValueError(_not_set(name, scope))
    parts = _parts(default, scope)
    return [_Word(parts[0])] if len(parts) == 1 and isinstance(parts[0], str) else parts


def _look_up(name: str, scope: Scope) -> Any:
    if name.startswith(_PARAM):
        if scope.param is None:
            raise _Later
        try:
            return scope.param(name.removeprefix(_PARAM))
        except KeyError:
            return None
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"expected ${{NAME}}, ${{NAME:-default}} or ${{param:name}}, got ${{{name}}}. "
            f"Write $${{ for the text itself."
        )
    if name in scope.loops:
        return scope.loops[name]
    found = scope.environ.get(name)
    return None if found is None else _Word(found)


def _not_set(name: str, scope: Scope) -> str:
    if name.startswith(_PARAM):
        return (
            f"expected a parameter of this node in ${{{name}}}, got none of that name. Set it in `params`, or write "
            f"${{{name}:-default}}."
        )
    hint = nearest(name, [*scope.loops, *scope.environ], cutoff=0.8)
    return f"expected {name!r} to be set in the environment, got none.{hint} Set it, or write ${{{name}:-default}}."
