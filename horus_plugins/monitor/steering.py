"""Steering the nodes of a namespace from outside: stop, pause, resume and restart them, by name.

Each goes to the scheduler that runs the node, over its control topic; stopping a node whose process belongs to a
launch session goes to the launcher, which passes it on and knows then that the node is not to come back.
"""

from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import HorusError, HorusTimeoutError, NodeError
from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces
from horus_plugins.launch import manifest
from horus_plugins.monitor import control, schedulers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STOP, PAUSE, RESUME, RESTART = "StopNode", "PauseNode", "ResumeNode", "RestartNode"
_TO_COME = ("waiting", "backing-off")
_WILD = "*?["
_MOST_LISTED = 20


class Target(msgspec.Struct):
    """A node that a living scheduler runs, or a process of a launch session."""

    name: str
    scheduler: str
    """"" for a launched process, by the name that its launch file gives it."""
    pid: int
    session: str = ""
    """The launch session that its process belongs to; "" for none."""
    topic: str = ""
    """That session's control topic."""
    launcher: int = 0
    """Its process."""


class Steered(msgspec.Struct):
    """What became of one node."""

    name: str
    scheduler: str
    pid: int
    session: str
    ok: bool
    text: str
    """In words; what went wrong, where it did."""
    state: str = ""
    """Of the node afterwards, where it still is there."""
    already: bool = False
    """Whether it was so before, and nothing was done."""
    last: bool = False
    """Whether it was the last node of its scheduler, whose run ends."""
    left_behind: bool = False
    """Whether its tick goes on, as it does not end."""
    timed_out: bool = False
    """Whether no answer came in time, or it is asked for and not done."""


class Outcome(msgspec.Struct):
    """What became of all nodes that were named."""

    namespace: str
    command: str
    nodes: list[Steered]

    @property
    def is_good(self) -> bool:
        """Whether everything was done."""
        return all(node.ok for node in self.nodes)

    @property
    def timed_out(self) -> bool:
        """Whether anything was not done in time."""
        return any(node.timed_out for node in self.nodes)


def targets(namespace: str) -> list[Target]:
    """All nodes of living schedulers, by name; then the launched processes whose name none of them has.

    Of the latter also those that wait to be started, or started again (pid 0).
    """
    sessions = [session for session in manifest.sessions(namespace) if session.alive]
    nodes = sorted(_ticking(namespace, sessions), key=lambda target: target.name)
    taken = {target.name for target in nodes}
    launched = [
        Target(node.name, "", node.pid, session.session, session.control_topic, session.pid)
        for session in sessions
        for node in session.nodes
        if (node.pid or node.status in _TO_COME) and node.name not in taken
    ]
    return nodes + launched


def _ticking(namespace: str, sessions: list[manifest.Session]) -> list[Target]:
    """The nodes of living schedulers."""
    listed = []
    for record in schedulers.schedulers(namespace)[0]:
        if record.look() != schedulers.RUNNING:
            continue
        pid = int(record.header["pid"])
        session = next((one for one in sessions if one.node_of(pid) is not None), None)
        launched_by = () if session is None else (session.session, session.control_topic, session.pid)
        listed += [
            Target(row["name"], record.name, pid, *launched_by) for row in record.rows() if not row["gone"]
        ]
    return listed


def choose(namespace: str, names: Sequence[str]) -> list[Target]:
    """The nodes of these names or patterns (`arm*`), each once; raises NodeError for what fits none.

    Launched processes go by their whole name alone: a pattern finds the nodes in them.
    """
    known = targets(namespace)
    chosen: dict[tuple[str, str], Target] = {}
    for name in names:
        fitting = [target for target in known if _fits(target, name)]
        if not fitting:
            raise NodeError(_unknown(namespace, name, [target.name for target in known]))
        chosen |= {(target.name, target.scheduler): target for target in fitting}
    return list(chosen.values())


def steer(
    command: str, chosen: Iterable[Target], namespace: str, *, timeout_s: float, force: bool = False
) -> Outcome:
    """Do it to each of them, one after the other; what fails for one keeps no other from it."""
    outcome = Outcome(namespace, command, [])
    for target in chosen:
        fields: dict[str, Any] = {"node": target.name}
        if force:
            fields["force"] = True
        outcome.nodes.append(_steer_one(command, target, namespace, timeout_s, fields))
    return outcome


