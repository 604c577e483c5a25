"""Going over to a changed plan while the session runs: what differs is started, stopped or restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from horus_plugins.launch.file.plan import Plan, PlannedNode
    from horus_plugins.launch.session.session import Session
    from horus_plugins.launch.session.unit import Unit


def adopt(session: Session, plan: Plan) -> dict[str, list[str]]:
    """Take over a plan, whatever an earlier one began; what is to stop first, replace() carries out. Names."""
    session.plan = plan
    wanted = {node.name: node for node in plan.nodes}
    done: dict[str, list[str]] = {"started": [], "stopped": [], "restarted": []}
    for name, unit in list(session.units.items()):
        if name not in wanted and not unit.leaving:
            unit.leaving, unit.successor = True, None
            done["stopped"].append(name)
            session.stop_unit(unit)
    for name, node in wanted.items():
        what = _take_over(session, session.units.get(name), node)
        if what:
            done[what].append(name)
    _sort(session)
    replace(session)
    session.note_reload(done)
    return done


def replace(session: Session) -> None:
    """Carry out what a changed plan left to do until a process was gone."""
    for name, unit in list(session.units.items()):
        if unit.child is not None:
            continue
        if unit.leaving:
            del session.units[name]
            unit.log.close()
        elif unit.successor is not None and not session.stopping:
            unit.log.flush()
            unit.log.close()
            session.units[name] = session.new_unit(unit.successor, unit.row.restarts)


def _take_over(session: Session, unit: Unit | None, node: PlannedNode) -> str:
    """Have a node run as the plan has it now: "started", "restarted" or "" for one that does so already."""
    if unit is None:
        session.units[node.name] = session.new_unit(node)
        return "started"
    anew = unit.leaving or unit.status == "failed"
    if not anew and (unit.successor or unit.plan) == node:
        return ""
    unit.leaving, unit.successor = False, node
    session.stop_unit(unit)
    return "started" if anew else "restarted"


def _sort(session: Session) -> None:
    """The order of the plan; what is leaving stands last."""
    order = {node.name: number for number, node in enumerate(session.plan.nodes)}
    names = sorted(session.units, key=lambda name: order.get(name, len(order)))
    session.units = {name: session.units[name] for name in names}
