"""The sessions of a user, as `horus launch --status` shows them: what manifests say, and the kernel to that."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from horus_core import _native
from horus_core.errors import HorusError, LaunchError
from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces
from horus_plugins.launch import manifest
from horus_plugins.launch.manifest import Exit, LaunchedNode, Session  # noqa: TC001 - msgspec reads annotations
from horus_plugins.monitor import schedulers as records

_NS = 1_000_000_000
_WORST = ("hung", "error", "crashed", "stale")


class NodeStatus(msgspec.Struct):
    """A process of a session, as it is found to be."""

    name: str
    pid: int
    """0: none lives."""
    status: str
    """That of the manifest; `hung`, `error`, `crashed`, `stale` or `paused` as the nodes in it, or `suspended`."""
    schedulers: list[str]
    restarts: int
    last_exit: Exit | None
    next_try_s: float | None
    """Seconds until it is started again; None: it is not to be."""
    waiting_for: str


class SessionStatus(msgspec.Struct):
    """A session whose launcher lives."""

    session: str
    namespace: str
    file: str
    pid: int
    status: str
    uptime_s: float
    processes: int
    """How many of its nodes have a process that lives."""
    nodes: list[NodeStatus]


class SessionList(msgspec.Struct):
    """All sessions of this user."""

    sessions: list[SessionStatus]
    unreadable: dict[str, str]
    """Manifests that make no sense: `namespace/session`, and why."""


def look(namespace: str | None = None) -> SessionList:
    """The living sessions of one namespace, or of all of this user's, by namespace and name."""
    found, unreadable = _all(namespace)
    return SessionList([_status(session) for session in found if session.alive], unreadable)


def find(session: str, namespace: str | None = None) -> Session:
    """The living session of that name; raises LaunchError for none, or several in different namespaces."""
    found, _ = _all(namespace)
    living = [one for one in found if one.alive]
    named = [one for one in living if one.session == session]
    if len(named) == 1:
        return named[0]
    if named:
        both = " and ".join(repr(one.namespace) for one in named)
        raise LaunchError(
            f"Finding session {session!r} failed: expected one of that name, got those in namespaces {both}. "
            f"Choose with --namespace."
        )
    dead = [one for one in found if one.session == session]
    how = f"one whose launcher (pid {dead[0].pid}) was killed" if dead else "none"
    names = sorted({one.session for one in living})
    listed = f"These run: {', '.join(names)}.{nearest(session, names)}" if names else "No session runs."
    raise LaunchError(f"Finding session {session!r} failed: expected one that runs, got {how}. {listed}")


def with_node(node: str, namespace: str | None = None) -> Session:
    """The living session that has a node of that name; raises LaunchError for none, or several."""
    living = [one for one in _all(namespace)[0] if one.alive]
    named = [one for one in living if any(row.name == node for row in one.nodes)]
    if len(named) == 1:
        return named[0]
    if named:
        both = " and ".join(repr(one.session) for one in named)
        raise LaunchError(
            f"Finding node {node!r} failed: expected it in one session, got it in {both}. Choose with --session."
        )
    names = sorted({row.name for one in living for row in one.nodes})
    listed = f"These run: {', '.join(names)}.{nearest(node, names)}" if names else "No session runs."
    raise LaunchError(
        f"Finding node {node!r} failed: expected a node of a session that runs, got none. {listed}"
    )


def _all(namespace: str | None) -> tuple[list[Session], dict[str, str]]:
    found: list[Session] = []
    unreadable: dict[str, str] = {}
    for where in namespaces.mine() if namespace is None else [namespace]:
        sessions, bad = manifest.look(where)
        found += sessions
        unreadable |= {f"{where}/{name}": why for name, why in bad.items()}
    return found, unreadable


def _status(session: Session) -> SessionStatus:
    states = _scheduler_states(session.namespace)
    nodes = [_node(node, states) for node in session.nodes]
    uptime_s = (time.monotonic_ns() - session.started_monotonic_ns) / _NS
    return SessionStatus(
        session.session,
        session.namespace,
        session.file,
        session.pid,
        "suspended" if _kernel_state(session.pid) in ("T", "t") else session.status,
        max(0.0, uptime_s),
        sum(node.pid != 0 for node in nodes),
        nodes,
    )


def _node(row: LaunchedNode, states: dict[str, str]) -> NodeStatus:
    kernel = _kernel_state(row.pid) if row.pid else ""
    status: str = row.status
    if row.pid and kernel in ("", "Z", "X"):
        status = "crashed"  # at this moment: its launcher has not seen it yet, or stands still itself
    elif kernel in ("T", "t"):
        status = "suspended"
    elif status == "running":
        status = _worst([states.get(one.name, "running") for one in row.schedulers])
    next_try_s = max(0.0, (row.next_try_ns - time.time_ns()) / _NS) if row.next_try_ns else None
    return NodeStatus(
        row.name,
        row.pid if kernel not in ("", "Z", "X") else 0,
        status,
        [one.name for one in row.schedulers],
        row.restarts,
        row.last_exit,
        next_try_s,
        row.waiting_for if status in ("waiting", "failed", "backing-off") else "",
    )


def _worst(states: list[str]) -> str:
    for bad in _WORST:
        if bad in states:
            return bad
    return "paused" if states and all(state == "paused" for state in states) else "running"


def _scheduler_states(namespace: str) -> dict[str, str]:
    """The worst state of the nodes of each living scheduler, checked; paused if all of them are."""
    try:
        found, _ = records.schedulers(namespace)
    except (HorusError, OSError):  # a namespace whose lock somebody keeps: what the manifest says must do
        return {}
    return {record.name: _worst(_node_states(record)) for record in found if record.look() == records.RUNNING}


def _node_states(record: records.SchedulerRecord) -> list[str]:
    begun, now_ns = records.last_ticks(record, record.ticks()), _native.now_ns()
    return [
        records.shown_state(row, records.RUNNING, begun.get(row["row"], now_ns), now_ns)
        for row in record.rows()
        if not row["gone"] or row["state"] == "hung"
    ]


def _kernel_state(pid: int) -> str:
    """The letter of /proc/pid/stat; "" when there is no such process."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
