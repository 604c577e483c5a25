"""The order in which nodes start: after what they depend on, by priority, then as they are written."""

from __future__ import annotations

import fnmatch
import heapq
from dataclasses import replace
from typing import TYPE_CHECKING

from horus_plugins.launch.file.plan import Dependency
from horus_plugins.launch.file.problems import nearest, shown
from horus_plugins.launch.file.values import Mapping, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.launch.file.nodes import LaunchNode
    from horus_plugins.launch.file.problems import Place, Problems


def unique(nodes: Iterable[LaunchNode], problems: Problems) -> dict[str, LaunchNode]:
    """The sound ones by name; one whose name is taken is noted, and left out."""
    found: dict[str, LaunchNode] = {}
    for node in nodes:
        if not node.sound:
            continue
        first = found.setdefault(node.name, node)
        if first is not node:
            problems.add(
                node.place("name"),
                f"expected each name once, got {node.name!r} again: {first.place('name').short} has it, too.",
            )
    return found


def linked(nodes: dict[str, LaunchNode], known: Iterable[str], problems: Problems) -> dict[str, LaunchNode]:
    """The same with full names in depends_on. `known` are all names, also of nodes that have problems."""
    everybody = set(known)
    return {
        name: replace(node, depends_on=tuple(_links(node, everybody, problems)))
        for name, node in nodes.items()
    }


def _links(node: LaunchNode, known: set[str], problems: Problems) -> Iterable[Dependency]:
    seen = set()
    for number, one in enumerate(node.depends_on):
        full = _full(one.node, node.groups, known)
        place = _place(node, one.node, number)
        if full is None:
            hint = nearest(one.node, [*known, *(other.rpartition(".")[2] for other in known)])
            problems.add(
                place, f"depends_on of node {node.name!r}: expected a node, got {shown(one.node)}.{hint}"
            )
        elif full in seen:
            problems.add(place, f"depends_on of node {node.name!r}: expected each once, got {full!r} again.")
        else:
            seen.add(full)
            yield Dependency(full, one.condition)


def _full(name: str, groups: tuple[str, ...], known: set[str]) -> str | None:
    """The node that is meant: of the same group, else of those around it."""
    for depth in range(len(groups), -1, -1):
        full = ".".join([*groups[:depth], name])
        if full in known:
            return full
    return None


def _place(node: LaunchNode, name: str, number: int) -> Place:
    value = node.mapping.get("depends_on")
    if isinstance(value, Sequence):
        return value.items[number].place
    return value.key_place(name) if isinstance(value, Mapping) else node.place("depends_on")


def check_cycles(nodes: dict[str, LaunchNode], problems: Problems) -> None:
    """Note each circle of nodes that wait for each other."""
    done: set[str] = set()
    for start in nodes:
        _walk(start, nodes, done, problems)


def _walk(start: str, nodes: dict[str, LaunchNode], done: set[str], problems: Problems) -> None:
    path = [start]
    left = [_needs(start, nodes)]
    while path:
        if path[-1] in done or not left[-1]:
            done.add(path.pop())
            left.pop()
            continue
        following = left[-1].pop(0)
        if following in path:
            circle = [*path[path.index(following) :], following]
            problems.add(
                nodes[following].place("depends_on"),
                f"depends_on: expected no circle, got {' -> '.join(circle)}: none of them could start.",
            )
        elif following not in done:
            path.append(following)
            left.append(_needs(following, nodes))


def _needs(name: str, nodes: dict[str, LaunchNode]) -> list[str]:
    return [one.node for one in nodes[name].depends_on if one.node in nodes]


def ordered(nodes: dict[str, LaunchNode]) -> list[LaunchNode]:
    """Topologically; of those that may start, the lowest priority first, then the first in the file; circles last."""
    number = {name: (node.priority, index) for index, (name, node) in enumerate(nodes.items())}
    waiting = {name: set(_needs(name, nodes)) for name in nodes}
    dependents: dict[str, list[str]] = {name: [] for name in nodes}
    for name, needs in waiting.items():
        for need in needs:
            dependents[need].append(name)
    ready = [(number[name], name) for name, needs in waiting.items() if not needs]
    heapq.heapify(ready)
    found = []
    while ready:
        name = heapq.heappop(ready)[1]
        found.append(nodes[name])
        for other in dependents[name]:
            waiting[other].discard(name)
            if not waiting[other]:
                heapq.heappush(ready, (number[other], other))
    return [*found, *(node for node in nodes.values() if node not in found)]


def matching(pattern: str, known: Iterable[str]) -> list[str]:
    """The names that a word of --only or --except means: a name, or a pattern such as `r1.*`."""
    return [name for name in known if name == pattern or fnmatch.fnmatchcase(name, pattern)]


def with_dependencies(wanted: Iterable[str], nodes: dict[str, LaunchNode]) -> set[str]:
    """These, what they depend on, what that depends on, and so on."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _needs(name, nodes)
    return found
