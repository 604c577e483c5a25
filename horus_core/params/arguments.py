"""What packaged nodes were made with: the parameters of their functions, for tools. They stay as they are."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from horus_core.params.handle import DEFAULT
from horus_core.params.values import Rules, builtins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from horus_core.nodes.node import Node
    from horus_core.nodes.parameter import Parameter
    from horus_core.params.env import Given


class Argument(NamedTuple):
    """A parameter of a packaged function, and what it was called with."""

    parameter: Parameter
    value: Any
    layer: str
    origin: str
    nodes: tuple[weakref.ref[Node], ...]

    def living(self) -> list[str]:
        """The names of its nodes; none when these are gone."""
        return sorted({node.name for one in self.nodes if (node := one()) is not None})

    def described(self) -> dict[str, Any]:
        """What tools show of it, as of other parameters."""
        declared = self.parameter
        rules = Rules(declared.type, declared.default, declared.unit, declared.doc)
        return rules.described() | {
            "name": declared.name,
            "value": builtins(self.value),
            "layer": self.layer,
            "origin": self.origin,
            "declared": True,
            "asked": True,
            "fixed": True,
            "nodes": self.living(),
        }


_made: list[Argument] = []


def note(
    nodes: Iterable[Node],
    declared: Mapping[str, Parameter],
    values: Mapping[str, Any],
    given: Mapping[str, tuple[str, Given | None]],
) -> None:
    """These nodes were made with these values, given by these."""
    references = tuple(weakref.ref(node) for node in nodes)
    for name, parameter in declared.items():
        layer, one = given.get(name, (DEFAULT, None))
        _made.append(
            Argument(parameter, values[name], layer, DEFAULT if one is None else one.origin, references)
        )


def all_of() -> list[Argument]:
    """Of all packaged nodes that are there."""
    _made[:] = [one for one in _made if one.living()]
    return list(_made)
