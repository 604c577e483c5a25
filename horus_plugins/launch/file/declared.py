"""The parameters of packaged nodes against what these declare: in a file's own place, and before anything starts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from horus_core.errors import LaunchError
from horus_plugins.launch.file.problems import nearest
from horus_plugins.packages import declared
from horus_plugins.packages.installed import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.launch.file.nodes import LaunchNode
    from horus_plugins.launch.file.problems import Problems

_ALIKE = 0.8


def check(nodes: Iterable[LaunchNode], problems: Problems) -> list[str]:
    """Note each value that its package would refuse; what is to be said besides.

    A parameter that is not declared is no problem: the code of the package may ask for it by itself.
    """
    asked: list[tuple[LaunchNode, declared.Asked]] = []
    for node in nodes:
        with suppress(LaunchError):  # that there is no such package was noted
            package = find(node.package) if node.package and node.params else None
            if package is not None:
                asked.append((node, declared.Asked(package.words, node.params)))
    said = []
    answers = declared.ask([one for _, one in asked]) if asked else []
    for (node, _), answer in zip(asked, answers, strict=True):
        for name, why in answer.refused.items():
            problems.add(node.param_places[name], f"params of {node.label}: {why}")
        if answer.unknown:
            said.append(f"params of {node.label} were not checked: {answer.unknown}")
        for name in node.params.keys() - set(answer.declared) if answer.declared else ():
            hint = nearest(name, set(answer.declared) - node.params.keys(), cutoff=_ALIKE)
            if hint:
                place = node.param_places[name].short
                said.append(f"{place}: params of {node.label}: its package declares no {name!r}.{hint}")
    return said
