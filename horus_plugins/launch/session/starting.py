"""What may start: whose dependencies are there, whose delay is over, and how many at once."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from horus_plugins.launch.session.discovery import may_become_scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_plugins.launch.file.plan import Dependency
    from horus_plugins.launch.session.discovery import Found
    from horus_plugins.launch.session.unit import Unit

AT_ONCE = 2 * (os.cpu_count() or 1)
"""Processes that work at their start at the same time: more of them only slow each other down."""
A_TURN = "its turn"
_LIFE_S = 1.0
_IMPORTING_S = 10.0
_SETTLED_S = 0.05


class NeverReady(Exception):  # noqa: N818 - it tells a state
    """What a node waits for will not come, in words."""


def waits_for(unit: Unit, units: Mapping[str, Unit]) -> str:
    """What the start of a node waits for, in words; "" when all is there. Raises NeverReady."""
    missing = [why for one in unit.plan.depends_on if (why := _missing(one, units))]
    return ", ".join(missing)


def busy(units: Mapping[str, Unit]) -> int:
    """How many processes work at their start just now."""
    return sum(
        unit.status == "starting" and not unit.ready and unit.is_busy(_SETTLED_S) for unit in units.values()
    )


def is_ready(unit: Unit, found: list[Found]) -> bool:
    """Whether a process that lives is ready: its schedulers run, or it has lived for a second without any.

    One of a package has a scheduler, sooner or later. Another one that has HORUS loaded may still be importing what
    it needs: that takes ten seconds at most, or it counts as one without.
    """
    child = unit.living
    if child is None:
        return False
    if found:
        return all(one.ready for one in found)
    if unit.plan.kind == "package" or child.age_s < _LIFE_S:
        return False
    return child.age_s >= _IMPORTING_S or not may_become_scheduler(child.pid)


def readiness_of(unit: Unit) -> str:
    """What is waited for before the process counts as ready, in words."""
    if unit.row.schedulers:
        return f"the nodes of its scheduler {unit.row.schedulers[0].name!r} to have started"
    return "its scheduler to run, or a second of life without any"


def _missing(dependency: Dependency, units: Mapping[str, Unit]) -> str:
    name, condition = dependency.node, dependency.condition
    unit = units.get(name)
    if unit is None:
        raise NeverReady(f"{name!r}, which is not there any more")
    if condition == "started" and unit.row.started_ns:
        return ""
    if condition == "completed":
        return _completion(unit)
    if unit.ready or _has_completed(unit):
        return ""
    _require_hope(unit, "ready")
    child = unit.living
    if child is not None and child.age_s > unit.plan.ready_timeout_s:
        raise NeverReady(
            f"{name!r} to be ready, which it was not within {unit.plan.ready_timeout_s:g} s "
            f"(pid {child.pid}; expected {readiness_of(unit)})"
        )
    return f"{name!r} to be {condition}"


def _has_completed(unit: Unit) -> bool:
    """Whether it has done what it had to do: such a one is ready, however short its life was."""
    end = unit.row.last_exit
    return unit.status == "stopped" and end is not None and end.code == 0 and not end.asked


def _completion(unit: Unit) -> str:
    if _has_completed(unit):
        return ""
    _require_hope(unit, "completed")
    return f"{unit.name!r} to exit with code 0"


def _require_hope(unit: Unit, condition: str) -> None:
    """Raise NeverReady when the node is over for good."""
    if not unit.over:
        return
    end = unit.row.last_exit
    how = "was not started" if unit.status == "failed" or end is None else f"is over: {end.text}"
    raise NeverReady(f"{unit.name!r} to be {condition}, which {how}")


def is_due(unit: Unit) -> bool:
    """Whether the start delay is over, which runs from the moment that all it depends on is there."""
    now = time.monotonic()
    if unit.begin_at is None:
        unit.begin_at = now + unit.plan.start_delay_s
    return now >= unit.begin_at
