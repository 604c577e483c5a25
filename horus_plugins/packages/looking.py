"""Looking into a package, in a process that may end or hang by it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import HorusError
from horus_core.nodes.parameter import parameters
from horus_plugins.packages.installed import split
from horus_plugins.packages.loading import load, nodes_of
from horus_plugins.packages.report import FunctionReport, NodeReport, ParameterReport, Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.nodes.node import Node
    from horus_core.nodes.parameter import Parameter
    from horus_core.nodes.wiring import Declared
    from horus_plugins.packages.settings import Settings


def look(
    word: str, settings: Settings, write: Callable[[FunctionReport], None], *, check_s: float | None
) -> None:
    """Tell of the function behind `distribution:node`, each time more is known; with `check_s` run it for so long."""
    report = FunctionReport(split(word)[1], "")
    try:
        function = load(word)
        report.doc = (inspect.getdoc(function) or "").partition("\n")[0] if callable(function) else ""
        if callable(function):
            report.parameters = [_parameter(one) for one in parameters(function, word).values()]
        write(report)  # the function itself may hang
        nodes = nodes_of([word], settings)
        report.nodes = [describe(node) for node in nodes]
        write(report)
        if check_s is not None:
            from horus_plugins.packages.checking import check  # noqa: PLC0415 - needs a scheduler

            report.check = check(nodes, report.nodes, check_s)
    except HorusError as error:
        report.error = str(error)
    write(report)


def describe(node: Node) -> NodeReport:
    """What the node declares."""
    parts = node._horus  # noqa: SLF001 - of the house
    pubs, subs = parts.wiring.declarations()
    rate = None if parts.config.on else parts.rate
    return NodeReport(node.name, rate, [_topic(one) for one in pubs], [_topic(one) for one in subs])


def _topic(declared: Declared) -> Topic:
    return Topic(declared.topic, "" if declared.type is None else declared.type.__name__)


def _parameter(parameter: Parameter) -> ParameterReport:
    return ParameterReport(
        parameter.name,
        parameter.type_name,
        _plain(parameter.default),
        parameter.required,
        parameter.unit,
        parameter.doc,
    )


def _plain(value: Any) -> Any:
    """The default as JSON can have it."""
    try:
        return msgspec.to_builtins(value, enc_hook=str)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return repr(value)
