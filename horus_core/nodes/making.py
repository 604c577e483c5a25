"""From a packaged function to nodes: values for its parameters, the call, and what it must return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError, ParamError, PluginError
from horus_core.nodes.node import Node
from horus_core.nodes.parameter import parameters
from horus_core.params import arguments, env
from horus_core.params.handle import ARGUMENT, DEFAULT
from horus_core.params.store import STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from horus_core.nodes.parameter import Parameter


def make_nodes(function: Callable[..., Any], /, **values: Any) -> list[Node]:
    """The nodes that a packaged function makes with these parameters, defaults for the others.

    For tests, and for nodes of a package beside your own in one process. Raises ParamError for a parameter that it
    has not, or a value of another type.
    """
    return make(function, {name: env.Given(value, "make_nodes()") for name, value in values.items()})


def make(
    function: Any, given: Mapping[str, env.Given], *, what: str = "", environment: bool = False
) -> list[Node]:
    """The nodes that it makes with what was given, else what environment or file give, else its defaults.

    `what` names the function in errors. Raises ParamError, or PluginError for a function that makes no nodes.
    """
    what = what or getattr(function, "__qualname__", repr(function))
    if not callable(function):
        raise PluginError(
            f"Making the nodes of {what} failed: expected a function that returns a node, got {function!r}."
        )
    declared = parameters(function, what)
    refuse_unknown(given, declared, what)
    found = {name: _given(name, given, environment=environment) for name in declared}
    values = _values(declared, found, what)
    nodes = _checked(function(**values), what)
    if environment:
        arguments.note(nodes, declared, values, found)
    return nodes


def refuse_unknown(given: Iterable[str], declared: Iterable[str], what: str) -> None:
    """Raise ParamError for parameters that are not declared, with the nearest that are."""
    declared = sorted(declared)
    for name in given:
        if name not in declared:
            import difflib  # noqa: PLC0415 - only for an error's text

            near = difflib.get_close_matches(name, declared, n=1)
            known = f"one of {', '.join(declared)}" if declared else "none, for there are none"
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParamError(f"Unknown parameter of {what}: expected {known}, got {name!r}.{hint}")


def _given(name: str, given: Mapping[str, env.Given], *, environment: bool) -> tuple[str, env.Given | None]:
    """From where, and what."""
    if name in given:
        return ARGUMENT, given[name]
    return STORE.given(name) if environment else (DEFAULT, None)


def _values(
    declared: Mapping[str, Parameter], given: Mapping[str, tuple[str, env.Given | None]], what: str
) -> dict[str, Any]:
    values = {}
    for name, parameter in declared.items():
        _, value = given[name]
        if value is not None:
            values[name] = parameter.convert(value)
        elif parameter.required:
            raise ParamError(
                f"Missing parameter of {what}: expected a value for {name!r} ({parameter.type_name}), which has no "
                f"default, got none. Give one: --param {name}=..., or {env.variable(name)}."
            )
        else:
            values[name] = parameter.default
    return values


def _checked(made: Any, what: str) -> list[Node]:
    nodes = [made] if isinstance(made, Node) else list(made) if isinstance(made, (list, tuple)) else []
    if not nodes or not all(isinstance(node, Node) for node in nodes):
        if hasattr(made, "close") and hasattr(made, "send"):
            made.close()  # a coroutine or generator would complain that nobody awaited it
        raise PluginError(
            f"Making the nodes of {what} failed: expected a Node or a list of Nodes, got {made!r}. Return what "
            f"horus.Node(...) makes."
        )
    unready = [node for node in nodes if not hasattr(node, "_horus")]
    if unready:
        raise PluginError(
            f"Making the nodes of {what} failed: expected nodes that are ready, got a {type(unready[0]).__name__} "
            f"whose __init__ never called super().__init__(...). Call it first there."
        )
    return nodes


def refuse_two_of_a_name(nodes: Iterable[tuple[str, Node]]) -> None:
    """Raise ConfigError when two of the (function, node) have one name."""
    seen: dict[str, str] = {}
    for what, node in nodes:
        if node.name in seen:
            raise ConfigError(
                f"Making nodes failed: expected a name for each, got {node.name!r} from {seen[node.name]} and from "
                f"{what}. Run one of them, or give their nodes names of their own."
            )
        seen[node.name] = what
