"""How a node wants to be run: its keywords for time and execution, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from horus_core import prefix
from horus_core.errors import ConfigError
from horus_core.frozen import Frozen
from horus_core.nodes import options
from horus_core.nodes.policy import Ladder

if TYPE_CHECKING:
    from collections.abc import Mapping

_NS = 1_000_000_000
_PRIORITY_MAX = 99  # of SCHED_FIFO
_ON_MISS = ("warn", "skip", "safe_mode", "stop")
_COMPUTE = (False, True, "process")
_RT = (False, True, "require")

DEFAULTS: dict[str, Any] = {
    "budget": None,
    "deadline": None,
    "on_miss": "warn",
    "compute": False,
    "on": None,
    "priority": None,
    "core": None,
    "rt": False,
    "watchdog": None,
    "critical": False,
    "ladder": Ladder(),
    "execution": None,
}


class NodeConfig(Frozen):
    """What decides which execution class runs a node, and how. Durations in nanoseconds, 0 for none."""

    budget_ns: int = 0
    deadline_ns: int = 0
    own_deadline: bool = False
    """Whether a deadline was given; else it is the budget."""
    on_miss: str = "warn"
    compute: bool | Literal["process"] = False
    on: tuple[str, ...] = ()
    priority: int | None = None
    core: int | None = None
    rt: bool | Literal["require"] = False
    watchdog_ns: int = 0
    critical: bool = False
    ladder: Ladder | None = None
    execution: str | None = None
    """The name of an execution class that is to run the node, whatever the rest says."""
    is_async: bool = False

    def with_rt(self, rt: bool | Literal["require"]) -> NodeConfig:
        """The same with its scheduler's `rt`, unless it has one or runs in a way that leaves no choice."""
        settled = self.rt or self.is_async or self.compute or self.on or self.execution
        return self if settled else self.but(rt=rt)

    @property
    def wants_rt(self) -> bool:
        """Whether the node asked for a thread of its own that keeps time."""
        return bool(
            self.rt
            or self.budget_ns
            or self.deadline_ns
            or self.priority is not None
            or self.core is not None
        )


def parse(given: Mapping[str, Any], *, is_async: bool) -> NodeConfig:
    """The configuration that a node's keywords mean.

    Raises ConfigError for values that are none, and for keywords that contradict each other.
    """
    budget = options.short_time("budget", given["budget"])
    deadline = options.short_time("deadline", given["deadline"])
    refuse_endless_budget(budget, deadline)
    config = NodeConfig(
        budget_ns=_ns(budget),
        deadline_ns=_ns(budget if deadline is None else deadline),
        own_deadline=deadline is not None,
        on_miss=_one_of("on_miss", given["on_miss"], _ON_MISS),
        compute=_one_of("compute", given["compute"], _COMPUTE),
        on=_topics(given["on"]),
        priority=_whole("priority", given["priority"], 1, _PRIORITY_MAX),
        core=_whole("core", given["core"], 0, 4095),
        rt=parse_rt(given["rt"]),
        watchdog_ns=watchdog_ns(given["watchdog"]),
        critical=_one_of("critical", given["critical"], (False, True)),
        ladder=ladder(given["ladder"]),
        execution=_execution(given["execution"]),
        is_async=is_async,
    )
    _refuse_contradictions(config)
    return config


def refuse_endless_budget(budget: float | None, deadline: float | None) -> None:
    """Raise ConfigError for a budget that cannot be used up before the deadline."""
    if budget is not None and deadline is not None and budget > deadline:
        raise ConfigError(
            f"Bad budget: expected at most the deadline of {deadline:g} s, within which the tick is to end, got "
            f"{budget!r}. Lower it, or leave it out."
        )


def parse_rt(value: Any) -> bool | Literal["require"]:
    """What `rt=` may be."""
    checked: bool | Literal["require"] = _one_of("rt", value, _RT)
    return checked


def _refuse_contradictions(config: NodeConfig) -> None:
    ways = {
        "an async tick": config.is_async,
        f"compute={config.compute!r}": bool(config.compute),
        f"on={list(config.on)!r}": bool(config.on),
    }
    chosen = [way for way, asked in ways.items() if asked]
    if len(chosen) > 1:
        raise ConfigError(f"Bad node: expected one way to run it, got {' and '.join(chosen)}. Leave one out.")
    threaded = {"rt": config.rt, "priority": config.priority is not None, "core": config.core is not None}
    asked = [f"{name}=" for name, given in threaded.items() if given]
    if asked and (config.is_async or config.compute):
        raise ConfigError(
            f"Bad node: expected {', '.join(asked)} on a node with a thread of its own, got {chosen[0]}, which "
            f"shares its threads with others. Leave one out."
        )


def watchdog_ns(value: Any) -> int:
    """How long a tick may run; 0 for None. Raises ConfigError for what is no time."""
    return _ns(options.positive_time("watchdog", value))


def _ns(seconds: float | None) -> int:
    return 0 if seconds is None else max(1, round(seconds * _NS))


def _one_of(keyword: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    if any(value is choice or (isinstance(choice, str) and value == choice) for choice in allowed):
        return value
    raise ConfigError(f"Bad {keyword}: expected one of {', '.join(map(repr, allowed))}, got {value!r}.")


def _whole(keyword: str, value: Any, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise ConfigError(f"Bad {keyword}: expected a whole number from {least} to {most}, got {value!r}.")


def _topics(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not listed or not all(isinstance(one, str) for one in listed):
        raise ConfigError(f"Bad on: expected the name of a topic or a list of names, got {value!r}.")
    return tuple(dict.fromkeys(prefix.topic(one) for one in listed))


def ladder(value: Any) -> Ladder | None:
    """A Ladder or None; raises ConfigError for anything else."""
    if value is None or isinstance(value, Ladder):
        return value
    raise ConfigError(f"Bad ladder: expected horus.Ladder(...) or None, got {value!r}.")


def _execution(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise ConfigError(f"Bad execution: expected the name of an execution class, got {value!r}.")