def _steer_one(
    command: str, target: Target, namespace: str, timeout_s: float, fields: dict[str, Any]
) -> Steered:
    done = Steered(target.name, target.scheduler, target.pid, target.session, ok=True, text="")
    try:
        if not target.scheduler and command not in (STOP, RESTART):
            raise NodeError(
                f"{command} failed: expected a node of a scheduler, got the launched process {target.name!r} "
                f"(pid={target.pid}), which shows no such node. It can be killed and restarted."
            )
        if target.topic and (command == STOP or not target.scheduler):
            answer = control.ask_topic(
                namespace, target.topic, command, timeout_s=timeout_s, pid=target.launcher, **fields
            )
        else:
            answer = control.ask(namespace, target.scheduler, command, timeout_s=timeout_s, **fields)
    except HorusError as error:
        done.ok, done.text = False, str(error)
        done.timed_out = isinstance(error, HorusTimeoutError)
        return done
    done.state = _text(answer.get("state"))
    for what in ("already", "last", "left_behind"):
        setattr(done, what, answer.get(what) is True)
    done.text = _said(command, done)
    return done


def _said(command: str, done: Steered) -> str:
    if not (done.pid and done.scheduler):
        return _said_of_process(command, done)
    where = f"{done.name} (pid {done.pid})"
    if command == STOP:
        more = " It was the last node of its scheduler, whose run ends." if done.last else ""
        if done.left_behind:
            more = (
                " Its tick goes on, as it does not end: its thread, topics and name stay until then." + more
            )
        by = f" by its launcher, session {done.session}" if done.session else ""
        return f"{where} is removed{by}.{more}"
    if command == RESTART:
        return f"{where} is restarted: {done.state}."
    word = "paused" if command == PAUSE else "resumed"
    if done.already:
        state = "" if done.state == "paused" else f": {done.state}"  # not the same word twice
        return f"{where} {'was paused already' if command == PAUSE else 'was not paused'}{state}."
    if command == PAUSE and done.state != "paused":
        return f"{where} begins no further tick; the one that is under way has not ended: {done.state}."
    return f"{where} is {word}." if done.state == word else f"{where} is {word}: {done.state}."


def _said_of_process(command: str, done: Steered) -> str:
    """Of one that its launcher stops or starts as a whole."""
    if done.pid:
        what = "is stopped" if command == STOP else "is stopped and started again"
        return f"{done.name} (pid {done.pid}) {what} by its launcher, session {done.session}."
    what = "is not started any more" if command == STOP else "is started now"
    return f"{done.name} {what} by its launcher, session {done.session}."


def _fits(target: Target, pattern: str) -> bool:
    if target.name == pattern:
        return True
    is_pattern = bool(target.scheduler) and any(one in pattern for one in _WILD)
    return is_pattern and fnmatch.fnmatchcase(target.name, pattern)


def _unknown(namespace: str, name: str, known: list[str]) -> str:
    listed = ", ".join(known[:_MOST_LISTED]) + (", …" if len(known) > _MOST_LISTED else "")
    expected = f"one of {listed}" if known else "one that runs, and none does"
    hint = nearest(name, known).strip() or _elsewhere(namespace, name)
    return f"No node {name!r} runs here: expected {expected}, got {name!r} (namespace={namespace!r}). {hint}"


def _elsewhere(namespace: str, name: str) -> str:
    """Where else such a node is said to be, and who cannot be asked."""
    path = namespaces.path(namespace) / "nodes" / f"{name}.json"
    if os.sep not in name and path.exists():
        return (
            "It has left a record: it crashed, or its scheduler shows itself to nobody (blackbox=False). "
            "`horus node list` tells; such a process is ended by a signal."
        )
    for session in sorted(manifest.names(namespace)):
        found = manifest.read(namespace, session)
        if found is not None and any(node.name == name and not node.pid for node in found.nodes):
            return (
                f"Its process is over, of session {session}: `horus launch --restart {name}` starts it again."
            )
    others = schedulers.running_elsewhere(namespace)
    if not others:
        return "`horus node list` shows what runs."
    return f"Schedulers run in namespace {', '.join(sorted(others)[:3])}, too: --namespace looks there."


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
