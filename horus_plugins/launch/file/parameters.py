"""The parameters and the environment that a launch file gives a node."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from horus_core.params import env as given
from horus_plugins.launch.file.problems import Place, shown
from horus_plugins.launch.file.substitution import Scope, as_text, substitute
from horus_plugins.launch.file.values import Scalar, Sequence, Value

if TYPE_CHECKING:
    from collections.abc import Mapping as AnyMapping

    from horus_plugins.launch.file.expanding import Bound
    from horus_plugins.launch.file.problems import Problems

OURS = {
    "HORUS_NAMESPACE": "`namespace` of the file",
    "HORUS_NODE_NAME": "`name`",
    "HORUS_NODE_NAMESPACE": "`namespace` of the node",
    "HORUS_NODE_RATE": "`rate_hz`",
    given.JSON: "`params`",
}
"""Variables that a launch sets itself, and the key that says what to."""
MAX_VARIABLE = 128 * 1024 - 1
"""Bytes of `NAME=value` that Linux gives a process (MAX_ARG_STRLEN)."""
PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_VARIABLE = re.compile(r"[^=\0]+")


class Params:
    """A node's parameters, each replaced when it is asked for: one may refer to another."""

    def __init__(
        self, bound: AnyMapping[str, Bound], sets: AnyMapping[str, Any], what: str, problems: Problems
    ) -> None:
        self._bound = bound
        self._what = what
        self._problems = problems
        self._sets = sets
        self._values: dict[str, Any] = dict(sets)
        self._under_way: list[str] = []

    def value(self, name: str) -> Any:
        """The value; raises KeyError for a parameter that there is not, ValueError for one that refers to itself."""
        if name in self._values:
            return self._values[name]
        bound = self._bound[name]
        if name in self._under_way:
            chain = " -> ".join([*self._under_way[self._under_way.index(name) :], name])
            raise ValueError(f"expected parameters that do not refer to themselves, got {chain}.")
        self._under_way.append(name)
        try:
            scope = Scope(bound.scope.environ, bound.scope.loops, self.value)
            value = substitute(bound.entry.value, scope, self._problems)
        finally:
            self._under_way.pop()
        self._check(name, value)
        self._values[name] = value.plain()
        return self._values[name]

    def all(self) -> dict[str, Any]:
        """All of them, in the order of the file; those of the command line last."""
        self._check_names()
        return {name: self.value(name) for name in [*self._bound, *(set(self._values) - set(self._bound))]}

    def places(self, node: str) -> dict[str, Place]:
        """Where the value of each stands."""
        said = {name: Place(f"--set {node}.{name}", 0, 0) for name in self._sets}
        return {name: bound.entry.value.place for name, bound in self._bound.items()} | said

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for name, bound in self._bound.items():
            variable = given.variable(name)
            if not PARAM.fullmatch(name):
                self._problems.add(
                    bound.entry.place,
                    f"params of {self._what}: expected a name of letters, digits and _ . -, got {shown(name)}.",
                )
            elif seen.setdefault(variable, name) != name:
                self._problems.add(
                    bound.entry.place,
                    f"params of {self._what}: expected names that differ in {variable}, got {name!r} and "
                    f"{seen[variable]!r}.",
                )

    def _check(self, name: str, value: Value) -> None:
        if isinstance(value, Scalar):
            if value.value is None:
                self._problems.add(
                    value.place,
                    f'params of {self._what}: expected a value for {name!r}, got nothing. Empty text is "".',
                )
            return
        for one in value.items if isinstance(value, Sequence) else (e.value for e in value.entries.values()):
            self._check(name, one)


def environment(
    bound: AnyMapping[str, Bound], params: Params, what: str, problems: Problems
) -> dict[str, str]:
    """The variables, as texts; numbers as they are written."""
    found = {}
    for name, one in bound.items():
        scope = Scope(one.scope.environ, one.scope.loops, params.value)
        value = substitute(one.entry.value, scope, problems)
        if not _VARIABLE.fullmatch(name) or name in OURS:
            instead = f" Use {OURS[name]} for it." if name in OURS else ""
            problems.add(
                one.entry.place,
                f"env of {what}: expected a variable that HORUS does not set, got {shown(name)}.{instead}",
            )
        elif not isinstance(value, Scalar) or value.value is None:
            problems.add(
                value.place,
                f'env of {what}: expected text for {name!r}, got {shown(value.plain())}. Empty text is "".',
            )
        else:
            found[name] = text(value)
    return found


def text(value: Scalar) -> str:
    """The value as text: a number as it is written, so that 1.0 stays 1.0."""
    if isinstance(value.value, (bool, str)):
        return as_text(value.value)
    return value.text


def variables(params: AnyMapping[str, Any]) -> dict[str, str]:
    """What tells a process its parameters; nothing for none."""
    if not params:
        return {}
    mirror = {given.variable(name): given.mirror(value) for name, value in params.items()}
    return {**mirror, given.JSON: json.dumps(params, ensure_ascii=False)}


def too_long(environment: AnyMapping[str, str]) -> str | None:
    """The name of a variable that no process can be given."""
    return next(
        (name for name, text in environment.items() if len(name) + len(text.encode()) + 1 > MAX_VARIABLE),
        None,
    )
