"""What a value may be: of the declared type, within its limits, and nothing that cannot travel as JSON."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from horus_core.errors import ParamError
from horus_core.nodes.parameter import Parameter, type_name
from horus_core.params.env import Given

SCALARS = (bool, int, float, str)
_MOST_BYTES = 1 << 16
_MOST_DEEP = 20
_LEAST_INT, _MOST_INT = -(1 << 63), (1 << 64) - 1


class Rules(NamedTuple):
    """How a parameter was declared; without a type anything goes."""

    type: Any = Any
    default: Any = None
    unit: str = ""
    doc: str = ""
    min: float | None = None
    max: float | None = None
    choices: tuple[Any, ...] | None = None

    def convert(self, name: str, given: Given) -> Any:
        """The value as the declared type; raises ParamError for one that is none, or out of its limits.

        A whole number is a float where one is wanted; nothing else becomes another type.
        """
        if self.type is Any:
            return plain(name, given)
        value = Parameter(name, self.type, unit=self.unit).convert(given)
        self._check_limits(name, value, given)
        plain(name, Given(builtins(value), given.origin))
        return value

    def _check_limits(self, name: str, value: Any, given: Given) -> None:
        if self.choices is not None and value not in self.choices:
            raise self._refused(
                name, given, f"one of {', '.join(repr(builtins(one)) for one in self.choices)}"
            )
        low, high = self.min, self.max
        if (low, high) != (None, None) and not isinstance(value, (int, float)):
            raise self._refused(name, given, f"a number ({self.limits()})")
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            raise self._refused(name, given, f"{self.limits()}{f' {self.unit}' if self.unit else ''}")

    def limits(self) -> str:
        """`0 to 3`, `at least 0`, `at most 3`, or nothing."""
        if self.min is not None and self.max is not None:
            return f"{self.min} to {self.max}"
        if self.min is not None:
            return f"at least {self.min}"
        return f"at most {self.max}" if self.max is not None else ""

    def described(self) -> dict[str, Any]:
        """What tools show of it, of values that MessagePack has."""
        return {
            "type": self.type_name,
            "unit": self.unit,
            "doc": self.doc,
            "default": builtins(self.default),
            "min": self.min,
            "max": self.max,
            "choices": None if self.choices is None else [builtins(one) for one in self.choices],
        }

    def _refused(self, name: str, given: Given, expected: str) -> ParamError:
        shown = given.value if given.text is None else given.text
        return ParamError(
            f"Bad parameter {name!r}: expected {expected}, got {short(shown)} (from {given.origin})."
        )

    @property
    def type_name(self) -> str:
        """The type as users write it; nothing where it is not known."""
        return "" if self.type is Any else type_name(self.type)


def plain(name: str, given: Given) -> Any:
    """A copy of a value that is a number, text, a bool, a list or a dict of these; raises ParamError for others."""
    left = [_MOST_BYTES]
    try:
        return _copied(given.value, "$", 0, left)
    except _NotPlainError as error:
        raise ParamError(f"Bad parameter {name!r}: {error} (from {given.origin}).") from None


def builtins(value: Any) -> Any:
    """The value as tools show it: enums as their values, dataclasses as dicts, paths as text."""
    if type(value) in SCALARS:
        return value
    import msgspec  # noqa: PLC0415 - `import horus` stays light

    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)


def short(value: Any, most: int = 80) -> str:
    """The value for an error's text."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"


class _NotPlainError(Exception):
    pass


def _copied(value: Any, path: str, depth: int, left: list[int]) -> Any:
    left[0] -= len(value) if isinstance(value, str) else 8
    if left[0] < 0:
        raise _NotPlainError(f"expected at most {_MOST_BYTES} bytes, got more")
    if depth > _MOST_DEEP:
        raise _NotPlainError(f"expected at most {_MOST_DEEP} levels, got more")
    if isinstance(value, (list, tuple)):
        return [_copied(one, f"{path}[{number}]", depth + 1, left) for number, one in enumerate(value)]
    if isinstance(value, dict):
        return {_key(key, path): _copied(one, f"{path}.{key}", depth + 1, left) for key, one in value.items()}
    return _scalar(value, path)


def _scalar(value: Any, path: str) -> Any:
    where = "" if path == "$" else f" at {path}"
    kind = next((kind for kind in SCALARS if isinstance(value, kind)), None)
    if kind is None:
        raise _NotPlainError(
            f"expected a number, a bool, text, a list or a dict, got {short(value)} of type "
            f"{type(value).__name__}{where}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise _NotPlainError(f"expected a finite number, got {value}{where}")
    if isinstance(value, int) and not _LEAST_INT <= value <= _MOST_INT:
        raise _NotPlainError(f"expected an integer of at most 64 bits, got {short(value)}{where}")
    if isinstance(value, str) and not _encodes(value):
        raise _NotPlainError(f"expected text that is valid Unicode, got {value!a}{where}")
    return kind(value)


def _key(key: Any, path: str) -> str:
    if isinstance(key, str) and _encodes(key):
        return key
    raise _NotPlainError(f"expected keys that are text, got {key!a} at {path}")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
