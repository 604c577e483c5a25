"""From a node of a file to a process that can be started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from horus_core.backends import registry
from horus_core.nodes import placement
from horus_core.shm import namespace
from horus_plugins.launch.file.parameters import too_long, variables
from horus_plugins.launch.file.plan import PlannedNode
from horus_plugins.launch.file.problems import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from horus_plugins.launch.file.nodes import LaunchNode
    from horus_plugins.launch.file.problems import Problems
    from horus_plugins.launch.file.programs import Programs

NODE_NAME = "HORUS_NODE_NAME"
NODE_NAMESPACE = "HORUS_NODE_NAMESPACE"


def planned(node: LaunchNode, where: str, programs: Programs, problems: Problems) -> PlannedNode | None:
    """The process of a node; None when it cannot be started, which is noted."""
    cwd = _folder(node, problems)
    program = programs.of(node, cwd) if cwd is not None else None
    environment = _environment(node, where, problems)
    if cwd is None or program is None:
        return None
    return PlannedNode(
        name=node.name,
        kind=program.kind,
        command=program.words,
        environment=environment,
        cwd=str(cwd),
        depends_on=node.depends_on,
        priority=node.priority,
        start_delay_s=node.start_delay,
        ready_timeout_s=node.ready_timeout,
        restart=node.restart,
        on_exit=node.on_exit,
        prefix=node.prefix,
        rate_hz=node.rate_hz,
        params=node.params,
    )


def without(node: PlannedNode, kept: set[str]) -> PlannedNode:
    """The same, waiting only for those that are started, too."""
    left = tuple(one for one in node.depends_on if one.node in kept)
    return node if left == node.depends_on else msgspec.structs.replace(node, depends_on=left)


def warnings(nodes: Sequence[LaunchNode]) -> list[str]:
    """What a user should know and no single line is wrong about."""
    local = os.environ.get(registry.VARIABLE) == registry.LOCAL
    if local and len(nodes) > 1:
        return [f"{registry.VARIABLE}=local: each process keeps its topics to itself; they share none."]
    return []


def _folder(node: LaunchNode, problems: Problems) -> Path | None:
    folder = Path(os.path.normpath(node.folder / Path(node.cwd or ".").expanduser()))
    if folder.is_dir():
        return folder
    siblings = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
    problems.add(
        node.place("cwd"),
        f"cwd of {node.label}: expected a folder, got {shown(node.cwd)}: there is none at {folder}."
        f"{nearest(folder.name, siblings)}",
    )
    return None


def _environment(node: LaunchNode, where: str, problems: Problems) -> dict[str, str]:
    params = variables(node.params)
    for name in params.keys() & node.env.keys():
        problems.add(
            node.place("env"),
            f"env of {node.label}: expected {name} once, got it here and by `params`.",
        )
    ours = {NODE_NAME: node.name, namespace.VARIABLE: where}
    # A launch file that is launched by another, as a node of a group, stays inside of that group.
    around = os.environ.get(NODE_NAMESPACE, "").strip("/")
    if node.prefix:
        ours[NODE_NAMESPACE] = f"{around}/{node.prefix}" if around else node.prefix
    if node.rate_hz is not None:
        ours[placement.RATE] = f"{node.rate_hz:.12g}"
    found = {**ours, **params, **node.env}
    long = too_long(found)
    if long is not None:
        problems.add(
            node.place("params", "env"),
            f"{node.label}: expected variables of less than 128 KiB, got {long} of "
            f"{len(found[long])} characters. "
            f"Put the data into a file.",
        )
    return found
