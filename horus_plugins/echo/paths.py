"""Paths into a message, such as `pose.x`, `ranges[3]`, `items[-1].name`, `["odd key"]`: reading and setting."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from horus_core.errors import ConfigError
from horus_core.messages.message import Message
from horus_core.messages.pooled import Pooled
from horus_core.plugins.reasons import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

Path: TypeAlias = tuple["str | int", ...]

_STEP = re.compile(r"""\.?([^\W\d][\w-]*|\d+)|\[(-?\d+)\]|\[(?:"([^"]*)"|'([^']*)')\]""")
_LONGEST_INDEX = 18
_SHOWN = 12


def parse(text: str) -> Path:
    """The steps of a path. Raises ConfigError for what is none."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found[1] is not None and (text[at] == ".") != bool(steps)):
            raise _bad(text)
        name, index = found[1] or found[3] or found[4], found[2]
        if index is not None and len(index) > _LONGEST_INDEX:
            raise _bad(text)
        steps.append(name or "" if index is None else int(index))
        at = found.end()
    if not steps:
        raise _bad(text)
    return tuple(steps)


def _bad(text: str) -> ConfigError:
    return ConfigError(
        f"Bad path {text[:80]!r}: expected names and indexes like pose.x, ranges[3] or items[-1].name, got something "
        'else. Put a key with other characters in brackets: ["odd key"].'
    )


def get(value: Any, path: Path) -> Any:
    """What stands at the path, in a message or a plain value. Raises LookupError, saying what there is instead."""
    for number, step in enumerate(path):
        try:
            value = _step(value, step)
        except LookupError:  # noqa: PERF203 - a path has few steps
            raise LookupError(_missing(value, path, number)) from None
    return value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        if step in value:
            return value[step]
        number = (
            int(step) if isinstance(step, str) and step.isdecimal() and len(step) <= _LONGEST_INDEX else None
        )
        if number is not None and number in value:
            return value[number]
        raise KeyError(step)
    if isinstance(step, str):
        if step in _names(value):
            return value[step] if hasattr(value, "itemsize") else getattr(value, step)
        raise KeyError(step)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__getitem__"):
        raise IndexError(step)
    if hasattr(value, "ndim") and value.ndim == 0:
        raise IndexError(step)
    return value[step]


def _names(value: Any) -> list[str]:
    if isinstance(value, Message):
        return [one.name for one in type(value).__descriptors__]
    if isinstance(value, Pooled):
        return [*value.to_dict(), "shape", "dtype", "nbytes"]
    return [*(getattr(getattr(value, "dtype", None), "names", None) or ())]


def _missing(value: Any, path: Path, number: int) -> str:
    step, so_far = path[number], text(path[:number]) or "the message"
    if isinstance(value, dict):
        names = [key if isinstance(key, str) else repr(key) for key in value]
    else:
        names = _names(value)
    if names:
        some = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        return f"{so_far} has {some}, and no {step!r}.{nearest(str(step), names)}"
    if isinstance(step, int) and hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
        return f"{so_far} has {len(value)} elements, and no [{step}]."
    return f"{so_far} is {_article(type(value).__name__)}, and has no {step!r}."


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def text(path: Iterable[str | int]) -> str:
    """The path as one writes it."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step}]"
        elif re.fullmatch(r"[^\W\d][\w-]*", step):
            said += f".{step}" if said else step
        else:
            said += f'["{step}"]'
    return said


def put(into: dict[Any, Any], path: Path, value: Any) -> None:
    """Set what stands at the path, making dicts and lists on the way. Raises ValueError where that cannot be."""
    here: Any = into
    for step, after in pairwise(path):
        empty: Any = [] if isinstance(after, int) else {}
        here = _descend(here, step, empty, path)
    _set(here, path[-1], value, path)


def _descend(here: Any, step: str | int, empty: Any, path: Path) -> Any:
    if isinstance(here, dict) and step in here:
        return here[step]
    if isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
        return here[step]
    _set(here, step, empty, path)
    return empty


def _set(here: Any, step: str | int, value: Any, path: Path) -> None:
    if isinstance(here, dict):
        here[step] = value
    elif isinstance(here, list) and isinstance(step, int) and 0 <= step <= len(here):
        here[step : step + 1] = [value]
    elif isinstance(here, list):
        raise ValueError(f"{text(path)}: expected the next index {len(here)}, got {step!r}")
    else:
        raise ValueError(f"{text(path)}: expected a place inside a dict or list, got one inside {here!r}")
