"""What a session does when it is asked on its control topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from horus_core.control.commands import Commands
from horus_core.errors import LaunchError, NodeError
from horus_core.plugins.reasons import nearest
from horus_plugins.launch.file.plan import Plan
from horus_plugins.launch.session import reloading
from horus_plugins.launch.session.control import Later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_core.control.commands import Request
    from horus_plugins.launch.manifest import LaunchedScheduler
    from horus_plugins.launch.session.session import Session
    from horus_plugins.launch.session.unit import Unit

_FORWARDED = ("PauseNode", "ResumeNode", "SetNodeRate", "GetParams", "SetParam", "DeleteParam")


def commands(session: Session) -> Commands:
    """The commands of a session. The `target` of a request takes an answer that comes later."""
    known = Commands()
    handlers = _Handlers(session)
    for cmd, handler in {
        "Ping": handlers.ping,
        "Status": handlers.status,
        "StopSession": handlers.stop_session,
        "StopNode": handlers.stop_node,
        "RestartNode": handlers.restart_node,
        "StopProcess": handlers.stop_process,
        "RestartProcess": handlers.restart_process,
        "Reload": handlers.reload,
    }.items():
        known.register(cmd, handler)
    for cmd in _FORWARDED:
        known.register(cmd, handlers.forward)
    return known


class _Handlers:
    """What is done for each command. `node` is a node of a scheduler first, and a launched one else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ping(self, _request: Request) -> None:
        """Answers."""

    def status(self, _request: Request) -> Mapping[str, Any]:
        """The manifest."""
        found: Mapping[str, Any] = {"manifest": msgspec.to_builtins(self._session.books.manifest)}
        return found

    def stop_session(self, request: Request) -> None:
        """Begin to stop everything; the manifest goes when it is done."""
        self._session.stop(f"asked by {request.fields.get('from', 'somebody')}")

    def stop_process(self, request: Request) -> Mapping[str, Any]:
        """Begin to stop the process that the launch file has under this name. It is not restarted."""
        unit = self._unit(request)
        self._session.stop_unit(unit)
        return {"process": unit.name}

    def restart_process(self, request: Request) -> Mapping[str, Any]:
        """Stop the process, if it lives, and start it again. One that was never started waits on, or anew."""
        self._require_no_stop(request.cmd)
        unit = self._unit(request)
        self._session.stop_unit(unit, again=True)
        return {
            "process": unit.name,
            "waiting": unit.status == "waiting",
            "waiting_for": unit.row.waiting_for,
        }

    def stop_node(self, request: Request) -> Mapping[str, Any]:
        """Remove a node from its scheduler. If it was the process's last, its end is no reason to restart it."""
        found = self._scheduler_of(request.text("node"))
        if found is None:
            return self.stop_process(request)
        unit, scheduler = found
        last = sum(len(one.nodes) for one in unit.row.schedulers) == 1
        if last:
            _expect_end(unit)

        def told(outcome: Mapping[str, Any] | BaseException) -> None:
            if not _is_ok(outcome):
                unit.held = unit.held and not last
            else:
                _forget(unit, request.text("node"))
            request.target(_passed_on(outcome, unit))

        raise self._ask(scheduler, request, told)

    def restart_node(self, request: Request) -> Mapping[str, Any]:
        """Have a scheduler shut a node down and initialise it; a launched node that is none of them is restarted."""
        self._require_no_stop(request.cmd)
        if self._scheduler_of(request.text("node")) is None:
            return self.restart_process(request)
        return self.forward(request)

    def reload(self, request: Request) -> Mapping[str, Any]:
        """Go over to the plan in `plan` (JSON): what differs is started, stopped or restarted."""
        self._require_no_stop(request.cmd)
        try:
            plan = msgspec.json.decode(request.text("plan"), type=Plan)
        except msgspec.MsgspecError as error:
            raise LaunchError(
                f"Reload failed: expected a plan as JSON, got something else: {error}."
            ) from None
        own = self._session.plan
        if (plan.session, plan.namespace) != (own.session, own.namespace):
            raise LaunchError(
                f"Reload failed: expected session {own.session!r} in namespace {own.namespace!r}, got "
                f"{plan.session!r} in {plan.namespace!r}. Stop this session and launch the other."
            )
        return reloading.adopt(self._session, plan)

    def forward(self, request: Request) -> NoReturn:
        """Pass the question on to the scheduler that runs the node."""
        name = request.text("node")
        found = self._scheduler_of(name)
        if found is None:
            raise NodeError(self._nobody(request.cmd, name))
        unit, scheduler = found
        raise self._ask(scheduler, request, lambda outcome: request.target(_passed_on(outcome, unit)))

    def _ask(self, scheduler: LaunchedScheduler, request: Request, told: Any) -> Later:
        fields = {key: value for key, value in request.fields.items() if key not in ("id", "timeout_s")}
        self._session.lines.ask(scheduler.control_topic, fields, request.timeout_s, told)
        return Later()

    def _unit(self, request: Request) -> Unit:
        name = request.text("node")
        unit = self._session.units.get(name)
        if unit is None:
            raise NodeError(self._nobody(request.cmd, name))
        return unit

    def _scheduler_of(self, node: str) -> tuple[Unit, LaunchedScheduler] | None:
        for unit in self._session.units.values():
            for scheduler in unit.row.schedulers:
                if node in scheduler.nodes:
                    return unit, scheduler
        return None

    def _nobody(self, cmd: str, name: str) -> str:
        units = self._session.units
        known = [
            *units,
            *(node for unit in units.values() for one in unit.row.schedulers for node in one.nodes),
        ]
        unique = list(dict.fromkeys(known))
        return (
            f"{cmd} failed: expected a node of session {self._session.plan.session!r} ({', '.join(unique)}), got "
            f"{name!r}.{nearest(name, unique)}"
        )

    def _require_no_stop(self, cmd: str) -> None:
        if self._session.stopping:
            raise LaunchError(
                f"{cmd} failed: session {self._session.plan.session!r} is being stopped ({self._session.stopping})."
            )


def _expect_end(unit: Unit) -> None:
    """Its last node was removed: its process ends, which is no reason to start it again."""
    unit.held = True
    if unit.child is not None:
        unit.child.expect_end()


def _forget(unit: Unit, node: str) -> None:
    """It was removed: whichever is stopped next may be the last, before we have looked again."""
    for one in unit.row.schedulers:
        one.nodes = [name for name in one.nodes if name != node]
    if not any(one.nodes for one in unit.row.schedulers):
        _expect_end(unit)


def _is_ok(outcome: Mapping[str, Any] | BaseException) -> bool:
    return not isinstance(outcome, BaseException) and outcome.get("ok") is True


def _passed_on(outcome: Mapping[str, Any] | BaseException, unit: Unit) -> Mapping[str, Any] | BaseException:
    """The scheduler's answer as the session's own: a refusal stays one."""
    if isinstance(outcome, BaseException):
        return outcome
    if outcome.get("ok") is not True:
        return NodeError(str(outcome.get("error", "it failed, and does not say why")))
    own = ("id", "ok", "pid", "session")
    return {key: value for key, value in outcome.items() if key not in own} | {"process": unit.name}
