"""The checks of Node's keywords."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Compared by identity, so that a scheduler can tell a node without a rate from one that asks for 30 Hz.
DEFAULT_RATE = 30.0
MAX_RATE = 1e6
_MAX_BUDGET_S = 1.0
_MAX_DEADLINE_S = 5.0
LONGEST_S = 1e9
"""30 years: clocks count nanoseconds in 63 bits."""


def unknown(what: str, given: Iterable[str], known: Iterable[str]) -> ConfigError:
    """The error for keywords that do not exist, with the nearest that do."""
    import difflib  # noqa: PLC0415 - only for an error's text

    known = sorted(known)
    wrong = []
    for name in given:
        near = difflib.get_close_matches(name, known, n=1)
        wrong.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return ConfigError(
        f"Unknown keyword of {what}: expected one of {', '.join(known)}, got {', '.join(wrong)}."
    )


def flag(keyword: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ConfigError(f"Bad {keyword}: expected True or False, got {value!r}.")
    return value


def rate(value: Any, keyword: str = "rate") -> float:
    """A rate in Hz."""
    if not _is_number(value) or not 0 < value <= MAX_RATE:
        raise ConfigError(f"Bad {keyword}: expected Hz above 0 and up to {MAX_RATE:g}, got {value!r}.")
    return float(value)


def order(value: object) -> int:
    """A node's place among those that are due together."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"Bad order: expected a whole number (lower runs first), got {value!r}.")
    return value


def capacity(value: object) -> int | None:
    """The capacity of the topics that a node creates; None is the default."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ConfigError(f"Bad capacity: expected a whole number of at least 1, or None, got {value!r}.")
    return value


def duration(value: Any) -> float | None:
    """How many seconds a run may take; None is until stopped."""
    if value is not None and (not _is_number(value) or not 0 <= value < math.inf):
        raise ConfigError(f"Bad duration: expected seconds of at least 0, or None, got {value!r}.")
    return None if value is None else min(float(value), LONGEST_S)


def seed(value: Any) -> int | None:
    """What random numbers begin from; None is something else in each run."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ConfigError(
            f"Bad seed: expected a whole number, or None for another in each run, got {value!r}."
        )
    return value


def refuse_class_attributes(cls: type, base: type, given: Mapping[str, tuple[object, object]]) -> None:
    """Raise for keywords ({keyword: (value, default)}) that a subclass only has as attributes: they do nothing."""
    for keyword, (value, default) in given.items():
        if value is not default:
            continue
        for owner in cls.__mro__[: cls.__mro__.index(base)]:
            found = vars(owner).get(keyword)
            if found is not None and not callable(found) and not hasattr(found, "__get__"):
                raise ConfigError(
                    f"Bad {keyword} of {cls.__name__}: expected it as a keyword, got an attribute of the class. "
                    f"Pass it on: super().__init__({keyword}={found!r})."
                )


def short_time(keyword: str, value: Any) -> float | None:
    """A budget or deadline in seconds; None is none."""
    most = _MAX_BUDGET_S if keyword == "budget" else _MAX_DEADLINE_S
    if value is not None and (not _is_number(value) or not 0 < value <= most):
        raise ConfigError(
            f"Bad {keyword}: expected seconds above 0 and up to {most:g}, got {value!r}. Durations are "
            f"in seconds: write {keyword}=5 * horus.ms or {keyword}=300 * horus.us."
        )
    return None if value is None else float(value)


def positive_time(keyword: str, value: Any) -> float | None:
    """A duration in seconds; None is none."""
    if value is not None and (not _is_number(value) or not 0 < value <= LONGEST_S):
        raise ConfigError(
            f"Bad {keyword}: expected seconds above 0 and up to {LONGEST_S:g}, or None, got {value!r}."
        )
    return None if value is None else float(value)


def _is_number(value: Any) -> bool:
    # Not `isinstance(value, Real)`: numpy's scalars count, and bool does not.
    return not isinstance(value, bool) and hasattr(value, "__float__") and not isinstance(value, str)
