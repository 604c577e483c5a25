"""What is told of a launch file without starting it: its nodes, its problems."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from horus_plugins.launch.file.launch_file import LaunchFile
from horus_plugins.launch.file.plan import Condition, Plan, Policy  # noqa: TC001 - msgspec looks at them
from horus_plugins.launch.file.problems import Problems

if TYPE_CHECKING:
    from pathlib import Path

    from horus_plugins.launch.file.launch_file import Choice


class Problem(msgspec.Struct):
    """Something that is wrong; line and column are 0 for what stands in no line."""

    file: str
    line: int
    column: int
    text: str


class Checked(msgspec.Struct):
    """Whether a launch file can be started as it stands."""

    file: str
    ok: bool
    nodes: list[str]
    """In the order of their start; none where there are problems."""
    problems: list[Problem] = []
    warnings: list[str] = []


class Wait(msgspec.Struct):
    """A node that another waits for, and until when."""

    node: str
    condition: Condition


class ListedNode(msgspec.Struct):
    """A node, what it is and what it waits for."""

    name: str
    kind: str
    place: str
    """file:line."""
    depends_on: list[Wait]
    priority: int
    start_delay_s: float
    restart: Policy


class Listing(msgspec.Struct):
    """The nodes of a launch file, in the order of their start."""

    session: str
    namespace: str
    file: str
    nodes: list[ListedNode]


def check(path: str | Path, choice: Choice) -> Checked:
    """Read and plan the file; what is wrong with it is in the answer."""
    problems = Problems(str(path))
    made = LaunchFile(path, os.environ, problems).planned(problems, choice, look_into=True)
    found = [Problem(place.file, place.line, place.column, text) for place, text in problems.listed()]
    names = [] if found else [one.name for one in made.nodes]
    return Checked(str(path), not found, names, found, list(made.warnings))


def listing(plan: Plan) -> Listing:
    """The nodes of a plan without what they run."""
    return Listing(
        plan.session,
        plan.namespace,
        plan.file,
        [
            ListedNode(
                one.name,
                one.kind,
                plan.places.get(one.name, ""),
                [Wait(wait.node, wait.condition) for wait in one.depends_on],
                one.priority,
                one.start_delay_s,
                one.restart.policy,
            )
            for one in plan.nodes
        ],
    )
