"""What happens when a tick raises and the node has no on_error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError
from horus_core.frozen import Frozen
from horus_core.nodes import options

if TYPE_CHECKING:
    from typing_extensions import Self


def _check(policy: str, field: str, value: object, *, least: int, whole: bool = False) -> None:
    kinds: tuple[type, ...] = (int,) if whole else (int, float)
    most = math.inf if whole else options.LONGEST_S
    if isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most:  # type: ignore[operator]
        return
    kind = f"a whole number of at least {least}" if whole else f"seconds from {least} to {most:g}"
    raise ConfigError(f"Bad {policy}({field}=...): expected {kind}, got {value!r}.")


class _Numbers(Frozen):
    """A policy with numbers, which refuses those that it does not have."""

    def __new__(cls, *_numbers: Any, **given: Any) -> Self:
        if unknown := [name for name in given if name not in cls.fields_]:
            raise options.unknown(cls.__name__, unknown, cls.fields_)
        return super().__new__(cls)


class Fatal(Frozen):
    """The node is CRASHED, all nodes shut down, and run() raises the exception."""


class Ignore(Frozen):
    """The failure is logged and counted; the node goes on."""


class Isolate(Frozen):
    """The node is CRASHED and stops alone: enter_safe_state(), shutdown(). The others go on."""


class Restart(_Numbers):
    """Shutdown, a pause, init again; fatal after `max_retries` in short succession.

    The pause starts at `backoff` seconds and doubles up to 10 s. A node that ticks for 10 s after a restart
    has all its retries again.
    """

    max_retries: int = 5
    backoff: float = 0.1

    def __post_init__(self) -> None:
        _check("Restart", "max_retries", self.max_retries, least=0, whole=True)
        _check("Restart", "backoff", self.backoff, least=0)


class Skip(_Numbers):
    """After `max_failures` failures in a row the node rests for `cooldown` seconds."""

    max_failures: int = 5
    cooldown: float = 30.0

    def __post_init__(self) -> None:
        _check("Skip", "max_failures", self.max_failures, least=1, whole=True)
        _check("Skip", "cooldown", self.cooldown, least=0)


class Ladder(_Numbers):
    """What misses in a row lead to: a warning, half the rate, isolation. Recovery goes step by step."""

    warn: int = 3
    slow: int = 5
    isolate: int = 10

    def __post_init__(self) -> None:
        for step in ("warn", "slow", "isolate"):
            _check("Ladder", step, getattr(self, step), least=1, whole=True)
        if not self.warn <= self.slow <= self.isolate:
            raise ConfigError(
                f"Bad Ladder: expected warn <= slow <= isolate, got {self.warn}, {self.slow}, {self.isolate}."
            )


FailurePolicy = Fatal | Ignore | Isolate | Restart | Skip

_BY_NAME: dict[str, FailurePolicy] = {
    "fatal": Fatal(),
    "restart": Restart(),
    "skip": Skip(),
    "ignore": Ignore(),
    "isolate": Isolate(),
}


def parse(value: object) -> FailurePolicy:
    """The policy that a name or a policy object means."""
    if isinstance(value, (Fatal, Ignore, Isolate, Restart, Skip)):
        return value
    if isinstance(value, str) and value in _BY_NAME:
        return _BY_NAME[value]
    raise ConfigError(
        f"Bad failure_policy: expected one of {', '.join(map(repr, _BY_NAME))}, horus.Restart(...) or "
        f"horus.Skip(...), got {value!r}."
    )
