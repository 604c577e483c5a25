"""Parameters over the control topics of schedulers: GetParams, SetParam, DeleteParam.

    {"cmd": "GetParams"}                                                all of them
    {"cmd": "GetParams", "first": 7, "most": 1}                         some of them, by their number
    {"cmd": "SetParam", "name": "max_speed", "text": "1.5"}             as a user writes it
    {"cmd": "SetParam", "name": "max_speed", "value": 1.5}              as what it is
    {"cmd": "SetParam", "values": {"max_speed": {"value": 1.5}, ...}}   all of them or none

SetParam is for names that somebody here reads; with "new" true for others, too. With "check" true it only tells
whether it would do. After "expires_ns" (CLOCK_MONOTONIC) nothing is set: a process that was stopped meanwhile must
not take hours later what nobody wants any more. Answers hold `params`, each as RuntimeParam.described() has it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from horus_core.errors import HorusTimeoutError, ParamError
from horus_core.params import arguments, env
from horus_core.params.store import STORE, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.control.commands import Request
    from horus_core.params.env import Given

_NS = 1e9
_MOST_WHO = 80


class UnknownParamError(ParamError):
    """Names that nobody in this process reads."""

    def __init__(self, unknown: dict[str, str]) -> None:
        super().__init__(unknown)
        self.unknown = unknown

    def __str__(self) -> str:
        return "\n".join(self.unknown.values())

    @property
    def answer(self) -> dict[str, Any]:
        """What the answer says besides."""
        return {"unknown": self.unknown}


def get_params(request: Request) -> dict[str, Any]:
    """What is known here, by name, how much that is, and the nodes of this scheduler.

    One by one they fit an answer for which there is no memory but a slot of the topic.
    """
    known = STORE.known()
    declared = {param.name for param in known if param.declared}
    fixed = [one for one in arguments.all_of() if one.parameter.name not in declared]
    read = {one.parameter.name for one in fixed}  # what gave these their values gives them to nobody else
    described = [param.described() for param in known if param.asked or param.name not in read]
    described += [one.described() for one in fixed]
    described.sort(key=lambda one: (one["name"], not one["fixed"], one["nodes"]))
    first = int(request.number("first")) if "first" in request.fields else 0
    most = int(request.number("most")) if "most" in request.fields else len(described)
    return {
        "params": described[first : first + most] if first >= 0 <= most else [],
        "count": len(described),
        "nodes": request.target.get_node_names(),
    }


def set_params(request: Request) -> dict[str, Any]:
    """Set one or several of them. Validators and callbacks run on this thread."""
    confirm = _in_time(request)
    wanted = _wanted(request)
    if not request.flag("new"):
        _refuse_unread(wanted)
    if request.flag("check"):
        STORE.check_all(wanted)
        return {"params": []}
    return {"params": [param.described() for param in STORE.set_all(wanted, confirm)]}


def delete_param(request: Request) -> dict[str, Any]:
    """Forget what was set at runtime."""
    confirm = _in_time(request)
    name = request.text("name")
    if STORE.find(name) is None:
        _refuse_unread([name])
    deleted = STORE.delete(name, confirm)
    param = STORE.find(name)
    return {"deleted": deleted, "params": [] if param is None else [param.described()]}


def _in_time(request: Request) -> Callable[[], None]:
    """What raises when it is too late for what was asked."""
    until_ns = time.monotonic_ns() + request.timeout_s * _NS
    if "expires_ns" in request.fields:
        until_ns = min(until_ns, request.number("expires_ns"))

    def confirm() -> None:
        if time.monotonic_ns() > until_ns:
            raise HorusTimeoutError(
                f"{request.cmd} came too late, or its validator took too long: nothing was set."
            )

    confirm()
    return confirm


def _wanted(request: Request) -> dict[str, Given]:
    """What to set, by name."""
    who = request.fields.get("from")
    who = who[:_MOST_WHO] if isinstance(who, str) and who.isprintable() else "a control message"
    values = request.fields.get("values")
    if values is None:
        return {request.text("name"): _given(request, request.fields, who)}
    if not isinstance(values, dict) or not all(isinstance(one, dict) for one in values.values()):
        raise request.bad("values", "names and what to set them to")
    return {str(name): _given(request, one, who) for name, one in values.items()}


def _given(request: Request, fields: Any, who: str) -> Given:
    text = fields.get("text")
    if isinstance(text, str):
        return env.from_text(text, who)
    if "value" not in fields or text is not None:
        raise request.bad("value", "there (or 'text', as text)")
    value = fields["value"]
    return env.Given(value, who)


def _refuse_unread(wanted: Any) -> None:
    """Raise for names that nobody reads: a value that changes nothing must not look like one that does."""
    fixed = {one.parameter.name: one for one in arguments.all_of()}
    refused, unknown = {}, {}
    for name in wanted:
        param = STORE.find(name)
        if param is not None and param.asked:
            continue
        if name in fixed:
            nodes = ", ".join(fixed[name].living())
            refused[name] = (
                f"Bad parameter {name!r}: expected one that can be set while nodes run, got one that node {nodes} "
                f"was made with. Start it anew with --param {name}=..., or {env.variable(name)}."
            )
        elif param is not None:
            unknown[name] = (
                f"Unknown parameter: nothing in this process reads {name!r}, though {param.origin} gives it a value."
            )
        else:
            near = STORE.nearest(name)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            unknown[name] = f"Unknown parameter: nothing in this process reads {name!r}.{hint}"
    if refused:
        raise RefusedError(refused)
    if unknown:
        raise UnknownParamError(unknown)
